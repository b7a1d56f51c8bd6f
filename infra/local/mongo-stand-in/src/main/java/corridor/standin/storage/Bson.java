package corridor.standin.storage;

import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.BsonConstants;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Documents to bytes and back. Stored documents are bytes, so that every read gets a fresh copy that nobody else can change. */
public final class Bson {

    private static final int LARGEST_KEPT_BUFFER = 1 << 20;
    private static final ThreadLocal<ByteBuf> BUFFER = ThreadLocal.withInitial(() -> Unpooled.buffer(4096));

    private Bson() {
    }

    public static byte[] encode(Document document) {
        ByteBuf buffer = BUFFER.get().clear();
        BsonEncoder.encodeDocument(document, buffer);
        int size = buffer.readableBytes();
        if (buffer.capacity() > LARGEST_KEPT_BUFFER) {
            BUFFER.remove();
        }
        if (size > BsonConstants.MAX_BSON_OBJECT_SIZE) {
            throw new MongoServerError(10334, "BSONObjectTooLarge",
                "BSONObj size: " + size + " is invalid. Size must be between 0 and " + BsonConstants.MAX_BSON_OBJECT_SIZE);
        }
        byte[] bytes = new byte[size];
        buffer.readBytes(bytes);
        return bytes;
    }

    public static Document decode(byte[] bytes) {
        return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }
}
