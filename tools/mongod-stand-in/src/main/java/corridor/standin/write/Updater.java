package corridor.standin.write;

import java.util.ArrayList;
import java.util.List;

import corridor.standin.StandInCollection;
import corridor.standin.query.DocumentCursor;
import corridor.standin.query.Hit;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** Updates, replaces and upserts the documents of a collection. Must run under the write lock. */
public final class Updater {

    private final StandInCollection collection;

    public Updater(StandInCollection collection) {
        this.collection = collection;
    }

    /**
     * What an update did.
     *
     * @param upserted the document that was created, or null
     */
    public record Outcome(int matched, int modified, Document upserted) {
    }

    /** Throws E11000 when the update, or the insert of an upsert, meets a unique index. */
    public Outcome update(Document query, Document sort, Update update, boolean multi, boolean upsert) {
        if (multi && !update.mayTouchMany()) {
            throw new MongoServerError(9, "FailedToParse", "multi update is not supported for replacement-style update");
        }
        DocumentCursor cursor = collection.find(query, sort, 0, multi ? 0 : 1);
        Hit first = cursor.next();
        if (first == null) {
            return upsert ? new Outcome(0, 0, insert(query, update)) : new Outcome(0, 0, null);
        }
        if (!multi) {
            return new Outcome(1, apply(first, query, update).changed ? 1 : 0, null);
        }
        List<Hit> hits = new ArrayList<>();
        for (Hit hit = first; hit != null; hit = cursor.next()) {
            hits.add(hit); // all of them before the first change, which could move one to where the scan is still to come
        }
        int modified = 0;
        for (Hit hit : hits) {
            modified += apply(hit, query, update).changed ? 1 : 0;
        }
        return new Outcome(hits.size(), modified, null);
    }

    record Applied(Document document, boolean changed) {
    }

    /** Applies the update to one match. The document of the hit may be changed by it. */
    Applied apply(Hit hit, Document query, Update update) {
        Integer position = update.needsMatchPosition() ? new DefaultQueryMatcher().matchPosition(hit.document(), query) : null;
        List<List<byte[]>> oldKeys = collection.keysOf(hit.document(), update::touches);
        Document after = update.apply(hit.document(), collection.idField(), position, false);
        Doors.validateFieldNames(after);
        return new Applied(after, collection.replace(hit, after, oldKeys, update::touches));
    }

    /** Inserts what an upsert without a match creates. */
    Document insert(Document query, Update update) {
        String idField = collection.idField();
        Document base = Doors.documentOfSelector(collection, query);
        Document created = update.apply(base, idField, null, true);
        Doors.validateFieldNames(created);
        if (!created.containsKey(idField)) {
            created.put(idField, Doors.idOfSelector(collection, query));
        }
        return collection.insert(created);
    }
}
