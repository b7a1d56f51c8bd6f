package corridor.standin.query;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.h2.mvstore.Cursor;

import corridor.standin.index.KeyIndex;
import corridor.standin.index.KeyRange;
import corridor.standin.storage.KeyTable;

/** The records that some ranges of an index lead to, in the order of the index, or the other way round; each once. */
final class KeyScan implements RecordScan {

    private static final int STRIDE = 4096;

    private final KeyTable table;
    private final List<KeyRange> ranges;
    private final boolean reverse;
    private final Set<Long> seen;
    private Cursor<byte[], Long> cursor;
    private byte[] last;
    private int range;
    private int sinceStart;

    KeyScan(KeyIndex index, List<KeyRange> ranges, boolean reverse) {
        this.table = index.table();
        this.ranges = ranges;
        this.reverse = reverse;
        this.seen = index.multiple() ? new HashSet<>() : null;
    }

    @Override
    public long next() {
        while (range < ranges.size()) {
            KeyRange current = ranges.get(reverse ? ranges.size() - 1 - range : range);
            if (cursor == null || sinceStart++ == STRIDE) {
                open(current);
            }
            if (!cursor.hasNext()) {
                range++;
                cursor = null;
                last = null;
                continue;
            }
            last = cursor.next();
            long record = cursor.getValue();
            if (seen == null || seen.add(record)) {
                return record;
            }
        }
        return END;
    }

    private void open(KeyRange current) {
        sinceStart = 0;
        cursor = reverse
            ? table.cursor(last == null ? current.high() : last, current.low(), true)
            : table.cursor(last == null ? current.low() : last, current.high(), false);
        if (last == null || !cursor.hasNext()) {
            return;
        }
        // The cursor starts at the last key, if that is still there: step over it.
        Cursor<byte[], Long> ahead = cursor;
        byte[] first = ahead.next();
        if (!Arrays.equals(first, last)) {
            cursor = reverse ? table.cursor(first, current.low(), true) : table.cursor(first, current.high(), false);
        }
    }

    @Override
    public void pause() {
        cursor = null;
    }
}
