package corridor.standin.write;

import corridor.standin.StandInCollection;
import corridor.standin.query.Hit;
import corridor.standin.bson.Bson;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.FailedToParseException;

/** The findAndModify command: take one document in some order and update, replace or remove it. */
public final class FindAndModify {

    private final StandInCollection collection;

    public FindAndModify(StandInCollection collection) {
        this.collection = collection;
    }

    public Document run(Document command) {
        boolean remove = Utils.isTrue(command.get("remove"));
        if (!remove && command.get("update") == null) {
            throw new FailedToParseException("Either an update or remove=true must be specified");
        }
        Document query = command.get("query") instanceof Document document ? document : new Document();
        Document sort = command.get("sort") instanceof Document document ? document : null;
        Hit hit = collection.find(query, sort, 0, 1).next();
        if (remove) {
            return removed(command, hit);
        }
        Update update = Update.of(command, "update");
        boolean returnNew = Utils.isTrue(command.get("new"));
        Updater updater = new Updater(collection);
        if (hit == null) {
            return missed(command, query, update, updater, returnNew);
        }
        Document after = updater.apply(hit, query, update).document();
        Document status = new Document("n", 1).append("updatedExisting", true);
        return result(command, status, returnNew ? after : Bson.decode(hit.bytes()));
    }

    private Document removed(Document command, Hit hit) {
        if (hit != null) {
            collection.remove(hit);
        }
        return result(command, new Document("n", hit == null ? 0 : 1), hit == null ? null : hit.document());
    }

    private Document missed(Document command, Document query, Update update, Updater updater, boolean returnNew) {
        if (!Utils.isTrue(command.get("upsert"))) {
            return result(command, new Document("n", 0).append("updatedExisting", false), null);
        }
        Document created = updater.insert(query, update);
        Document status = new Document("n", 1).append("updatedExisting", false).append("upserted", created.get(collection.idField()));
        return result(command, status, returnNew ? created : null);
    }

    private Document result(Document command, Document status, Document value) {
        Document shown = value;
        if (value != null && command.get("fields") instanceof Document fields && !fields.isEmpty()) {
            shown = Doors.project(fields, collection.idField(), value);
        }
        Document result = new Document("lastErrorObject", status);
        result.put("value", shown);
        Utils.markOkay(result);
        return result;
    }
}
