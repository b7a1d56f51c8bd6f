package corridor.standin.index;

import java.util.StringJoiner;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.Json;
import de.bwaldvogel.mongo.exception.DuplicateKeyError;

/** E11000 that also says which index and which values, as MongoDB does. */
public final class DuplicateKey extends DuplicateKeyError {

    private final transient Document keyPattern = new Document();
    private final transient Document keyValue = new Document();

    DuplicateKey(KeyIndex index, Document document, MongoCollection<?> collection) {
        super(collection, index.getName() + " dup key: " + describe(index, document));
        for (IndexKey key : index.getKeys()) {
            keyPattern.put(key.getKey(), key.isAscending() ? 1 : -1);
            keyValue.put(key.getKey(), value(document, key));
        }
    }

    private static Object value(Document document, IndexKey key) {
        Object value = Utils.getSubdocumentValueCollectionAware(document, key.getKey());
        return value instanceof Missing ? null : value;
    }

    private static String describe(KeyIndex index, Document document) {
        StringJoiner text = new StringJoiner(", ", "{ ", " }");
        for (IndexKey key : index.getKeys()) {
            text.add(key.getKey() + ": " + Json.toCompactJsonValue(value(document, key)));
        }
        return text.toString();
    }

    /** Adds {@code keyPattern} and {@code keyValue} to an error document. */
    public void describeIn(Document error) {
        error.put("keyPattern", keyPattern);
        error.put("keyValue", keyValue);
    }
}
