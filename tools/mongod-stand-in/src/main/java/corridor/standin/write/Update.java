package corridor.standin.write;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

import corridor.standin.aggregate.Stages;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.FailedToParseException;
import de.bwaldvogel.mongo.exception.ImmutableFieldException;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** One of the three kinds of update: operators, a replacement, or an aggregation pipeline. */
public abstract class Update {

    private static final Set<String> PIPELINE_STAGES =
        Set.of("$set", "$addFields", "$unset", "$project", "$replaceRoot", "$replaceWith");

    /** The update of a statement: {@code u} of an update command or {@code update} of findAndModify. */
    public static Update of(Document statement, String field) {
        Object update = statement.get(field);
        if (update instanceof List<?> pipeline) {
            return new Pipeline(pipeline);
        }
        if (!(update instanceof Document document)) {
            throw new FailedToParseException("the update must be a document or a pipeline");
        }
        return of(document, statement.containsKey("arrayFilters") ? Doors.arrayFilters(statement, document) : ArrayFilters.empty());
    }

    public static Update of(Document update, ArrayFilters arrayFilters) {
        if (update.isEmpty() || !update.keySet().iterator().next().startsWith("$")) {
            return new Replacement(update);
        }
        return new Operators(update, arrayFilters);
    }

    /**
     * The document after the update. {@code document} may be changed.
     *
     * @param matchPosition position of the array element that matched, for {@code $}; null when there is none
     * @param upsert whether the document is being created
     */
    abstract Document apply(Document document, String idField, Integer matchPosition, boolean upsert);

    /** Whether a top-level field may change. */
    boolean touches(String field) {
        return true;
    }

    /** Whether a path has the positional operator {@code $}. */
    boolean needsMatchPosition() {
        return false;
    }

    boolean mayTouchMany() {
        return true;
    }

    private static final class Operators extends Update {

        private final Document update;
        private final ArrayFilters arrayFilters;
        /** Whether all paths are plain field names, each named once. */
        private final boolean plain;
        /** Top-level fields of all paths, when they are not plain. */
        private final Set<String> changed = new HashSet<>();
        private boolean positional;

        Operators(Document update, ArrayFilters arrayFilters) {
            this.update = update;
            this.arrayFilters = arrayFilters;
            for (Map.Entry<String, Object> operator : update.entrySet()) {
                if (!operator.getKey().startsWith("$")) {
                    throw unknownModifier(operator.getKey());
                }
                if (!(operator.getValue() instanceof Document)) {
                    throw new FailedToParseException("Modifiers operate on fields but we found type "
                        + (operator.getValue() == null ? "null" : operator.getValue().getClass().getSimpleName()) + " instead for " + operator.getKey());
                }
            }
            plain = isPlain();
            if (!plain) {
                Doors.refuseConflictingPaths(update);
                update.forEach((operator, change) -> ((Document) change).forEach((path, operand) -> {
                    note(path);
                    if (operator.equals("$rename") && operand instanceof String target) {
                        note(target);
                    }
                }));
            }
        }

        private boolean isPlain() {
            for (String operator : update.keySet()) {
                for (String path : ((Document) update.get(operator)).keySet()) {
                    if (path.isEmpty() || path.indexOf('.') >= 0 || operator.equals("$rename") || isNamedBefore(path, operator)) {
                        return false;
                    }
                }
            }
            return true;
        }

        private boolean isNamedBefore(String path, String operator) {
            for (Map.Entry<String, Object> other : update.entrySet()) {
                if (other.getKey().equals(operator)) {
                    return false;
                }
                if (((Document) other.getValue()).containsKey(path)) {
                    return true;
                }
            }
            return false;
        }

        private static FailedToParseException unknownModifier(String operator) {
            return new FailedToParseException("Unknown modifier: " + operator
                + ". Expected a valid update modifier or pipeline-style update specified as an array");
        }

        private void note(String path) {
            int dot = path.indexOf('.');
            changed.add(dot < 0 ? path : path.substring(0, dot));
            positional |= path.endsWith(".$") || path.contains(".$.");
        }

        @Override
        Document apply(Document document, String idField, Integer matchPosition, boolean upsert) {
            for (Map.Entry<String, Object> entry : update.entrySet()) {
                String operator = entry.getKey();
                Document change = (Document) entry.getValue();
                if (plain && !change.containsKey(idField)) { // by far the most frequent: no need to take paths apart
                    if (operator.equals("$set")) {
                        document.putAll(change);
                        continue;
                    }
                    if (operator.equals("$unset")) {
                        change.keySet().forEach(document::remove);
                        continue;
                    }
                }
                try {
                    Doors.applyOperator(document, operator, change, idField, upsert, matchPosition, arrayFilters);
                } catch (IllegalArgumentException e) {
                    throw unknownModifier(operator);
                }
            }
            return document;
        }

        @Override
        boolean touches(String field) {
            if (!plain) {
                return changed.contains(field);
            }
            for (Object change : update.values()) {
                if (((Document) change).containsKey(field)) {
                    return true;
                }
            }
            return false;
        }

        @Override
        boolean needsMatchPosition() {
            return positional;
        }
    }

    private static final class Replacement extends Update {

        private final Document replacement;

        Replacement(Document replacement) {
            this.replacement = replacement;
            for (String field : replacement.keySet()) {
                if (field.startsWith("$")) {
                    throw new MongoServerError(52, "DollarPrefixedFieldName",
                        "The dollar ($) prefixed field '" + field + "' in '" + field + "' is not allowed in the context of an update's replacement document.");
                }
            }
        }

        @Override
        Document apply(Document document, String idField, Integer matchPosition, boolean upsert) {
            return keepId(document, replacement, idField);
        }

        @Override
        boolean mayTouchMany() {
            return false;
        }
    }

    private static final class Pipeline extends Update {

        private final Stages stages;

        Pipeline(List<?> pipeline) {
            List<Document> parsed = Aggregation.parse(pipeline);
            for (Document stage : parsed) {
                String name = Stages.nameOf(stage);
                if (!PIPELINE_STAGES.contains(name)) {
                    throw new MongoServerError(72, "InvalidOptions", name + " is not allowed to be used within an update");
                }
            }
            stages = new Stages(parsed, null, null, null);
        }

        @Override
        Document apply(Document document, String idField, Integer matchPosition, boolean upsert) {
            return keepId(document, stages.run(Stream.of(document)).get(0), idField);
        }
    }

    /** The new document with the id of the old one in front. */
    private static Document keepId(Document old, Document replacement, String idField) {
        if (idField == null || !old.containsKey(idField)) {
            return replacement;
        }
        Object id = old.get(idField);
        if (replacement.containsKey(idField) && !Doors.sameValue(id, replacement.get(idField))) {
            throw new ImmutableFieldException("After applying the update, the (immutable) field '" + idField + "' was found to have been altered to "
                + idField + ": " + replacement.get(idField));
        }
        Document complete = new Document(idField, id);
        replacement.forEach(complete::putIfAbsent);
        return complete;
    }
}
