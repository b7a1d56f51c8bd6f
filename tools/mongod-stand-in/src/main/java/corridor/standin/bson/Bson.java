package corridor.standin.bson;

import java.util.Map;

import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.BsonConstants;

/** Documents to bytes and back. Stored documents are bytes, so that every read gets a fresh copy that nobody else can change. */
public final class Bson {

    private static final ThreadLocal<BsonWriter> WRITER = ThreadLocal.withInitial(BsonWriter::new);
    private static final ThreadLocal<BsonReader> READER = ThreadLocal.withInitial(BsonReader::new);

    private Bson() {
    }

    /** The bytes of a document to store. Throws BSONObjectTooLarge. */
    public static byte[] encode(Document document) {
        byte[] bytes = encodeAny(document);
        if (bytes.length > BsonConstants.MAX_BSON_OBJECT_SIZE) {
            throw new MongoServerError(10334, "BSONObjectTooLarge",
                "BSONObj size: " + bytes.length + " is invalid. Size must be between 0 and " + BsonConstants.MAX_BSON_OBJECT_SIZE);
        }
        return bytes;
    }

    /** The bytes of a document of any size, such as an answer with many documents in it. */
    public static byte[] encodeAny(Map<String, ?> document) {
        return WRITER.get().write(document);
    }

    public static Document decode(byte[] bytes) {
        return decode(bytes, 0);
    }

    /** Reads the document that starts at {@code start}. */
    public static Document decode(byte[] bytes, int start) {
        return READER.get().read(bytes, start);
    }
}
