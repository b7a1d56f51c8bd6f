package corridor.standin.aggregate;

import java.util.stream.Stream;

import de.bwaldvogel.mongo.backend.aggregation.stage.AggregationStage;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.Json;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** {@code $replaceWith}, also called {@code $replaceRoot}. */
final class ReplaceStage implements AggregationStage {

    private final Object replacement;

    ReplaceStage(Object replacement) {
        this.replacement = replacement;
    }

    @Override
    public String name() {
        return "$replaceWith";
    }

    @Override
    public Stream<Document> apply(Stream<Document> documents) {
        return documents.map(document -> {
            Object value = Evaluation.evaluate(replacement, document);
            if (value instanceof Document result) {
                return result;
            }
            throw new MongoServerError(40228, "'replacement document' must evaluate to an object, but resulting value was: " + Json.toJsonValue(value, true, "{", "}"));
        });
    }
}
