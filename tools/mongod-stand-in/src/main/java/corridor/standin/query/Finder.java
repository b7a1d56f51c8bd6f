package corridor.standin.query;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

import corridor.standin.index.KeyOrder;
import corridor.standin.storage.RecordTable;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.bson.Document;

/** Finds documents: plans, scans, matches and, when no index gives the order, sorts. */
public final class Finder {

    private static final String NATURAL = "$natural";
    /** Up to here a sort with a limit keeps only the best instead of all. */
    private static final long LARGEST_TOP = 10_000;

    private final RecordTable records;
    private final List<Index<Long>> indexes;
    private final Runnable breathe;
    private final QueryMatcher matcher = new DefaultQueryMatcher();

    public Finder(RecordTable records, List<Index<Long>> indexes, Runnable breathe) {
        this.records = records;
        this.breathe = breathe;
        this.indexes = indexes;
    }

    /**
     * The documents that match.
     *
     * @param sort null or empty for any order
     * @param limit 0 for no limit
     */
    public DocumentCursor find(Document asked, Document sort, long skip, long limit) {
        Document query = explicit(asked);
        boolean natural = sort != null && sort.containsKey(NATURAL);
        Document order = sort == null || natural ? new Document() : sort;
        Plan plan = Plan.of(query, order, indexes);
        if (natural && plan.index() == null) {
            boolean backwards = ((Number) sort.get(NATURAL)).intValue() < 0;
            return new DocumentCursor(records, new TableScan(records, backwards), query, matcher, query.isEmpty(), skip, limit, breathe);
        }
        RecordScan scan = plan.index() == null ? new TableScan(records, false) : new KeyScan(plan.index(), plan.ranges(), plan.reverse());
        boolean covered = query.isEmpty() || plan.covers(query);
        if (order.isEmpty() || plan.sorted()) {
            return new DocumentCursor(records, scan, query, matcher, covered, skip, limit, breathe);
        }
        DocumentCursor all = new DocumentCursor(records, scan, query, matcher, covered, 0, 0, breathe);
        RecordScan inOrder = RecordScan.of(sorted(all, order, limit == 0 ? 0 : skip + limit));
        // What was found now is looked at again when it is fetched, since it may have changed by then.
        return new DocumentCursor(records, inOrder, query, matcher, query.isEmpty(), skip, limit, breathe);
    }

    /** The library takes an empty document in a condition for no condition, MongoDB for the value that it is. */
    private static Document explicit(Document query) {
        Document explicit = query;
        for (Map.Entry<String, Object> condition : query.entrySet()) {
            Object value = condition.getValue();
            Object replacement = value;
            if (value instanceof Document document && document.isEmpty()) {
                replacement = new Document("$eq", value);
            } else if (condition.getKey().startsWith("$") && value instanceof List<?> parts) {
                replacement = parts.stream().map(part -> part instanceof Document document ? explicit(document) : part).toList();
            }
            if (replacement != value) {
                explicit = explicit == query ? query.clone() : explicit;
                explicit.put(condition.getKey(), replacement);
            }
        }
        return explicit;
    }

    private static long[] sorted(DocumentCursor matches, Document order, long top) {
        Comparator<Ranked> byRank = (a, b) -> {
            int byKey = Arrays.compareUnsigned(a.key, b.key);
            return byKey != 0 ? byKey : Long.compare(a.record, b.record);
        };
        if (top > 0 && top <= LARGEST_TOP) {
            PriorityQueue<Ranked> best = new PriorityQueue<>(byRank.reversed());
            for (Hit hit = matches.next(); hit != null; hit = matches.next()) {
                best.add(new Ranked(KeyOrder.sortKey(hit.document(), order), hit.record()));
                if (best.size() > top) {
                    best.poll();
                }
            }
            return best.stream().sorted(byRank).mapToLong(Ranked::record).toArray();
        }
        List<Ranked> all = new ArrayList<>();
        for (Hit hit = matches.next(); hit != null; hit = matches.next()) {
            all.add(new Ranked(KeyOrder.sortKey(hit.document(), order), hit.record()));
        }
        all.sort(byRank);
        return all.stream().mapToLong(Ranked::record).toArray();
    }

    private record Ranked(byte[] key, long record) {
    }
}
