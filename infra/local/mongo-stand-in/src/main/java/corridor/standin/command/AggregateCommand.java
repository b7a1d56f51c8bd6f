package corridor.standin.command;

import java.util.List;

import corridor.standin.StandInCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.NoopOplog;

/** The aggregate command. A leading {@code $match}, {@code $sort} and {@code $limit} go through the indexes. */
public final class AggregateCommand {

    private final StandInCollection collection;
    private final Document command;

    public AggregateCommand(StandInCollection collection, Document command) {
        this.collection = collection;
        this.command = command;
    }

    /** Whether the command writes. */
    public static boolean writes(Document command) {
        if (!(command.get("pipeline") instanceof List<?> pipeline) || pipeline.isEmpty()) {
            return false;
        }
        return pipeline.get(pipeline.size() - 1) instanceof Document last && (last.containsKey("$out") || last.containsKey("$merge"));
    }

    public Document run(MongoDatabase database, DatabaseResolver databases, OpenCursors cursors) {
        List<Document> stages = Stages.rewritten(Aggregation.parse(command.get("pipeline")));
        Aggregation whole = Aggregation.fromPipeline(stages, databases, database, collection, NoopOplog.get());
        whole.validate(command);
        int taken = 0;
        Document query = new Document();
        Document sort = null;
        long limit = 0;
        if (isAt(stages, taken, "$match")) {
            query = (Document) stages.get(taken++).get("$match");
        }
        if (isAt(stages, taken, "$sort")) {
            sort = (Document) stages.get(taken++).get("$sort");
        }
        if (isAt(stages, taken, "$limit")) {
            limit = ((Number) stages.get(taken++).get("$limit")).longValue();
        }
        Aggregation rest = taken == 0 ? whole
            : Aggregation.fromPipeline(stages.subList(taken, stages.size()), databases, database, collection, NoopOplog.get());
        List<Document> result = rest.runStages(collection.documents(query, sort, 0, limit));
        Object batchSize = command.get("cursor") instanceof Document cursor ? cursor.get("batchSize") : null;
        return cursors.open(collection.getFullName(), FindCommand.source(result), batchSize, false);
    }

    private static boolean isAt(List<Document> stages, int position, String stage) {
        if (position == stages.size()) {
            return false;
        }
        Object operand = stages.get(position).get(stage);
        return operand instanceof Document || operand instanceof Number;
    }
}
