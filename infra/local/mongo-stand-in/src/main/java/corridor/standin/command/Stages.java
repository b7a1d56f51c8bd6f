package corridor.standin.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import de.bwaldvogel.mongo.bson.Document;

/** Aggregation stages that the library knows under another name only. */
public final class Stages {

    private Stages() {
    }

    public static List<Document> rewritten(List<?> pipeline) {
        List<Document> stages = new ArrayList<>(pipeline.size());
        for (Object stage : pipeline) {
            stages.add(rewritten((Document) stage));
        }
        return stages;
    }

    private static Document rewritten(Document stage) {
        if (stage.containsKey("$set")) {
            return new Document("$addFields", stage.get("$set"));
        }
        if (stage.containsKey("$replaceWith")) {
            return new Document("$replaceRoot", new Document("newRoot", stage.get("$replaceWith")));
        }
        if (stage.get("$facet") instanceof Document facets) {
            Document rewritten = new Document();
            for (Map.Entry<String, Object> facet : facets.entrySet()) {
                rewritten.put(facet.getKey(), rewritten((List<?>) facet.getValue()));
            }
            return new Document("$facet", rewritten);
        }
        if (stage.get("$lookup") instanceof Document lookup && lookup.get("pipeline") instanceof List<?> pipeline) {
            Document rewritten = new Document(lookup);
            rewritten.put("pipeline", rewritten(pipeline));
            return new Document("$lookup", rewritten);
        }
        return stage;
    }
}
