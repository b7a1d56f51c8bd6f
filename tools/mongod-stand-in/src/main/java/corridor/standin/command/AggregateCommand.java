package corridor.standin.command;

import java.util.List;

import corridor.standin.StandInCollection;
import corridor.standin.aggregate.Stages;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.FailedToParseException;
import de.bwaldvogel.mongo.exception.MongoServerError;

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
        List<Document> pipeline = Aggregation.parse(command.get("pipeline"));
        if (!(command.get("cursor") instanceof Document cursor)) {
            throw new FailedToParseException("The 'cursor' option is required, except for aggregate with the explain argument");
        }
        refuseStagesAfterLast(pipeline);
        int taken = 0;
        Document query = new Document();
        Document sort = null;
        long limit = 0;
        if (isAt(pipeline, taken, "$match")) {
            query = (Document) pipeline.get(taken++).get("$match");
        }
        if (isAt(pipeline, taken, "$sort")) {
            sort = (Document) pipeline.get(taken++).get("$sort");
        }
        if (isAt(pipeline, taken, "$limit")) {
            limit = ((Number) pipeline.get(taken++).get("$limit")).longValue();
        }
        Stages rest = new Stages(pipeline.subList(taken, pipeline.size()), databases, database, collection);
        List<Document> result = rest.run(collection.documents(query, sort, 0, limit));
        return cursors.open(collection.getFullName(), FindCommand.source(result), cursor.get("batchSize"), false);
    }

    private static void refuseStagesAfterLast(List<Document> pipeline) {
        for (int i = 0; i < pipeline.size() - 1; i++) {
            String name = Stages.nameOf(pipeline.get(i));
            if (name.equals("$out") || name.equals("$merge")) {
                throw new MongoServerError(40601, name + " can only be the final stage in the pipeline");
            }
        }
    }

    private static boolean isAt(List<Document> stages, int position, String stage) {
        if (position == stages.size()) {
            return false;
        }
        Object operand = stages.get(position).get(stage);
        return operand instanceof Document || operand instanceof Number;
    }
}
