package corridor.standin.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A part of an index: all entries from {@code low} to {@code high}. */
public record KeyRange(byte[] low, byte[] high) {

    /** Greater than the first byte of anything that can follow in a key. */
    private static final int AFTER_ALL = 0xFF;
    /** Less than the first byte of any key, but greater than the index's own marks. */
    private static final int BEFORE_ALL = 0x01;
    private static final int MAX_PREFIXES = 10_000;

    /**
     * The ranges that hold every match, in the order of the index.
     *
     * @param equal for each of the first fields the values it may have
     * @param lower least value of the field after those, or null
     * @param upper greatest value of the field after those, or null
     */
    public static List<KeyRange> of(KeyIndex index, List<List<Object>> equal, Object lower, Object upper) {
        List<byte[]> prefixes = new ArrayList<>();
        prefixes.add(new byte[0]);
        for (int i = 0; i < equal.size(); i++) {
            List<byte[]> longer = new ArrayList<>();
            for (byte[] prefix : prefixes) {
                for (Object value : equal.get(i)) {
                    longer.add(extended(prefix, index, i, value));
                    if (value == null) {
                        longer.add(extended(prefix, index, i, KeyCodec.EMPTY_ARRAY));
                    }
                }
            }
            prefixes = longer;
        }
        prefixes.sort(Arrays::compareUnsigned);
        List<KeyRange> ranges = new ArrayList<>(prefixes.size());
        byte[] last = null;
        for (byte[] prefix : prefixes) {
            if (last == null || !Arrays.equals(prefix, last)) {
                ranges.add(range(index, equal.size(), prefix, lower, upper));
            }
            last = prefix;
        }
        return ranges;
    }

    /** Whether so many combinations of values are still better than a scan. */
    public static boolean isReasonable(long prefixes) {
        return prefixes <= MAX_PREFIXES;
    }

    private static byte[] extended(byte[] prefix, KeyIndex index, int field, Object value) {
        KeyBuffer key = new KeyBuffer();
        key.writeBytes(prefix);
        KeyCodec.encode(value, key);
        if (!index.ascending(field)) {
            key.invertFrom(prefix.length);
        }
        return key.toByteArray();
    }

    private static KeyRange range(KeyIndex index, int field, byte[] prefix, Object lower, Object upper) {
        if (lower == null && upper == null) {
            return new KeyRange(prefix.length == 0 ? new byte[]{BEFORE_ALL} : prefix, appended(prefix, AFTER_ALL));
        }
        int type = KeyCodec.typeOf(lower != null ? lower : upper);
        if (index.ascending(field)) {
            return new KeyRange(
                lower == null ? appended(prefix, type) : extended(prefix, index, field, lower),
                upper == null ? appended(prefix, type + 1) : appended(extended(prefix, index, field, upper), AFTER_ALL));
        }
        return new KeyRange(
            upper == null ? appended(prefix, ~type) : extended(prefix, index, field, upper),
            lower == null ? appended(prefix, ~type + 1) : appended(extended(prefix, index, field, lower), AFTER_ALL));
    }

    private static byte[] appended(byte[] prefix, int b) {
        byte[] longer = Arrays.copyOf(prefix, prefix.length + 1);
        longer[prefix.length] = (byte) b;
        return longer;
    }
}
