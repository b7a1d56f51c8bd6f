package corridor.standin.query;

import corridor.standin.bson.Bson;
import de.bwaldvogel.mongo.bson.Document;

/** A stored document that matches a query: where it is, the bytes as stored, and a copy of its own to read or change. */
public final class Hit {

    private final long record;
    private final byte[] bytes;
    private Document document;

    Hit(long record, byte[] bytes) {
        this.record = record;
        this.bytes = bytes;
    }

    public long record() {
        return record;
    }

    public byte[] bytes() {
        return bytes;
    }

    /** The document, read when it is first asked for. */
    public Document document() {
        if (document == null) {
            document = Bson.decode(bytes);
        }
        return document;
    }
}
