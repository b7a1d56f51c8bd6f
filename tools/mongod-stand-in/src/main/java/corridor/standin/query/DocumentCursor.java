package corridor.standin.query;

import corridor.standin.storage.RecordTable;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;

/** The documents that match a query, fetched one by one as they are asked for. */
public final class DocumentCursor {

    private static final int RECORDS_PER_BREATH = 256;

    private final RecordTable records;
    private final RecordScan scan;
    private final Document query;
    private final QueryMatcher matcher;
    private final boolean covered;
    private final Runnable breathe;
    private long toSkip;
    private int sinceBreath;
    private long remaining;

    /**
     * @param covered whether all that the scan finds matches, so that it need not be looked at
     * @param limit 0 for no limit
     * @param breathe called between records now and then; others may write meanwhile
     */
    DocumentCursor(RecordTable records, RecordScan scan, Document query, QueryMatcher matcher, boolean covered, long skip, long limit, Runnable breathe) {
        this.records = records;
        this.scan = scan;
        this.query = query;
        this.matcher = matcher;
        this.covered = covered;
        this.breathe = breathe;
        this.toSkip = skip;
        this.remaining = limit > 0 ? limit : Long.MAX_VALUE;
    }

    /** The next match, or null when there are no more. */
    public Hit next() {
        while (remaining > 0) {
            if (++sinceBreath == RECORDS_PER_BREATH) {
                sinceBreath = 0;
                scan.pause();
                breathe.run();
            }
            if (records.isRemoved()) {
                throw new MongoServerError(175, "QueryPlanKilled", "the collection was dropped or the database is closing");
            }
            long record = scan.next();
            if (record == RecordScan.END) {
                remaining = 0;
                return null;
            }
            byte[] bytes = records.get(record);
            if (bytes == null) {
                continue; // removed since the scan began
            }
            Hit hit = new Hit(record, bytes);
            if (!covered && !matcher.matches(hit.document(), query)) {
                continue;
            }
            if (toSkip > 0) {
                toSkip--;
                continue;
            }
            remaining--;
            return hit;
        }
        return null;
    }

    /** To be called when the lock is given back before all has been read. */
    public void pause() {
        scan.pause();
    }
}
