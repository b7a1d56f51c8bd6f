package corridor.standin.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.CursorNotFoundException;

/** The results that clients have begun to read. One that nobody asks for is forgotten after ten minutes. */
public final class OpenCursors {

    private static final int FIRST_BATCH = 101;
    private static final int BATCH_BYTES = 16 << 20;
    private static final long IDLE_NANOS = 600_000_000_000L;

    private final Map<Long, OpenCursor> cursors = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();

    /** Where the documents of a result come from. */
    public interface Source {
        /** The next document, as a Document or as RawBson; null when there are no more. */
        Object next();

        /** About how many bytes the last document has. */
        int lastSize();

        /** Called when the lock is given back before all has been read. */
        void pause();
    }

    private static final class OpenCursor {
        final String namespace;
        final Source source;
        Object ahead;
        long usedAt;

        OpenCursor(String namespace, Source source) {
            this.namespace = namespace;
            this.source = source;
            this.ahead = source.next();
        }

        /** @param wanted number of documents, or {@code Integer.MAX_VALUE} for as many as fit */
        synchronized List<Object> take(int wanted) {
            List<Object> batch = new ArrayList<>(Math.min(wanted, FIRST_BATCH));
            long bytes = 0;
            while (ahead != null && batch.size() < wanted && bytes < BATCH_BYTES) {
                batch.add(ahead);
                bytes += source.lastSize();
                ahead = source.next();
            }
            source.pause();
            usedAt = System.nanoTime();
            return batch;
        }
    }

    /** Answers with the first batch, and remembers the rest. {@code batchSize} is what the client asked for, or null. */
    public Document open(String namespace, Source source, Object batchSize, boolean singleBatch) {
        OpenCursor cursor = new OpenCursor(namespace, source);
        List<Object> batch = cursor.take(batchSize instanceof Number size ? Math.max(0, size.intValue()) : FIRST_BATCH);
        long id = 0;
        if (cursor.ahead != null && !singleBatch) {
            id = lastId.incrementAndGet();
            cursors.put(id, cursor);
        }
        return Replies.batch("firstBatch", namespace, id, batch);
    }

    public Document more(long id, Object batchSize) {
        OpenCursor cursor = cursors.get(id);
        if (cursor == null) {
            throw new CursorNotFoundException(id);
        }
        int wanted = batchSize instanceof Number size && size.intValue() > 0 ? size.intValue() : Integer.MAX_VALUE;
        List<Object> batch = cursor.take(wanted);
        if (cursor.ahead == null) {
            cursors.remove(id);
            return Replies.batch("nextBatch", cursor.namespace, 0, batch);
        }
        return Replies.batch("nextBatch", cursor.namespace, id, batch);
    }

    public Document kill(List<?> ids) {
        List<Object> killed = new ArrayList<>();
        List<Object> unknown = new ArrayList<>();
        for (Object id : ids) {
            (cursors.remove(((Number) id).longValue()) != null ? killed : unknown).add(id);
        }
        Document reply = new Document("cursorsKilled", killed).append("cursorsNotFound", unknown)
            .append("cursorsAlive", List.of()).append("cursorsUnknown", List.of());
        Utils.markOkay(reply);
        return reply;
    }

    public void forgetIdle() {
        long now = System.nanoTime();
        cursors.values().removeIf(cursor -> now - cursor.usedAt > IDLE_NANOS);
    }

    public int size() {
        return cursors.size();
    }
}
