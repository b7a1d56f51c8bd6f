package corridor.standin;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import corridor.standin.command.AggregateCommand;
import corridor.standin.command.FindCommand;
import corridor.standin.command.OpenCursors;
import corridor.standin.command.Replies;
import corridor.standin.command.WriteCommands;
import corridor.standin.index.KeyIndex;
import corridor.standin.storage.Store;
import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractMongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.IndexNotFoundException;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;
import io.netty.channel.Channel;

/** A database: its catalogue (collections and indexes), and the commands that name a collection. */
final class StandInDatabase extends AbstractMongoDatabase<Long> {

    private static final String NAMESPACES = "system.namespaces";
    private static final String INDEXES = "system.indexes";

    private final Store store;
    private final OpenCursors openCursors;
    private final boolean opened;
    /** The description of the index that is being created: the library hands on a part of it only. */
    private Document indexBeingCreated;

    StandInDatabase(String name, Store store, CursorRegistry cursors, OpenCursors openCursors) {
        super(name, cursors);
        this.store = store;
        this.openCursors = openCursors;
        initializeNamespacesAndIndexes();
        this.opened = true;
    }

    // --- commands -------------------------------------------------------------------------------------------------

    @Override
    public Document handleCommand(Channel channel, String command, Document query, DatabaseResolver databases, Oplog oplog) {
        String name = query.get(command) instanceof String text ? text : "";
        switch (command.toLowerCase(Locale.ROOT)) {
            case "find": {
                StandInCollection collection = existing(name);
                return collection == null ? noDocuments(name) : new FindCommand(collection, query).run(openCursors);
            }
            case "explain":
                return explain((Document) query.get(command));
            case "aggregate": {
                StandInCollection collection = existing(name);
                return collection == null ? noDocuments(name) : new AggregateCommand(collection, query).run(this, databases, openCursors);
            }
            case "insert":
                return new WriteCommands(forWriting(name), query).insert((List<?>) query.get("documents"));
            case "update":
                return new WriteCommands(forWriting(name), query).update((List<?>) query.get("updates"));
            case "delete":
                return new WriteCommands(forWriting(name), query).delete((List<?>) query.get("deletes"));
            case "findandmodify":
                return forWriting(name).findAndModify(query);
            case "create":
                refuseSpecialCollection(query);
                return super.handleCommand(channel, command, query, databases, oplog);
            case "createindexes":
                createIndexes(forWriting(name), query);
                return super.handleCommand(channel, command, query, databases, oplog);
            case "listcollections":
                return listCollections(super.handleCommand(channel, command, query, databases, oplog), query);
            case "listindexes":
                return listIndexes(required(name));
            case "dropindexes":
                return dropIndexes(required(name), query.get("index"));
            case "drop":
                required(name);
                return super.handleCommand(channel, command, query, databases, oplog);
            default:
                return super.handleCommand(channel, command, query, databases, oplog);
        }
    }

    private StandInCollection existing(String name) {
        return (StandInCollection) resolveCollection(name, false);
    }

    private StandInCollection required(String name) {
        StandInCollection collection = existing(name);
        if (collection == null) {
            throw new MongoServerError(26, "NamespaceNotFound", "ns not found: " + getFullCollectionNamespace(name));
        }
        return collection;
    }

    private StandInCollection forWriting(String name) {
        if (name.startsWith("system.")) {
            throw new MongoServerError(73, "InvalidNamespace", "cannot write to '" + getFullCollectionNamespace(name) + "'");
        }
        return (StandInCollection) resolveOrCreateCollection(name);
    }

    private Document noDocuments(String name) {
        return Replies.batch("firstBatch", getFullCollectionNamespace(name), 0, List.of());
    }

    private Document explain(Document command) {
        if (command.get("find") instanceof String name) {
            return new FindCommand(required(name), command).explain();
        }
        throw new MongoServerError(238, "NotImplemented", "the stand-in explains find only");
    }

    private static void refuseSpecialCollection(Document command) {
        for (String option : List.of("viewOn", "timeseries", "clusteredIndex")) {
            if (command.containsKey(option)) {
                throw new MongoServerError(238, "NotImplemented", "the stand-in has no collections with " + option);
            }
        }
    }

    private Document listCollections(Document reply, Document query) {
        if (!(query.get("filter") instanceof Document filter) || filter.isEmpty()) {
            return reply;
        }
        DefaultQueryMatcher matcher = new DefaultQueryMatcher();
        Document cursor = (Document) reply.get("cursor");
        List<Object> matching = new ArrayList<>();
        for (Object collection : (List<?>) cursor.get("firstBatch")) {
            if (matcher.matches((Document) collection, filter)) {
                matching.add(collection);
            }
        }
        cursor.put("firstBatch", matching);
        return reply;
    }

    // --- indexes --------------------------------------------------------------------------------------------------

    private void createIndexes(StandInCollection collection, Document query) {
        for (Object description : (List<?>) query.get("indexes")) {
            Document index = (Document) description;
            if (index.get("collation") instanceof Document collation && !"simple".equals(collation.get("locale"))) {
                throw new MongoServerError(238, "NotImplemented", "the stand-in has no collations");
            }
            KeyIndex wanted = describe(collection, index);
            for (Index<Long> other : collection.getIndexes()) {
                if (!other.getName().equals(wanted.getName()) && ((KeyIndex) other).sameKeys(wanted) && other.hasSameOptions(wanted)) {
                    throw new MongoServerError(85, "IndexOptionsConflict", "Index already exists with a different name: " + other.getName());
                }
            }
        }
    }

    private KeyIndex describe(StandInCollection collection, Document description) {
        List<IndexKey> keys = new ArrayList<>();
        ((Document) description.get("key")).forEach((field, direction) ->
            keys.add(new IndexKey(field, direction instanceof Number number && number.doubleValue() > 0)));
        String name = (String) description.get("name");
        return new KeyIndex(name, keys, Boolean.TRUE.equals(description.get("unique")), description, store.keys(collection.getFullName(), name));
    }

    @Override
    protected void addIndex(Document description) {
        indexBeingCreated = description;
        try {
            super.addIndex(description);
        } finally {
            indexBeingCreated = null;
        }
    }

    @Override
    protected Index<Long> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
        return openIndex(collection, name, keys, true);
    }

    @Override
    protected Index<Long> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
        return openIndex(collection, name, keys, false);
    }

    private KeyIndex openIndex(String collection, String name, List<IndexKey> keys, boolean unique) {
        Document description = indexBeingCreated != null ? indexBeingCreated : storedDescription(getFullCollectionNamespace(collection), name);
        return new KeyIndex(name, keys, unique, description, store.keys(getFullCollectionNamespace(collection), name));
    }

    private Document storedDescription(String namespace, String name) {
        for (Document description : indexes.get().handleQuery(new Document("ns", namespace).append("name", name))) {
            return description;
        }
        return null;
    }

    private Document listIndexes(StandInCollection collection) {
        List<Document> descriptions = new ArrayList<>();
        for (Document description : indexes.get().handleQuery(new Document("ns", collection.getFullName()))) {
            description.remove("ns");
            descriptions.add(description);
        }
        return Replies.batch("firstBatch", collection.getFullName(), 0, descriptions);
    }

    private Document dropIndexes(StandInCollection collection, Object which) {
        List<KeyIndex> chosen = new ArrayList<>();
        for (Index<Long> index : collection.getIndexes()) {
            boolean isIdIndex = index.getName().equals("_id_");
            boolean named = which instanceof List<?> names ? names.contains(index.getName()) : index.getName().equals(which);
            boolean described = which instanceof Document keys && keys.equals(index.toIndexDescription().get("key"));
            if (!isIdIndex && (named || described || "*".equals(which))) {
                chosen.add((KeyIndex) index);
            }
        }
        if (chosen.isEmpty() && !"*".equals(which)) {
            throw new IndexNotFoundException("index not found with name [" + which + "]");
        }
        int before = collection.getIndexes().size();
        for (KeyIndex index : chosen) {
            indexes.get().deleteDocuments(new Document("ns", collection.getFullName()).append("name", index.getName()), 0);
            collection.getIndexes().remove(index);
            store.drop(index.table());
        }
        Document reply = new Document("nIndexesWas", before);
        reply.put("ok", 1.0);
        return reply;
    }

    // --- collections ----------------------------------------------------------------------------------------------

    @Override
    protected StandInCollection openOrCreateCollection(String name, CollectionOptions options) {
        return new StandInCollection(this, name, options, cursorRegistry, store.records(getFullCollectionNamespace(name)), store::breathe);
    }

    /** Whether the indexes of a collection must be built: not while the database is opened, when the store has them. */
    boolean buildsIndexes() {
        return opened;
    }

    @Override
    public void dropCollection(String name, Oplog oplog) {
        StandInCollection collection = (StandInCollection) resolveCollection(name, true);
        if (!name.equals(INDEXES) && !name.equals(NAMESPACES)) {
            indexes.get().deleteDocuments(new Document("ns", collection.getFullName()), 0);
        }
        unregisterCollection(name);
        for (Index<Long> index : collection.getIndexes()) {
            store.drop(((KeyIndex) index).table());
        }
        collection.getIndexes().clear();
        store.drop(collection.records());
    }

    @Override
    public void moveCollection(MongoDatabase from, MongoCollection<?> moved, String newName) {
        if (from != this) {
            throw new MongoServerError(20, "IllegalOperation", "the stand-in renames within a database only");
        }
        StandInCollection collection = (StandInCollection) moved;
        super.moveCollection(from, collection, newName);
        store.renameRecords(collection.records(), collection.getFullName());
        for (Index<Long> index : collection.getIndexes()) {
            store.renameKeys(((KeyIndex) index).table(), collection.getFullName(), index.getName());
        }
    }

    /** The collections of the users of the database. */
    List<StandInCollection> collections() {
        List<StandInCollection> collections = new ArrayList<>();
        for (Document namespace : resolveCollection(NAMESPACES, true).queryAll()) {
            String name = ((String) namespace.get("name")).substring(getDatabaseName().length() + 1);
            if (!name.equals(INDEXES) && existing(name) != null) {
                collections.add(existing(name));
            }
        }
        return collections;
    }

    @Override
    protected long getFileSize() {
        return store.fileBytes();
    }

    @Override
    protected long getStorageSize() {
        return store.fileBytes();
    }
}
