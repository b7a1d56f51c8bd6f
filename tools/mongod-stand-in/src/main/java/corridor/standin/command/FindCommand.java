package corridor.standin.command;

import java.util.Iterator;
import java.util.List;

import corridor.standin.StandInCollection;
import corridor.standin.bson.RawBson;
import corridor.standin.query.DocumentCursor;
import corridor.standin.query.Hit;
import corridor.standin.query.Plan;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** The find command, and explain of one. */
public final class FindCommand {

    private final StandInCollection collection;
    private final Document command;

    public FindCommand(StandInCollection collection, Document command) {
        this.collection = collection;
        this.command = command;
        refuseUnknownHint();
    }

    public Document run(OpenCursors cursors) {
        int limit = number("limit");
        DocumentCursor found = collection.find(document("filter"), sort(), number("skip"), Math.abs(limit));
        boolean single = limit < 0 || Utils.isTrue(command.get("singleBatch"));
        return cursors.open(collection.getFullName(), source(found), command.get("batchSize"), single);
    }

    /** Says which index the command would use, in the shape of MongoDB's answer. */
    public Document explain() {
        Plan plan = Plan.of(document("filter"), sort(), collection.getIndexes());
        Document winning = plan.index() == null
            ? new Document("stage", "COLLSCAN")
            : new Document("stage", "FETCH").append("inputStage", new Document("stage", "IXSCAN").append("indexName", plan.index().getName())
                .append("direction", plan.reverse() ? "backward" : "forward").append("isMultiKey", plan.index().multiple()));
        if (sort() != null && !plan.sorted()) {
            winning = new Document("stage", "SORT").append("inputStage", winning);
        }
        Document reply = new Document("queryPlanner", new Document("namespace", collection.getFullName()).append("winningPlan", winning));
        Utils.markOkay(reply);
        return reply;
    }

    private Document document(String field) {
        return command.get(field) instanceof Document document ? document : new Document();
    }

    private Document sort() {
        return command.get("sort") instanceof Document sort && !sort.isEmpty() ? sort : null;
    }

    private int number(String field) {
        return command.get(field) instanceof Number number ? number.intValue() : 0;
    }

    private void refuseUnknownHint() {
        Object hint = command.get("hint");
        if (hint == null || hint instanceof Document document && (document.isEmpty() || document.containsKey("$natural"))) {
            return;
        }
        boolean known = collection.getIndexes().stream().anyMatch(index -> hint instanceof Document keys
            ? keys.equals(index.toIndexDescription().get("key"))
            : index.getName().equals(hint));
        if (!known) {
            throw new MongoServerError(2, "BadValue", "error processing query: planner returned error: hint provided does not correspond to an existing index");
        }
    }

    private OpenCursors.Source source(DocumentCursor found) {
        Document projection = document("projection");
        return new OpenCursors.Source() {
            private int size;

            @Override
            public Object next() {
                Hit hit = found.next();
                if (hit == null) {
                    return null;
                }
                size = hit.bytes().length;
                return projection.isEmpty() ? new RawBson(hit.bytes()) : Doors.project(projection, collection.idField(), hit.document());
            }

            @Override
            public int lastSize() {
                return size;
            }

            @Override
            public void pause() {
                found.pause();
            }
        };
    }

    /** A result that is complete already. */
    static OpenCursors.Source source(List<Document> documents) {
        Iterator<Document> iterator = documents.iterator();
        return new OpenCursors.Source() {
            private static final int ABOUT_THE_SIZE_OF_A_DOCUMENT = 2048;

            @Override
            public Object next() {
                return iterator.hasNext() ? iterator.next() : null;
            }

            @Override
            public int lastSize() {
                return ABOUT_THE_SIZE_OF_A_DOCUMENT;
            }

            @Override
            public void pause() {
                // nothing is held
            }
        };
    }
}
