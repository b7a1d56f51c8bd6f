package corridor.standin.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.type.ByteArrayDataType;
import org.h2.mvstore.type.LongDataType;

/**
 * All tables of the server: H2's MVStore for the sorted maps, the {@link Journal} for durability between its commits.
 *
 * <p>Tables change under the write lock of {@link #lock()} only. A {@linkplain #checkpoint() checkpoint} runs beside the
 * writers and takes the lock for a moment. Changes of the catalogue (drop, rename, new index) are
 * {@linkplain #atomically(Runnable) one commit of the store} instead of journal entries.
 */
public final class Store {

    private static final String DATA_FILE = "stand-in.mv.db";
    private static final String RECORDS = "records:";
    private static final String KEYS = "keys:";
    private static final int PAGE_BYTES = 4 << 10;
    /** How long pages that are no longer in use stay readable for a scan that is under way. */
    private static final int RETENTION_MS = 5_000;
    private static final long HEAP_BYTES = Runtime.getRuntime().maxMemory();
    private static final int CACHE_MB = Math.max(16, (int) (HEAP_BYTES / 5 >> 20));
    private static final long CHECKPOINT_UNSAVED_BYTES = HEAP_BYTES / 5;
    /** Can be set, so that tests see many checkpoints. */
    private static final long CHECKPOINT_JOURNAL_BYTES = Long.getLong("corridor.standin.journalBytes", 128L << 20);
    private static final long CHECKPOINT_AGE_NANOS = 15_000_000_000L;
    /** At this multiple of the limits above, writers wait for the checkpoint to catch up. */
    private static final int BACK_PRESSURE = 2;
    private static final int CHECK_EVERY_MS = 100;

    private final Path directory;
    private final MVStore mvStore;
    private final Journal journal;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Map<String, Table<?, ?>> tables = new ConcurrentHashMap<>();
    private final Object checkpointLock = new Object();
    private final Object checkpointDone = new Object();
    private volatile boolean closed;
    private volatile long lastCheckpoint = System.nanoTime();
    private Thread checkpointer;

    private Store(Path directory, MVStore mvStore, Journal journal) {
        this.directory = directory;
        this.mvStore = mvStore;
        this.journal = journal;
    }

    public static Store inMemory() {
        return new Store(null, new MVStore.Builder().autoCommitDisabled().open(), Journal.none());
    }

    /** Opens the data folder and redoes what the journal holds. Throws {@link StoreException} when the folder can't be used. */
    public static Store open(Path directory) {
        Path file = directory.resolve(DATA_FILE);
        try {
            Files.createDirectories(directory);
            MVStore mvStore = new MVStore.Builder().fileName(file.toString()).autoCommitDisabled().autoCommitBufferSize(0)
                .cacheSize(CACHE_MB).pageSplitSize(PAGE_BYTES).open();
            mvStore.setRetentionTime(RETENTION_MS);
            mvStore.setVersionsToKeep(0);
            Store store = new Store(directory, mvStore, Journal.in(directory));
            store.recover();
            return store;
        } catch (IOException e) {
            throw StoreException.unusable(directory, e.toString());
        } catch (MVStoreException e) {
            throw switch (e.getErrorCode()) {
                case DataUtils.ERROR_FILE_LOCKED -> StoreException.locked(file);
                case DataUtils.ERROR_WRITING_FAILED -> StoreException.unusable(directory, e.getMessage());
                default -> StoreException.damaged(file, e.getMessage());
            };
        } catch (IllegalStateException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw StoreException.damaged(file, e.toString());
        }
    }

    private void recover() throws IOException {
        journal.suspend(true);
        journal.replay(this::table, () -> {
            if (mvStore.getUnsavedMemory() > CHECKPOINT_UNSAVED_BYTES) {
                mvStore.commit(); // what is redone once more after another kill comes out the same
            }
        });
        journal.suspend(false);
        mvStore.commit();
        // Only now, and all of them: the last one may end in the middle of a frame, which no other segment may.
        journal.deleteBefore(Long.MAX_VALUE);
        journal.rotate();
        checkpointer = new Thread(this::checkpointLoop, "checkpoint");
        checkpointer.setDaemon(true);
        checkpointer.start();
    }

    /** The write side guards every change, the read side every command that wants to see no change while it runs. */
    public ReentrantReadWriteLock lock() {
        return lock;
    }

    public Journal journal() {
        return journal;
    }

    /** To be called by a long read between two records: lets the writers that wait go first. */
    public void breathe() {
        if (lock.getReadHoldCount() == 1 && lock.hasQueuedThreads()) {
            lock.readLock().unlock();
            lock.readLock().lock();
        }
    }

    public RecordTable records(String collection) {
        return (RecordTable) table(RECORDS + collection);
    }

    public KeyTable keys(String collection, String index) {
        return (KeyTable) table(keysName(collection, index));
    }

    private static String keysName(String collection, String index) {
        return KEYS + collection + ":" + index;
    }

    private Table<?, ?> table(String name) {
        return tables.computeIfAbsent(name, this::openTable);
    }

    private Table<?, ?> openTable(String name) {
        if (name.startsWith(RECORDS)) {
            return new RecordTable(journal, name, mvStore.openMap(name, new MVMap.Builder<Long, byte[]>()
                .keyType(LongDataType.INSTANCE).valueType(ByteArrayDataType.INSTANCE)));
        }
        return new KeyTable(journal, name, mvStore.openMap(name, new MVMap.Builder<byte[], Long>()
            .keyType(KeyBytesType.INSTANCE).valueType(LongDataType.INSTANCE)));
    }

    public Iterable<String> collections() {
        return mvStore.getMapNames().stream().filter(name -> name.startsWith(RECORDS)).map(name -> name.substring(RECORDS.length()))::iterator;
    }

    /** Removes a table. Only inside {@link #atomically(Runnable)}. */
    public void drop(Table<?, ?> table) {
        tables.remove(table.name());
        mvStore.removeMap(table.map);
    }

    /** Gives the records of a collection another name. Only inside {@link #atomically(Runnable)}. */
    public void renameRecords(RecordTable table, String collection) {
        rename(table, RECORDS + collection);
    }

    /** Gives the entries of an index another name. Only inside {@link #atomically(Runnable)}. */
    public void renameKeys(KeyTable table, String collection, String index) {
        rename(table, keysName(collection, index));
    }

    private void rename(Table<?, ?> table, String name) {
        tables.remove(table.name());
        mvStore.renameMap(table.map, name);
        table.renamed(name);
        tables.put(name, table);
    }

    public long fileBytes() {
        return mvStore.getFileStore() == null ? 0 : mvStore.getFileStore().size();
    }

    // --- durability -----------------------------------------------------------------------------------------------

    /**
     * Runs changes of the catalogue and saves them with one commit, so that they happen completely or not at all.
     * The caller holds the write lock.
     */
    public <T> T atomically(java.util.function.Supplier<T> changes) {
        if (directory == null) {
            return changes.get();
        }
        synchronized (checkpointLock) {
            saveAll();
            journal.suspend(true);
            try {
                return changes.get();
            } finally {
                journal.suspend(false);
                saveAll();
            }
        }
    }

    private void saveAll() {
        try {
            long segment = journal.rotate();
            mvStore.commit();
            journal.deleteBefore(segment);
        } catch (IOException e) {
            throw new Journal.JournalFailure(e);
        }
        lastCheckpoint = System.nanoTime();
    }

    /** Saves the store and shortens the journal, while other threads go on reading and writing. */
    public void checkpoint() {
        if (directory == null) {
            return;
        }
        lock.writeLock().lock();
        long segment;
        try {
            // The store must be saved before any later catalogue change, so the two exclude each other.
            segment = journal.rotate();
        } catch (IOException e) {
            throw new Journal.JournalFailure(e);
        } finally {
            lock.writeLock().unlock();
        }
        synchronized (checkpointLock) {
            mvStore.commit();
            try {
                journal.deleteBefore(segment);
            } catch (IOException e) {
                throw new Journal.JournalFailure(e);
            }
        }
        lastCheckpoint = System.nanoTime();
    }

    /** Makes a writer wait while the store has fallen far behind. Call it before taking the lock. */
    public void admitWriter() {
        if (directory == null || !overloaded(BACK_PRESSURE)) {
            return;
        }
        synchronized (checkpointDone) {
            while (overloaded(BACK_PRESSURE) && !closed) {
                try {
                    checkpointDone.wait(CHECK_EVERY_MS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private boolean overloaded(int times) {
        return journal.segmentBytes() > times * CHECKPOINT_JOURNAL_BYTES || mvStore.getUnsavedMemory() > times * CHECKPOINT_UNSAVED_BYTES;
    }

    private void checkpointLoop() {
        while (!closed) {
            try {
                Thread.sleep(CHECK_EVERY_MS);
                boolean aged = journal.segmentBytes() > 0 && System.nanoTime() - lastCheckpoint > CHECKPOINT_AGE_NANOS;
                if (aged || overloaded(1)) {
                    checkpoint();
                    synchronized (checkpointDone) {
                        checkpointDone.notifyAll();
                    }
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                if (!closed) {
                    die(e);
                }
            }
        }
    }

    /** Without a working store nothing may be acknowledged any more. */
    public static void die(Throwable cause) {
        System.err.println("mongod-stand-in: the data can't be saved, stopping: " + cause);
        cause.printStackTrace();
        Runtime.getRuntime().halt(14);
    }

    /** Saves everything and closes the files. */
    public void close() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (directory != null) {
                synchronized (checkpointLock) {
                    saveAll();
                    journal.close();
                }
            }
            mvStore.close();
        } catch (IOException e) {
            throw new Journal.JournalFailure(e);
        } finally {
            lock.writeLock().unlock();
        }
    }
}
