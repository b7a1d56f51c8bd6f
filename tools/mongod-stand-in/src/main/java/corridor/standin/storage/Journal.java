package corridor.standin.storage;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * A redo log: what makes an acknowledged write survive the death of the process, until a checkpoint has put it into the store's file.
 *
 * <p>The changes of one command are one frame ({@code length, crc32c, changes}), so that a command is redone completely or not at all.
 * A write is handed to the operating system but not forced to the disk: it survives {@code kill -9}, not the loss of power.
 * Many commands that end at the same time share one write. A checkpoint starts a new segment, saves the store and then
 * deletes the older segments. Changes are absolute (put this value, remove this key), so redoing one that the store
 * already holds does no harm.
 */
public final class Journal {

    private static final byte[] MAGIC = "STANDIN2".getBytes(StandardCharsets.US_ASCII);
    private static final Pattern SEGMENT = Pattern.compile("journal-(\\d+)\\.log");
    private static final int FRAME_HEADER = 8;
    private static final int READ_BUFFER = 1 << 16;
    private static final int LARGEST_KEPT_BUFFER = 4 << 20;
    private static final byte DEFINE = 1;
    private static final byte PUT = 2;
    private static final byte REMOVE = 3;
    private static final byte CLEAR = 4;

    private final Path directory;
    private final Map<Table<?, ?>, Integer> tableNumbers = new IdentityHashMap<>();
    private final CRC32C crc = new CRC32C();
    private final Object queueLock = new Object();
    private final Object fileLock = new Object();

    private ByteBuf frame = Unpooled.buffer(1 << 16);
    private boolean suspended;
    private ByteBuf queue = Unpooled.directBuffer(1 << 16);
    private ByteBuf spare = Unpooled.directBuffer(1 << 16);
    private long queued;
    private volatile long written;
    private FileChannel file;
    private long segment;
    private volatile long segmentBytes;

    private Journal(Path directory) {
        this.directory = directory;
        this.suspended = directory == null;
    }

    /** A journal that keeps nothing, for a store in memory. */
    static Journal none() {
        return new Journal(null);
    }

    static Journal in(Path directory) {
        return new Journal(directory);
    }

    /**
     * Applies what the segments hold to the tables.
     *
     * @param afterFrame called after each frame; the store may be saved then
     */
    void replay(Function<String, Table<?, ?>> tables, Runnable afterFrame) throws IOException {
        TreeMap<Long, Path> segments = segments();
        for (Map.Entry<Long, Path> entry : segments.entrySet()) {
            boolean last = entry.getKey().equals(segments.lastKey());
            try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(entry.getValue()), READ_BUFFER))) {
                replaySegment(in, entry.getValue(), last, tables, afterFrame);
            }
        }
        segment = segments.isEmpty() ? 0 : segments.lastKey();
    }

    private static void replaySegment(DataInputStream in, Path path, boolean last, Function<String, Table<?, ?>> tables, Runnable afterFrame)
        throws IOException {
        long remaining = Files.size(path);
        if (remaining < MAGIC.length && last) {
            return; // killed while the segment was created
        }
        if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
            throw StoreException.damaged(path, "not a journal");
        }
        remaining -= MAGIC.length;
        List<Table<?, ?>> numbered = new ArrayList<>();
        CRC32C crc = new CRC32C();
        while (remaining > 0) {
            int length = remaining < FRAME_HEADER ? Integer.MAX_VALUE : in.readInt();
            if (length < 0) {
                throw StoreException.damaged(path, "bad frame length");
            }
            if (length > remaining - FRAME_HEADER) {
                if (last) {
                    return; // killed while writing: nobody was told that this one was done
                }
                throw StoreException.damaged(path, "ends in the middle of a frame");
            }
            int expected = in.readInt();
            byte[] changes = in.readNBytes(length);
            crc.reset();
            crc.update(changes);
            if ((int) crc.getValue() != expected) {
                throw StoreException.damaged(path, "checksum of a frame does not match");
            }
            redo(ByteBuffer.wrap(changes), numbered, tables);
            remaining -= FRAME_HEADER + length;
            afterFrame.run();
        }
    }

    private static void redo(ByteBuffer changes, List<Table<?, ?>> numbered, Function<String, Table<?, ?>> tables) {
        while (changes.hasRemaining()) {
            byte kind = changes.get();
            int number = changes.getShort();
            if (kind == DEFINE) {
                numbered.add(tables.apply(new String(readBytes(changes), StandardCharsets.UTF_8)));
                continue;
            }
            Table<?, ?> table = numbered.get(number);
            switch (kind) {
                case PUT -> table.redoPut(changes);
                case REMOVE -> table.redoRemove(changes);
                case CLEAR -> table.map.clear();
                default -> throw new IllegalStateException("unknown change " + kind);
            }
        }
    }

    static byte[] readBytes(ByteBuffer in) {
        byte[] bytes = new byte[in.getInt()];
        in.get(bytes);
        return bytes;
    }

    static void writeBytes(byte[] bytes, ByteBuf out) {
        out.writeInt(bytes.length).writeBytes(bytes);
    }

    // --- the holder of the write lock calls these -----------------------------------------------------------------

    <K, V> void put(Table<K, V> table, K key, V value) {
        if (suspended) {
            return;
        }
        change(PUT, table);
        table.writeKey(key, frame);
        table.writeValue(value, frame);
    }

    <K> void remove(Table<K, ?> table, K key) {
        if (suspended) {
            return;
        }
        change(REMOVE, table);
        table.writeKey(key, frame);
    }

    void clear(Table<?, ?> table) {
        if (!suspended) {
            change(CLEAR, table);
        }
    }

    private void change(byte kind, Table<?, ?> table) {
        Integer number = tableNumbers.get(table);
        if (number == null) {
            number = tableNumbers.size();
            tableNumbers.put(table, number);
            byte[] name = table.name().getBytes(StandardCharsets.UTF_8);
            writeBytes(name, frame.writeByte(DEFINE).writeShort(number));
        }
        frame.writeByte(kind).writeShort(number);
    }

    /** While suspended, changes are not written down: their caller saves the store itself before anybody is answered. */
    void suspend(boolean value) {
        suspended = value || directory == null;
    }

    /** Ends the frame of a command. Returns the position to wait for with {@link #flushTo(long)}. */
    public long endFrame() {
        if (!frame.isReadable()) {
            return queued;
        }
        int length = frame.readableBytes();
        crc.reset();
        crc.update(frame.array(), frame.arrayOffset() + frame.readerIndex(), length);
        synchronized (queueLock) {
            queue.writeInt(length).writeInt((int) crc.getValue()).writeBytes(frame);
            queued += FRAME_HEADER + length;
        }
        frame = emptied(frame, false);
        return queued;
    }

    /** Starts a new segment. Everything queued goes into the old one. Returns the number of the new segment. */
    long rotate() throws IOException {
        flushTo(queued);
        synchronized (fileLock) {
            if (file != null) {
                file.close();
            }
            segment++;
            file = FileChannel.open(path(segment), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            ByteBuffer magic = ByteBuffer.wrap(MAGIC);
            while (magic.hasRemaining()) {
                file.write(magic);
            }
            segmentBytes = 0;
        }
        tableNumbers.clear();
        return segment;
    }

    // --- any thread may call these --------------------------------------------------------------------------------

    /** The position of the last ended frame. */
    public long queued() {
        synchronized (queueLock) {
            return queued;
        }
    }

    /** Returns when everything up to the position is with the operating system. */
    public void flushTo(long position) {
        if (directory == null || written >= position) {
            return;
        }
        synchronized (fileLock) {
            if (written >= position) {
                return; // somebody else's write took ours along
            }
            long target;
            synchronized (queueLock) {
                ByteBuf full = queue;
                queue = spare;
                spare = full;
                target = queued;
            }
            try {
                segmentBytes += spare.readableBytes();
                while (spare.isReadable()) {
                    spare.readBytes(file, spare.readableBytes());
                }
            } catch (IOException e) {
                throw new JournalFailure(e);
            }
            spare = emptied(spare, true);
            written = target;
        }
    }

    private static ByteBuf emptied(ByteBuf buffer, boolean direct) {
        if (buffer.capacity() <= LARGEST_KEPT_BUFFER) {
            return buffer.clear();
        }
        buffer.release();
        return direct ? Unpooled.directBuffer(1 << 16) : Unpooled.buffer(1 << 16);
    }

    long segmentBytes() {
        return segmentBytes;
    }

    /** Deletes the segments before this one: the store's file now holds what they hold. */
    void deleteBefore(long number) throws IOException {
        for (Map.Entry<Long, Path> entry : segments().headMap(number).entrySet()) {
            Files.deleteIfExists(entry.getValue());
        }
    }

    void close() throws IOException {
        synchronized (fileLock) {
            if (file != null) {
                file.close();
            }
        }
    }

    private Path path(long number) {
        return directory.resolve("journal-" + number + ".log");
    }

    private TreeMap<Long, Path> segments() throws IOException {
        TreeMap<Long, Path> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(path -> {
                Matcher name = SEGMENT.matcher(path.getFileName().toString());
                if (name.matches()) {
                    found.put(Long.parseLong(name.group(1)), path);
                }
            });
        }
        return found;
    }

    /** The journal can't be written, so nothing more may be acknowledged. */
    public static final class JournalFailure extends RuntimeException {
        JournalFailure(IOException cause) {
            super(cause);
        }
    }
}
