package corridor.standin;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;

import org.h2.mvstore.MVStoreException;

import corridor.standin.command.AggregateCommand;
import corridor.standin.command.OpenCursors;
import corridor.standin.command.Replies;
import corridor.standin.storage.Journal;
import corridor.standin.storage.Store;
import corridor.standin.wire.Commands;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.exception.MongoServerException;
import io.netty.channel.Channel;

/**
 * All databases, and the gate through which every command goes: writes one after the other, reads beside each other,
 * and no answer before what it tells is in the journal.
 */
final class StandInBackend extends AbstractMongoBackend implements Commands {

    private static final Set<String> LOCK_FREE =
        Set.of("hello", "ismaster", "ping", "buildinfo", "whatsmyuri", "getlog", "hostinfo", "getcmdlineopts", "connectionstatus",
            "endsessions", "killsessions", "refreshsessions", "killcursors");
    private static final Set<String> WRITES = Set.of("insert", "update", "delete", "findandmodify");
    private static final Set<String> CATALOGUE =
        Set.of("create", "createindexes", "drop", "dropindexes", "dropdatabase", "renamecollection");

    private final Store store;
    private final OpenCursors cursors = new OpenCursors();

    StandInBackend(Store store) {
        this.store = store;
        version(Hello.VERSION);
        Set<String> names = new TreeSet<>();
        store.collections().forEach(collection -> names.add(collection.substring(0, collection.indexOf('.'))));
        names.forEach(this::resolveDatabase);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new StandInDatabase(name, store, getCursorRegistry(), cursors);
    }

    @Override
    public Document answer(Channel channel, String database, Document command) {
        try {
            return handleCommand(channel, database, command.keySet().iterator().next(), command);
        } catch (MongoServerException e) {
            return Replies.failure(e);
        } catch (Journal.JournalFailure e) {
            Store.die(e);
            throw e;
        } catch (RuntimeException | StackOverflowError e) {
            return Replies.failure(new MongoServerError(8, "UnknownError", "the stand-in failed: " + e));
        }
    }

    @Override
    public void disconnected(Channel channel) {
        handleClose(channel);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        refuseTransaction(query);
        String name = command.toLowerCase(Locale.ROOT);
        Supplier<Document> run = () -> run(channel, database, name, command, query);
        if (LOCK_FREE.contains(name)) {
            return run.get();
        }
        if (CATALOGUE.contains(name) || name.equals("aggregate") && AggregateCommand.writes(query)) {
            return write(() -> store.atomically(run));
        }
        return WRITES.contains(name) ? write(run) : read(run);
    }

    private static void refuseTransaction(Document query) {
        if (query.containsKey("txnNumber")) {
            throw new MongoServerError(20, "IllegalOperation", "Transaction numbers are only allowed on a replica set member or mongos");
        }
    }

    <T> T write(Supplier<T> change) {
        store.admitWriter();
        Lock lock = store.lock().writeLock();
        long position = 0;
        lock.lock();
        try {
            return change.get();
        } catch (MVStoreException e) {
            Store.die(e); // what the tables hold now is not known
            throw e;
        } finally {
            position = store.journal().endFrame();
            lock.unlock();
            store.journal().flushTo(position);
        }
    }

    <T> T read(Supplier<T> query) {
        Lock lock = store.lock().readLock();
        long position;
        T result;
        lock.lock();
        try {
            result = query.get();
            position = store.journal().queued();
        } finally {
            lock.unlock();
        }
        store.journal().flushTo(position);
        return result;
    }

    private Document run(Channel channel, String database, String name, String command, Document query) {
        switch (name) {
            case "hello":
            case "ismaster":
                return Hello.answer(super.handleCommand(channel, database, "ismaster", query));
            case "endsessions":
            case "killsessions":
            case "refreshsessions":
                return Replies.ok();
            case "listdatabases":
                return listDatabases(query);
            case "getmore":
                return cursors.more(((Number) query.get(command)).longValue(), query.get("batchSize"));
            case "killcursors":
                return cursors.kill((List<?>) query.get("cursors"));
            case "explain":
                return resolveDatabase(database).handleCommand(channel, command, query, this::resolveDatabase, oplog);
            default:
                return super.handleCommand(channel, database, command, query);
        }
    }

    private Document listDatabases(Document query) {
        DefaultQueryMatcher matcher = new DefaultQueryMatcher();
        List<Document> databases = new ArrayList<>();
        for (StandInDatabase database : databases()) {
            Document entry = new Document("name", database.getDatabaseName()).append("sizeOnDisk", 4096L).append("empty", false);
            boolean wanted = !(query.get("filter") instanceof Document filter) || matcher.matches(entry, filter);
            if (wanted && !database.collections().isEmpty()) {
                databases.add(entry);
            }
        }
        Document reply = new Document("databases", databases).append("totalSize", store.fileBytes());
        reply.put("ok", 1.0);
        return reply;
    }

    List<StandInDatabase> databases() {
        List<StandInDatabase> databases = new ArrayList<>();
        for (String name : new TreeSet<>(listDatabaseNames())) {
            databases.add((StandInDatabase) resolveDatabase(name));
        }
        return databases;
    }

    OpenCursors cursors() {
        return cursors;
    }

    @Override
    public void close() {
        super.close();
        store.close();
    }
}
