package corridor.standin.index;

import java.util.Arrays;
import java.util.Collection;
import java.util.Map;

import de.bwaldvogel.mongo.bson.Document;

/** Comparing values and documents by their encoding. */
public final class KeyOrder {

    private KeyOrder() {
    }

    /** The lesser of two values of one type, or null when one is null or their types differ. */
    public static Object lesser(Object a, Object b) {
        return sameType(a, b) ? (compare(a, b) <= 0 ? a : b) : null;
    }

    /** The greater of two values of one type, or null when one is null or their types differ. */
    public static Object greater(Object a, Object b) {
        return sameType(a, b) ? (compare(a, b) >= 0 ? a : b) : null;
    }

    private static boolean sameType(Object a, Object b) {
        return a != null && b != null && KeyCodec.typeOf(a) == KeyCodec.typeOf(b);
    }

    private static int compare(Object a, Object b) {
        return Arrays.compareUnsigned(encoded(a), encoded(b));
    }

    private static byte[] encoded(Object value) {
        KeyBuffer buffer = new KeyBuffer();
        KeyCodec.encode(value, buffer);
        return buffer.toByteArray();
    }

    /** Bytes whose order is that of a sort specification. Of an array the least or the greatest element counts. */
    public static byte[] sortKey(Document document, Document sort) {
        KeyBuffer key = new KeyBuffer();
        for (Map.Entry<String, Object> field : sort.entrySet()) {
            boolean ascending = ((Number) field.getValue()).intValue() > 0;
            Collection<Object> values = FieldValues.of(document, field.getKey().split("\\.")).values;
            byte[] chosen = null;
            for (Object value : values) {
                byte[] candidate = encoded(value);
                if (chosen == null || (Arrays.compareUnsigned(candidate, chosen) < 0) == ascending) {
                    chosen = candidate;
                }
            }
            int start = key.size();
            key.writeBytes(chosen);
            if (!ascending) {
                key.invertFrom(start);
            }
        }
        return key.toByteArray();
    }
}
