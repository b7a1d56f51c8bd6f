package corridor.standin.aggregate;

import java.util.Map;
import java.util.stream.Stream;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.aggregation.stage.AggregationStage;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** {@code $set}, also called {@code $addFields}: computes fields from the document as it came in. */
final class SetStage implements AggregationStage {

    private final Document fields;

    SetStage(Object fields) {
        if (!(fields instanceof Document document) || document.isEmpty()) {
            throw new MongoServerError(40177, "Invalid $set :: caused by :: specification must be an object with at least one field");
        }
        this.fields = document;
    }

    @Override
    public String name() {
        return "$set";
    }

    @Override
    public Stream<Document> apply(Stream<Document> documents) {
        return documents.map(document -> {
            Document result = document.clone();
            set(result, fields, document);
            return result;
        });
    }

    private static void set(Document target, Document fields, Document input) {
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            set(target, field.getKey(), field.getValue(), input);
        }
    }

    private static void set(Document target, String path, Object expression, Document input) {
        int dot = path.indexOf('.');
        if (dot >= 0) {
            set(child(target, path.substring(0, dot)), path.substring(dot + 1), expression, input);
            return;
        }
        if (Evaluation.isPlain(expression) && !((Document) expression).isEmpty()) {
            set(child(target, path), (Document) expression, input);
            return;
        }
        Object value = Evaluation.evaluate(expression, input);
        if (value instanceof Missing) {
            target.remove(path);
        } else {
            target.put(path, value);
        }
    }

    /** The document at a field, a copy so that the input stays as it is; an empty one takes the place of anything else. */
    private static Document child(Document target, String field) {
        Document child = target.get(field) instanceof Document document ? document.clone() : new Document();
        target.put(field, child);
        return child;
    }
}
