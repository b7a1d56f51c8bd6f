package corridor.standin.command;

import java.util.ArrayList;
import java.util.List;

import corridor.standin.StandInCollection;
import corridor.standin.write.Update;
import corridor.standin.write.Updater;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.oplog.NoopOplog;

/** insert, update and delete: many statements in one command, each with its own outcome. Must run under the write lock. */
public final class WriteCommands {

    private final StandInCollection collection;
    private final boolean ordered;
    private final List<Document> errors = new ArrayList<>();

    public WriteCommands(StandInCollection collection, Document command) {
        this.collection = collection;
        this.ordered = !Boolean.FALSE.equals(command.get("ordered"));
    }

    public Document insert(List<?> documents) {
        int inserted = 0;
        for (int i = 0; i < documents.size() && goesOn(); i++) {
            try {
                collection.insert((Document) documents.get(i));
                inserted++;
            } catch (MongoServerException e) {
                errors.add(Replies.writeError(i, e));
            }
        }
        return reply(new Document("n", inserted));
    }

    public Document update(List<?> statements) {
        Updater updater = new Updater(collection);
        int matched = 0;
        int modified = 0;
        List<Document> upserts = new ArrayList<>();
        for (int i = 0; i < statements.size() && goesOn(); i++) {
            Document statement = (Document) statements.get(i);
            try {
                Updater.Outcome outcome = updater.update((Document) statement.get("q"), (Document) statement.get("sort"), Update.of(statement, "u"),
                    Utils.isTrue(statement.get("multi")), Utils.isTrue(statement.get("upsert")));
                matched += outcome.matched();
                modified += outcome.modified();
                if (outcome.upserted() != null) {
                    upserts.add(new Document("index", i).append("_id", outcome.upserted().get("_id")));
                }
            } catch (MongoServerException e) {
                errors.add(Replies.writeError(i, e));
            }
        }
        Document reply = new Document("n", matched + upserts.size()).append("nModified", modified);
        if (!upserts.isEmpty()) {
            reply.put("upserted", upserts);
        }
        return reply(reply);
    }

    public Document delete(List<?> statements) {
        int deleted = 0;
        for (int i = 0; i < statements.size() && goesOn(); i++) {
            Document statement = (Document) statements.get(i);
            try {
                deleted += collection.deleteDocuments((Document) statement.get("q"), ((Number) statement.get("limit")).intValue(), NoopOplog.get());
            } catch (MongoServerException e) {
                errors.add(Replies.writeError(i, e));
            }
        }
        return reply(new Document("n", deleted));
    }

    private boolean goesOn() {
        return !ordered || errors.isEmpty();
    }

    private Document reply(Document reply) {
        if (!errors.isEmpty()) {
            reply.put("writeErrors", errors);
        }
        Utils.markOkay(reply);
        return reply;
    }
}
