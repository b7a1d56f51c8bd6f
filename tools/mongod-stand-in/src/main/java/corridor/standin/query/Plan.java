package corridor.standin.query;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import corridor.standin.index.KeyIndex;
import corridor.standin.index.KeyOrder;
import corridor.standin.index.KeyRange;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.bson.Document;

/**
 * How to find the documents of a query: through which part of which index, and whether they come in the wanted order.
 *
 * @param index null for a scan of all documents
 */
public record Plan(KeyIndex index, List<KeyRange> ranges, boolean sorted, boolean reverse) {

    private static final int ALL_FIELDS_EQUAL = 1_000;
    private static final int EQUAL_FIELD = 8;
    private static final int RANGE = 4;
    private static final int ORDER = 3;

    /** Chooses the index that narrows most. {@code sort} may be null or empty. */
    public static Plan of(Document query, Document sort, List<Index<Long>> indexes) {
        Map<String, Condition> conditions = Condition.of(query);
        Plan best = null;
        int bestScore = 0;
        for (Index<Long> candidate : indexes) {
            if (!(candidate instanceof KeyIndex index) || !holdsAllMatches(index, query, conditions)) {
                continue;
            }
            Use use = Use.of(index, conditions, sort);
            if (use.score > bestScore) {
                bestScore = use.score;
                best = use.plan(index);
                if (use.score >= ALL_FIELDS_EQUAL) {
                    break;
                }
            }
        }
        return best != null ? best : new Plan(null, List.of(), false, false);
    }

    /** Whether everything that the plan finds matches the query: it asks for nothing but an id, or one of some ids. */
    boolean covers(Document query) {
        if (index == null || query.size() != 1 || !index.isUnique() || index.fieldCount() != 1 || !query.containsKey("_id") || !index.field(0).equals("_id")) {
            return false;
        }
        Object id = query.get("_id");
        return id instanceof String || id instanceof de.bwaldvogel.mongo.bson.ObjectId || id instanceof Number || id instanceof java.util.UUID
            || id instanceof Document in && in.size() == 1 && in.get("$in") instanceof List<?> ids && ids.stream().allMatch(String.class::isInstance)
            && KeyRange.isReasonable(ids.size());
    }

    /** Whether a sparse or partial index has every document that the query can match. */
    private static boolean holdsAllMatches(KeyIndex index, Document query, Map<String, Condition> conditions) {
        if (index.isSparse()) {
            boolean demanded = false;
            for (int i = 0; i < index.fieldCount(); i++) {
                Condition condition = conditions.get(index.field(i));
                demanded |= condition != null && condition.excludesMissing();
            }
            if (!demanded) {
                return false;
            }
        }
        return index.partialFilter() == null || implies(query, conditions, index.partialFilter());
    }

    private static boolean implies(Document query, Map<String, Condition> conditions, Document filter) {
        for (Map.Entry<String, Object> demand : filter.entrySet()) {
            String field = demand.getKey();
            if (query.containsKey(field) && Doors.sameValue(query.get(field), demand.getValue())) {
                continue;
            }
            Condition condition = conditions.get(field);
            if (condition == null || !impliesValue(condition, demand.getValue())) {
                return false;
            }
        }
        return true;
    }

    private static boolean impliesValue(Condition condition, Object demand) {
        boolean operators = demand instanceof Document document && !document.isEmpty() && document.keySet().iterator().next().startsWith("$");
        if (!operators) {
            return condition.oneOf != null && condition.oneOf.stream().allMatch(value -> Doors.sameValue(value, demand));
        }
        Document document = (Document) demand;
        if (document.size() != 1) {
            return false;
        }
        Object operand = document.values().iterator().next();
        return switch (document.keySet().iterator().next()) {
            case "$exists" -> Boolean.TRUE.equals(operand) && condition.excludesMissing();
            case "$eq" -> condition.oneOf != null && condition.oneOf.stream().allMatch(value -> Doors.sameValue(value, operand));
            case "$in" -> condition.oneOf != null && condition.oneOf.stream()
                .allMatch(value -> ((List<?>) operand).stream().anyMatch(allowed -> Doors.sameValue(value, allowed)));
            default -> false;
        };
    }

    /** What one index can do for the query. */
    private static final class Use {

        private final List<List<Object>> equal = new ArrayList<>();
        private Object lower;
        private Object upper;
        private boolean sorted;
        private boolean reverse;
        private int score;

        static Use of(KeyIndex index, Map<String, Condition> conditions, Document sort) {
            Use use = new Use();
            use.takeEqualities(index, conditions);
            use.takeRange(index, conditions);
            if (sort != null && !sort.isEmpty()) {
                use.takeOrder(index, sort);
            }
            return use;
        }

        private void takeEqualities(KeyIndex index, Map<String, Condition> conditions) {
            long combinations = 1;
            for (int i = 0; i < index.fieldCount(); i++) {
                Condition condition = conditions.get(index.field(i));
                if (condition == null || condition.oneOf == null) {
                    break;
                }
                combinations *= Math.max(1, condition.oneOf.size());
                if (!KeyRange.isReasonable(combinations)) {
                    break;
                }
                equal.add(condition.oneOf);
            }
            score = equal.size() * EQUAL_FIELD;
            if (index.isUnique() && equal.size() == index.fieldCount()) {
                score += ALL_FIELDS_EQUAL;
            }
        }

        private void takeRange(KeyIndex index, Map<String, Condition> conditions) {
            if (equal.size() == index.fieldCount()) {
                return;
            }
            Condition condition = conditions.get(index.field(equal.size()));
            if (condition == null) {
                return;
            }
            lower = condition.lower;
            upper = condition.upper;
            if (lower != null && upper != null && (index.multiple() || KeyOrder.lesser(lower, upper) == null)) {
                upper = null; // different elements of an array may satisfy the two bounds
            }
            if (lower != null || upper != null) {
                score += RANGE;
            }
        }

        private void takeOrder(KeyIndex index, Document sort) {
            if (index.multiple() || equal.stream().anyMatch(values -> values.size() != 1 || values.get(0) == null)) {
                return;
            }
            int field = equal.size();
            Boolean backwards = null;
            for (Map.Entry<String, Object> wanted : sort.entrySet()) {
                if (isFixed(index, wanted.getKey())) {
                    continue; // all matches have the same value there
                }
                if (field == index.fieldCount() || !index.field(field).equals(wanted.getKey())) {
                    return;
                }
                boolean opposite = index.ascending(field) != ((Number) wanted.getValue()).intValue() > 0;
                if (!Objects.requireNonNullElse(backwards, opposite).equals(opposite)) {
                    return;
                }
                backwards = opposite;
                field++;
            }
            sorted = true;
            reverse = Boolean.TRUE.equals(backwards);
            score += ORDER;
        }

        private boolean isFixed(KeyIndex index, String field) {
            for (int i = 0; i < equal.size(); i++) {
                if (index.field(i).equals(field)) {
                    return true;
                }
            }
            return false;
        }

        Plan plan(KeyIndex index) {
            return new Plan(index, KeyRange.of(index, equal, lower, upper), sorted, reverse);
        }
    }
}
