package corridor.standin.aggregate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.aggregation.ExpressionDoor;
import de.bwaldvogel.mongo.bson.Document;

/**
 * Evaluates expressions, once: where the library computes a document it evaluates the result again, so that a text which
 * begins with {@code $} would be taken for a path and vanish.
 */
final class Evaluation {

    private Evaluation() {
    }

    static Object evaluate(Object expression, Document document) {
        if (isPlain(expression)) {
            Document computed = new Document();
            for (Map.Entry<String, Object> field : ((Document) expression).entrySet()) {
                Object value = evaluate(field.getValue(), document);
                if (!(value instanceof Missing)) {
                    computed.put(field.getKey(), value);
                }
            }
            return computed;
        }
        if (expression instanceof Collection<?> elements) {
            List<Object> computed = new ArrayList<>(elements.size());
            for (Object element : elements) {
                Object value = evaluate(element, document);
                computed.add(value instanceof Missing ? null : value);
            }
            return computed;
        }
        return ExpressionDoor.evaluate(expression, document);
    }

    /** Whether it is a document of expressions, not an operator. */
    static boolean isPlain(Object expression) {
        return expression instanceof Document fields && (fields.isEmpty() || !fields.keySet().iterator().next().startsWith("$"));
    }
}
