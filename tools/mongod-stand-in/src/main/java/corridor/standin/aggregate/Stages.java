package corridor.standin.aggregate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.backend.aggregation.stage.AggregationStage;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.NoopOplog;

/** An aggregation pipeline: the library's stages, and our own where the library's are wrong or missing. */
public final class Stages {

    private final List<AggregationStage> stages = new ArrayList<>();

    /** A pipeline over a collection. {@code databases}, {@code database} and {@code collection} may be null when no stage needs them. */
    public Stages(List<Document> pipeline, DatabaseResolver databases, MongoDatabase database, MongoCollection<?> collection) {
        for (Document stage : pipeline) {
            String name = nameOf(stage);
            switch (name) {
                case "$set", "$addFields" -> stages.add(new SetStage(stage.get(name)));
                case "$replaceWith" -> stages.add(new ReplaceStage(stage.get(name)));
                case "$replaceRoot" -> stages.add(new ReplaceStage(((Document) stage.get(name)).get("newRoot")));
                default -> stages.addAll(Aggregation.fromPipeline(List.of(forLibrary(stage)), databases, database, collection, NoopOplog.get()).getStages());
            }
        }
    }

    public static String nameOf(Document stage) {
        if (stage.size() != 1) {
            throw new MongoServerError(40323, "A pipeline stage specification object must contain exactly one field.");
        }
        return stage.keySet().iterator().next();
    }

    public List<Document> run(Stream<Document> documents) {
        Stream<Document> result = documents;
        for (AggregationStage stage : stages) {
            result = stage.apply(result);
        }
        return result.toList();
    }

    /** Stages inside of stages, by the names that the library knows. */
    private static Document forLibrary(Document stage) {
        if (stage.containsKey("$set")) {
            return new Document("$addFields", stage.get("$set"));
        }
        if (stage.containsKey("$replaceWith")) {
            return new Document("$replaceRoot", new Document("newRoot", stage.get("$replaceWith")));
        }
        if (stage.get("$facet") instanceof Document facets) {
            Document renamed = new Document();
            for (Map.Entry<String, Object> facet : facets.entrySet()) {
                renamed.put(facet.getKey(), forLibrary((List<?>) facet.getValue()));
            }
            return new Document("$facet", renamed);
        }
        if (stage.get("$lookup") instanceof Document lookup && lookup.get("pipeline") instanceof List<?> pipeline) {
            Document renamed = new Document(lookup);
            renamed.put("pipeline", forLibrary(pipeline));
            return new Document("$lookup", renamed);
        }
        return stage;
    }

    private static List<Document> forLibrary(List<?> pipeline) {
        return pipeline.stream().map(stage -> forLibrary((Document) stage)).toList();
    }
}
