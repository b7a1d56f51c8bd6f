package corridor.standin.bson;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.BsonJavaScript;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Decimal128;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.LegacyUUID;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;
import de.bwaldvogel.mongo.bson.ObjectId;
import de.bwaldvogel.mongo.wire.BsonConstants;

/** Reads documents from BSON. Field names repeat a lot, so they are remembered instead of being made anew each time. */
final class BsonReader {

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int REMEMBERED_NAMES = 1024;
    private static final int LONGEST_REMEMBERED = 48;

    private final byte[][] nameBytes = new byte[REMEMBERED_NAMES][];
    private final String[] names = new String[REMEMBERED_NAMES];
    private byte[] in;
    private int position;

    /** Reads the document at {@code start}. Throws {@link IllegalArgumentException} or {@link IndexOutOfBoundsException} on broken bytes. */
    Document read(byte[] bytes, int start) {
        in = bytes;
        position = start;
        Document document = readDocument();
        in = null;
        return document;
    }

    private Document readDocument() {
        int end = position + intIn() - 1;
        Document document = new Document();
        byte type = in[position++];
        while (type != BsonConstants.TERMINATING_BYTE) {
            String name = name();
            document.put(name, value(type));
            type = in[position++];
        }
        if (position - 1 != end) {
            throw new IllegalArgumentException("a BSON document ends at byte " + (position - 1) + " instead of " + end);
        }
        return document;
    }

    private List<Object> readArray() {
        int end = position + intIn() - 1;
        List<Object> array = new ArrayList<>();
        byte type = in[position++];
        while (type != BsonConstants.TERMINATING_BYTE) {
            position = endOfName(position) + 1;
            array.add(value(type));
            type = in[position++];
        }
        if (position - 1 != end) {
            throw new IllegalArgumentException("a BSON array ends at byte " + (position - 1) + " instead of " + end);
        }
        return array;
    }

    private int endOfName(int from) {
        int end = from;
        while (in[end] != BsonConstants.STRING_TERMINATION) {
            end++;
        }
        return end;
    }

    private String name() {
        int start = position;
        int hash = 0;
        int end = start;
        for (byte b = in[end]; b != BsonConstants.STRING_TERMINATION; b = in[++end]) {
            hash = 31 * hash + b;
        }
        position = end + 1;
        if (end - start > LONGEST_REMEMBERED) {
            return new String(in, start, end - start, StandardCharsets.UTF_8);
        }
        int slot = (hash ^ hash >>> 16) & REMEMBERED_NAMES - 1;
        byte[] known = nameBytes[slot];
        if (known == null || !Arrays.equals(known, 0, known.length, in, start, end)) {
            nameBytes[slot] = Arrays.copyOfRange(in, start, end);
            names[slot] = new String(in, start, end - start, StandardCharsets.UTF_8);
        }
        return names[slot];
    }

    private Object value(byte type) {
        return switch (type) {
            case BsonConstants.TYPE_UTF8_STRING -> string();
            case BsonConstants.TYPE_INT32 -> intIn();
            case BsonConstants.TYPE_INT64 -> longIn();
            case BsonConstants.TYPE_DOUBLE -> Double.longBitsToDouble(longIn());
            case BsonConstants.TYPE_EMBEDDED_DOCUMENT -> readDocument();
            case BsonConstants.TYPE_ARRAY -> readArray();
            case BsonConstants.TYPE_UTC_DATETIME -> Instant.ofEpochMilli(longIn());
            case BsonConstants.TYPE_BOOLEAN -> in[position++] != BsonConstants.BOOLEAN_VALUE_FALSE;
            case BsonConstants.TYPE_NULL, BsonConstants.TYPE_UNDEFINED -> null;
            case BsonConstants.TYPE_OBJECT_ID -> new ObjectId(bytes(BsonConstants.LENGTH_OBJECTID));
            case BsonConstants.TYPE_DATA -> binary();
            case BsonConstants.TYPE_DECIMAL128 -> new Decimal128(longIn(), longIn());
            case BsonConstants.TYPE_TIMESTAMP -> new BsonTimestamp(longIn());
            case BsonConstants.TYPE_REGEX -> new BsonRegularExpression(cstring(), cstring());
            case BsonConstants.TYPE_JAVASCRIPT_CODE -> new BsonJavaScript(string());
            case BsonConstants.TYPE_MIN_KEY -> MinKey.getInstance();
            case BsonConstants.TYPE_MAX_KEY -> MaxKey.getInstance();
            default -> throw new IllegalArgumentException("BSON type 0x" + Integer.toHexString(type & 0xFF) + " is not known");
        };
    }

    private Object binary() {
        int length = intIn();
        byte subtype = in[position++];
        if (subtype == BsonConstants.BINARY_SUBTYPE_UUID && length == BsonConstants.LENGTH_UUID) {
            return new UUID(Long.reverseBytes(longIn()), Long.reverseBytes(longIn()));
        }
        if (subtype == BsonConstants.BINARY_SUBTYPE_OLD_UUID && length == BsonConstants.LENGTH_UUID) {
            return new LegacyUUID(longIn(), longIn());
        }
        if (subtype != BsonConstants.BINARY_SUBTYPE_GENERIC && subtype != BsonConstants.BINARY_SUBTYPE_USER_DEFINED) {
            throw new IllegalArgumentException("binary subtype " + subtype + " is not known to the stand-in");
        }
        return new BinData(bytes(length));
    }

    private String string() {
        int length = intIn();
        String text = new String(in, position, length - 1, StandardCharsets.UTF_8);
        position += length;
        return text;
    }

    private String cstring() {
        int end = endOfName(position);
        String text = new String(in, position, end - position, StandardCharsets.UTF_8);
        position = end + 1;
        return text;
    }

    private byte[] bytes(int length) {
        byte[] bytes = Arrays.copyOfRange(in, position, position + length);
        position += length;
        return bytes;
    }

    private int intIn() {
        int value = (int) INT.get(in, position);
        position += Integer.BYTES;
        return value;
    }

    private long longIn() {
        long value = (long) LONG.get(in, position);
        position += Long.BYTES;
        return value;
    }
}
