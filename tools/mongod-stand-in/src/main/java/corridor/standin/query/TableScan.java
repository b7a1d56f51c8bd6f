package corridor.standin.query;

import org.h2.mvstore.Cursor;

import corridor.standin.storage.RecordTable;

/** All records of a collection, in the order in which they were inserted, or the other way round. */
final class TableScan implements RecordScan {

    /** A long scan starts afresh now and then, so that it does not hold on to pages that others have replaced. */
    private static final int STRIDE = 4096;

    private final RecordTable records;
    private final boolean reverse;
    private Cursor<Long, byte[]> cursor;
    private Long last;
    private int sinceStart;

    TableScan(RecordTable records, boolean reverse) {
        this.records = records;
        this.reverse = reverse;
    }

    @Override
    public long next() {
        if (cursor == null || sinceStart++ == STRIDE) {
            Long from = last == null ? null : Long.valueOf(reverse ? last - 1 : last + 1);
            cursor = records.cursor(from, null, reverse);
            sinceStart = 0;
        }
        if (!cursor.hasNext()) {
            return END;
        }
        last = cursor.next();
        return last;
    }

    @Override
    public void pause() {
        cursor = null;
    }
}
