package corridor.standin.index;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.UUID;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.BsonJavaScript;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Decimal128;
import de.bwaldvogel.mongo.bson.LegacyUUID;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;
import de.bwaldvogel.mongo.bson.ObjectId;

/**
 * Values as bytes whose unsigned order is MongoDB's order of the values: by type, then by value, numbers of all types together.
 * No encoding is the beginning of another, so several can stand one after the other, and inverting all bits inverts the order.
 * Equal values have equal bytes (int 1, long 1, double 1.0 and decimal 1), different values never have.
 */
public final class KeyCodec {

    /** What an empty array leaves in an index: less than null. */
    public static final Object EMPTY_ARRAY = new Object();

    static final int MIN_KEY = 0x04;
    static final int UNDEFINED = 0x08;
    static final int NULL = 0x0C;
    static final int NUMBER = 0x10;
    static final int STRING = 0x14;
    static final int OBJECT = 0x18;
    static final int ARRAY = 0x1C;
    static final int BINARY = 0x20;
    static final int OBJECT_ID = 0x24;
    static final int BOOLEAN = 0x28;
    static final int DATE = 0x2C;
    static final int TIMESTAMP = 0x30;
    static final int REGEX = 0x34;
    static final int CODE = 0x38;
    static final int MAX_KEY = 0x7C;

    private static final int END = 0x00;
    private static final int MORE = 0x01;
    private static final int ESCAPED_ZERO = 0xFF;
    private static final int BELOW = 0x40;
    private static final int EXACT = 0x80;
    private static final int ABOVE = 0xC0;
    private static final int UUID_SUBTYPE = 4;
    private static final int LEGACY_UUID_SUBTYPE = 3;
    private static final long EXACT_IN_DOUBLE = 1L << 53;

    private KeyCodec() {
    }

    /** The first byte of the encoding of a value: its place in the order of types. */
    static int typeOf(Object value) {
        if (value == EMPTY_ARRAY) {
            return UNDEFINED;
        } else if (Missing.isNullOrMissing(value)) {
            return NULL;
        } else if (value instanceof String) {
            return STRING;
        } else if (value instanceof Number) {
            return NUMBER;
        } else if (value instanceof Map) {
            return OBJECT;
        } else if (value instanceof Collection) {
            return ARRAY;
        } else if (value instanceof Instant) {
            return DATE;
        } else if (value instanceof ObjectId) {
            return OBJECT_ID;
        } else if (value instanceof Boolean) {
            return BOOLEAN;
        } else if (value instanceof BinData || value instanceof UUID || value instanceof LegacyUUID) {
            return BINARY;
        } else if (value instanceof BsonTimestamp) {
            return TIMESTAMP;
        } else if (value instanceof BsonRegularExpression) {
            return REGEX;
        } else if (value instanceof BsonJavaScript) {
            return CODE;
        } else if (value instanceof MinKey) {
            return MIN_KEY;
        } else if (value instanceof MaxKey) {
            return MAX_KEY;
        }
        throw new IllegalArgumentException("a value of type " + value.getClass() + " can't be indexed");
    }

    static void encode(Object value, KeyBuffer out) {
        int type = typeOf(value);
        out.write(type);
        switch (type) {
            case STRING -> writeText((String) value, out);
            case NUMBER -> writeNumber((Number) value, out);
            case OBJECT -> writeObject((Map<?, ?>) value, out);
            case ARRAY -> writeArray((Collection<?>) value, out);
            case DATE -> writeLong(((Instant) value).toEpochMilli(), out);
            case OBJECT_ID -> out.writeBytes(((ObjectId) value).toByteArray());
            case BOOLEAN -> out.write((Boolean) value ? 1 : 0);
            case BINARY -> writeBinary(value, out);
            case TIMESTAMP -> writeLong(((BsonTimestamp) value).getValue(), out);
            case REGEX -> {
                writeText(((BsonRegularExpression) value).getPattern(), out);
                String options = ((BsonRegularExpression) value).getOptions();
                writeText(options == null ? "" : options, out);
            }
            case CODE -> writeText(((BsonJavaScript) value).getCode(), out);
            default -> {
                // null, MinKey and the like: the type says it all
            }
        }
    }

    private static void writeText(String text, KeyBuffer out) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            out.write(b);
            if (b == 0) {
                out.write(ESCAPED_ZERO);
            }
        }
        out.write(END);
        out.write(END);
    }

    private static void writeObject(Map<?, ?> object, KeyBuffer out) {
        for (Map.Entry<?, ?> field : object.entrySet()) {
            // MongoDB compares the fields in turn: type, then name, then value
            out.write(typeOf(field.getValue()));
            writeText((String) field.getKey(), out);
            encode(field.getValue(), out);
        }
        out.write(END);
    }

    private static void writeArray(Collection<?> array, KeyBuffer out) {
        for (Object element : array) {
            out.write(MORE);
            encode(element, out);
        }
        out.write(END);
    }

    private static void writeBinary(Object value, KeyBuffer out) {
        if (value instanceof BinData binary) {
            writeInt(binary.getData().length, out);
            out.write(0);
            out.writeBytes(binary.getData());
            return;
        }
        UUID uuid = value instanceof LegacyUUID legacy ? legacy.getUuid() : (UUID) value;
        writeInt(2 * Long.BYTES, out);
        out.write(value instanceof LegacyUUID ? LEGACY_UUID_SUBTYPE : UUID_SUBTYPE);
        writeLongBits(uuid.getMostSignificantBits(), out);
        writeLongBits(uuid.getLeastSignificantBits(), out);
    }

    /** A number is its nearest double, then the nearest double of what is left over, and so on until nothing is. */
    private static void writeNumber(Number number, KeyBuffer out) {
        if (number instanceof Double d) {
            writeDouble(d, out);
            out.write(EXACT);
        } else if (number instanceof Integer i) {
            writeDouble(i, out);
            out.write(EXACT);
        } else if (number instanceof Long l && Math.abs(l) <= EXACT_IN_DOUBLE && l != Long.MIN_VALUE) {
            writeDouble(l, out);
            out.write(EXACT);
        } else if (number instanceof Decimal128 decimal && isSpecial(decimal)) {
            writeDouble(specialValue(decimal), out);
            out.write(EXACT);
        } else {
            writeExact(number instanceof Decimal128 decimal ? bigDecimal(decimal) : new BigDecimal(number.toString()), out);
        }
    }

    private static boolean isSpecial(Decimal128 decimal) {
        return decimal.equals(Decimal128.NaN) || decimal.equals(Decimal128.POSITIVE_INFINITY) || decimal.equals(Decimal128.NEGATIVE_INFINITY);
    }

    private static double specialValue(Decimal128 decimal) {
        if (decimal.equals(Decimal128.NaN)) {
            return Double.NaN;
        }
        return decimal.equals(Decimal128.POSITIVE_INFINITY) ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
    }

    private static BigDecimal bigDecimal(Decimal128 decimal) {
        return decimal.equals(Decimal128.NEGATIVE_ZERO) ? BigDecimal.ZERO : decimal.toBigDecimal();
    }

    private static void writeExact(BigDecimal number, KeyBuffer out) {
        double nearest = clamp(number.doubleValue());
        writeDouble(nearest, out);
        BigDecimal rest = number.subtract(new BigDecimal(nearest));
        // 34 decimal digits fit into four doubles. Decimals beyond the range of a double are told apart by their sign only.
        for (int i = 0; i < 3 && rest.signum() != 0; i++) {
            nearest = clamp(rest.doubleValue());
            out.write(rest.signum() < 0 ? BELOW : ABOVE);
            writeDouble(nearest, out);
            rest = rest.subtract(new BigDecimal(nearest));
        }
        out.write(EXACT);
    }

    /** A decimal may be larger than any double; infinity has no rest to go on with. */
    private static double clamp(double value) {
        return Math.max(-Double.MAX_VALUE, Math.min(Double.MAX_VALUE, value));
    }

    private static void writeDouble(double value, KeyBuffer out) {
        if (Double.isNaN(value)) {
            writeLongBits(0, out);
            return;
        }
        long bits = Double.doubleToLongBits(value == 0.0 ? 0.0 : value);
        writeLongBits(bits < 0 ? ~bits : bits ^ Long.MIN_VALUE, out);
    }

    private static void writeLong(long value, KeyBuffer out) {
        writeLongBits(value ^ Long.MIN_VALUE, out);
    }

    static void writeLongBits(long bits, KeyBuffer out) {
        writeInt((int) (bits >>> 32), out);
        writeInt((int) bits, out);
    }

    private static void writeInt(int bits, KeyBuffer out) {
        out.write(bits >>> 24);
        out.write(bits >>> 16);
        out.write(bits >>> 8);
        out.write(bits);
    }
}
