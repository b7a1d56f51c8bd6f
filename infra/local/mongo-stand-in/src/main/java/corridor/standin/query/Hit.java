package corridor.standin.query;

import de.bwaldvogel.mongo.bson.Document;

/** A stored document that matches a query: where it is, the bytes as stored, and a copy of its own to read or change. */
public record Hit(long record, byte[] bytes, Document document) {
}
