package corridor.standin.query;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BinaryOperator;

import corridor.standin.index.KeyOrder;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;

/**
 * What a query demands of one field, as far as an index can use it: to be one of some values, or to lie between two.
 * It may demand less than the query does (what an index finds is matched against the whole query), never more.
 */
final class Condition {

    /** The value is one of these, or null when nothing is known. */
    List<Object> oneOf;
    Object lower;
    Object upper;

    boolean isUsable() {
        return oneOf != null || lower != null || upper != null;
    }

    /** Whether a document without a value in the field can't match. */
    boolean excludesMissing() {
        if (oneOf != null) {
            return oneOf.stream().noneMatch(Objects::isNull);
        }
        return lower != null || upper != null;
    }

    /** The conditions of a query by field, of its top level, its {@code $and} and its {@code $or}. */
    static Map<String, Condition> of(Document query) {
        Map<String, Condition> conditions = new HashMap<>();
        addAll(query, conditions);
        return conditions;
    }

    private static void addAll(Document query, Map<String, Condition> conditions) {
        for (Map.Entry<String, Object> entry : query.entrySet()) {
            String field = entry.getKey();
            if (field.equals("$and") && entry.getValue() instanceof Collection<?> parts) {
                for (Object part : parts) {
                    if (part instanceof Document document) {
                        addAll(document, conditions);
                    }
                }
            } else if (field.equals("$or") && entry.getValue() instanceof Collection<?> branches) {
                addHull(branches, conditions);
            } else if (!field.startsWith("$")) {
                Condition condition = ofValue(entry.getValue());
                if (condition.isUsable()) {
                    conditions.merge(field, condition, Condition::narrowed);
                }
            }
        }
    }

    private Condition narrowed(Condition other) {
        if (oneOf == null) {
            oneOf = other.oneOf;
        }
        if (lower == null) {
            lower = other.lower;
        }
        if (upper == null) {
            upper = other.upper;
        }
        return this;
    }

    private static Condition ofValue(Object value) {
        Condition condition = new Condition();
        if (!(value instanceof Document operators) || operators.isEmpty() || !operators.keySet().iterator().next().startsWith("$")) {
            if (isComparable(value)) {
                condition.oneOf = singleton(value);
            }
            return condition;
        }
        if (BsonRegularExpression.isRegularExpression(value)) {
            return condition;
        }
        for (Map.Entry<String, Object> operator : operators.entrySet()) {
            Object operand = operator.getValue();
            switch (operator.getKey()) {
                case "$eq" -> {
                    if (isComparable(operand)) {
                        condition.oneOf = singleton(operand);
                    }
                }
                case "$in" -> {
                    if (operand instanceof Collection<?> values && values.stream().allMatch(Condition::isComparable) && condition.oneOf == null) {
                        condition.oneOf = new ArrayList<>(values);
                    }
                }
                case "$gt", "$gte" -> condition.lower = isBound(operand) ? operand : condition.lower;
                case "$lt", "$lte" -> condition.upper = isBound(operand) ? operand : condition.upper;
                default -> {
                    // the whole query is matched later
                }
            }
        }
        return condition;
    }

    private static List<Object> singleton(Object value) {
        List<Object> values = new ArrayList<>(1);
        values.add(value);
        return values;
    }

    private static boolean isComparable(Object value) {
        return !(value instanceof Collection) && !(value instanceof BsonRegularExpression) && !BsonRegularExpression.isRegularExpression(value);
    }

    private static boolean isBound(Object value) {
        return value != null && isComparable(value) && !(value instanceof MinKey) && !(value instanceof MaxKey);
    }

    /** What all branches of an {@code $or} have in common, so that paging by key can start in the middle of an index. */
    private static void addHull(Collection<?> branches, Map<String, Condition> conditions) {
        Map<String, Condition> hull = null;
        for (Object branch : branches) {
            if (!(branch instanceof Document document)) {
                return;
            }
            Map<String, Condition> conditionsOfBranch = of(document);
            if (hull == null) {
                hull = conditionsOfBranch;
                continue;
            }
            hull.keySet().retainAll(conditionsOfBranch.keySet());
            hull.replaceAll((field, condition) -> condition.widened(conditionsOfBranch.get(field)));
            hull.values().removeIf(condition -> !condition.isUsable());
        }
        if (hull != null) {
            hull.forEach((field, condition) -> conditions.merge(field, condition, Condition::narrowed));
        }
    }

    private Condition widened(Condition other) {
        Condition wide = new Condition();
        if (oneOf != null && other.oneOf != null) {
            wide.oneOf = new ArrayList<>(oneOf);
            wide.oneOf.addAll(other.oneOf);
            return wide;
        }
        wide.lower = KeyOrder.lesser(lowest(), other.lowest());
        wide.upper = KeyOrder.greater(highest(), other.highest());
        return wide;
    }

    /** The least value that can match, or null when there is no such bound. */
    private Object lowest() {
        return oneOf == null ? lower : extreme(KeyOrder::lesser);
    }

    private Object highest() {
        return oneOf == null ? upper : extreme(KeyOrder::greater);
    }

    private Object extreme(BinaryOperator<Object> choose) {
        Object extreme = oneOf.isEmpty() ? null : oneOf.get(0);
        for (Object value : oneOf) {
            extreme = choose.apply(extreme, value);
        }
        return extreme;
    }
}
