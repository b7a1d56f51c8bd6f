package corridor.standin;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import corridor.standin.index.KeyIndex;
import corridor.standin.query.DocumentCursor;
import corridor.standin.query.Finder;
import corridor.standin.query.Hit;
import corridor.standin.bson.Bson;
import corridor.standin.storage.RecordTable;
import corridor.standin.write.FindAndModify;
import corridor.standin.write.Update;
import corridor.standin.write.Updater;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractMongoCollection;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Doors;
import de.bwaldvogel.mongo.backend.DocumentWithPosition;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.ObjectId;
import de.bwaldvogel.mongo.exception.IndexBuildFailedException;
import de.bwaldvogel.mongo.exception.IndexKeySpecsConflictException;
import de.bwaldvogel.mongo.exception.InvalidIdFieldError;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;

/**
 * A collection: documents as BSON by record id, and indexes that lead to record ids.
 * Nothing that is stored is ever changed in place, so a reader never sees half a change.
 */
public final class StandInCollection extends AbstractMongoCollection<Long> {

    private static final Predicate<String> ANY_FIELD = field -> true;

    private final RecordTable records;
    private final Finder finder;
    private long lastRecord;

    StandInCollection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors, RecordTable records,
                      Runnable breathe) {
        super(database, name, options, cursors);
        this.records = records;
        this.finder = new Finder(records, getIndexes(), breathe);
        this.lastRecord = records.isEmpty() ? 0 : records.lastKey();
    }

    RecordTable records() {
        return records;
    }

    /** The name of the id field; null for a collection without. */
    public String idField() {
        return getIdField();
    }

    // --- reading --------------------------------------------------------------------------------------------------

    /** The documents that match; see {@link Finder#find}. */
    public DocumentCursor find(Document query, Document sort, long skip, long limit) {
        return finder.find(query == null ? new Document() : query, sort, skip, limit);
    }

    /** The documents that match, as a stream that reads as it goes. */
    public Stream<Document> documents(Document query, Document sort, long skip, long limit) {
        DocumentCursor cursor = find(query, sort, skip, limit);
        return StreamSupport.stream(new Spliterators.AbstractSpliterator<>(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL) {
            @Override
            public boolean tryAdvance(Consumer<? super Document> action) {
                Hit hit = cursor.next();
                if (hit == null) {
                    return false;
                }
                action.accept(hit.document());
                return true;
            }
        }, false);
    }

    @Override
    protected QueryResult queryDocuments(Document query, Document sort, int skip, int limit, int batchSize, Document projection) {
        Stream<Document> found = documents(query, sort, skip, limit);
        if (projection != null && !projection.isEmpty()) {
            found = found.map(document -> Doors.project(projection, getIdField(), document));
        }
        return new QueryResult(found.toList());
    }

    @Override
    public Stream<Document> queryAllAsStream() {
        return documents(new Document(), null, 0, 0);
    }

    @Override
    public Document handleDistinct(Document command) {
        String field = (String) command.get("key");
        Set<Object> values = new TreeSet<>(ValueComparator.ascWithoutListHandling());
        documents((Document) command.get("query"), null, 0, 0).forEach(document -> {
            Object value = Utils.getSubdocumentValueCollectionAware(document, field);
            if (value instanceof Collection<?> several) {
                values.addAll(several);
            } else if (!(value instanceof Missing)) {
                values.add(value);
            }
        });
        Document reply = new Document("values", values);
        Utils.markOkay(reply);
        return reply;
    }

    @Override
    public int count(Document query, int skip, int limit) {
        if (query == null || query.isEmpty()) {
            int all = Math.max(0, count() - skip);
            return limit > 0 ? Math.min(limit, all) : all;
        }
        DocumentCursor cursor = find(query, null, skip, Math.max(0, limit));
        int n = 0;
        while (cursor.next() != null) {
            n++;
        }
        return n;
    }

    @Override
    public int count() {
        return Math.toIntExact(records.size());
    }

    @Override
    public boolean isEmpty() {
        return records.isEmpty();
    }

    @Override
    protected Document getDocument(Long record) {
        return Bson.decode(records.get(record));
    }

    @Override
    protected Stream<DocumentWithPosition<Long>> streamAllDocumentsWithPosition() {
        throw new UnsupportedOperationException();
    }

    @Override
    protected QueryResult matchDocuments(Document query, Document sort, int skip, int limit, int batchSize, Document projection) {
        return queryDocuments(query, sort, skip, limit, batchSize, projection);
    }

    // --- writing --------------------------------------------------------------------------------------------------

    @Override
    public void addDocument(Document document) {
        insert(document);
    }

    /** The library calls this for descriptions of indexes only. They are told apart by name, not by content. */
    @Override
    public void addDocumentIfMissing(Document description) {
        Document sameName = new Document("ns", description.get("ns")).append("name", description.get("name"));
        if (find(sameName, null, 0, 1).next() == null) {
            addDocument(description);
        }
    }

    /** Stores a new document, with a new id when it has none. Returns it as stored. Throws E11000. */
    public Document insert(Document document) {
        Document complete = withIdFirst(document);
        byte[] bytes = Bson.encode(complete);
        List<List<byte[]>> keys = keysOf(complete, ANY_FIELD);
        long record = ++lastRecord;
        addKeys(keys, record, complete);
        records.put(record, bytes);
        return complete;
    }

    /** Adds entries to the indexes, none to one whose list is null. Throws E11000, and then has added nothing. */
    private void addKeys(List<List<byte[]>> keys, long record, Document document) {
        int done = 0;
        try {
            for (; done < keys.size(); done++) {
                if (keys.get(done) != null) {
                    index(done).addKeys(keys.get(done), record, document, this);
                }
            }
        } catch (MongoServerError e) {
            removeKeys(keys.subList(0, done), record);
            throw e;
        }
    }

    private void removeKeys(List<List<byte[]>> keys, long record) {
        for (int i = 0; i < keys.size(); i++) {
            if (keys.get(i) != null) {
                index(i).removeKeys(keys.get(i), record);
            }
        }
    }

    /** The keys that are in the first lists only. Null where a list is null. */
    private static List<List<byte[]>> without(List<List<byte[]>> keys, List<List<byte[]>> others) {
        List<List<byte[]>> rest = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            List<byte[]> of = others.get(i);
            rest.add(keys.get(i) == null ? null : keys.get(i).stream().filter(key -> of.stream().noneMatch(other -> Arrays.equals(key, other))).toList());
        }
        return rest;
    }

    private Document withIdFirst(Document document) {
        String idField = getIdField();
        if (idField == null || !idField.equals("_id")) {
            return document;
        }
        Object id = document.get(idField);
        if (id instanceof Collection) {
            throw new InvalidIdFieldError("The '_id' value cannot be of type array");
        }
        if (document.containsKey(idField) && document.keySet().iterator().next().equals(idField)) {
            return document;
        }
        Document complete = new Document(idField, document.containsKey(idField) ? id : new ObjectId());
        document.forEach(complete::putIfAbsent);
        return complete;
    }

    /**
     * The keys of a document in each index, in the order of the indexes.
     *
     * @param touched whether a top-level field may change; an index that has none of those gets null
     */
    public List<List<byte[]>> keysOf(Document document, Predicate<String> touched) {
        List<Index<Long>> indexes = getIndexes();
        List<List<byte[]>> keys = new ArrayList<>(indexes.size());
        for (int i = 0; i < indexes.size(); i++) {
            keys.add(index(i).ignores(touched) ? null : index(i).keysOf(document));
        }
        return keys;
    }

    private KeyIndex index(int i) {
        return (KeyIndex) getIndexes().get(i);
    }

    /**
     * Stores another document in the place of a hit.
     *
     * @param oldKeys what {@link #keysOf} gave for the hit, before its document was changed
     * @return whether anything changed
     */
    public boolean replace(Hit hit, Document document, List<List<byte[]>> oldKeys, Predicate<String> touched) {
        byte[] bytes = Bson.encode(document);
        if (Arrays.equals(bytes, hit.bytes())) {
            return false;
        }
        List<List<byte[]>> newKeys = keysOf(document, touched);
        addKeys(without(newKeys, oldKeys), hit.record(), document);
        removeKeys(without(oldKeys, newKeys), hit.record());
        records.put(hit.record(), bytes);
        return true;
    }

    public void remove(Hit hit) {
        removeKeys(keysOf(hit.document(), ANY_FIELD), hit.record());
        records.remove(hit.record());
    }

    @Override
    public void removeDocument(Document document) {
        Hit hit = find(new Document(getIdField(), document.get(getIdField())), null, 0, 1).next();
        if (hit != null) {
            remove(hit);
        }
    }

    @Override
    public int deleteDocuments(Document query, int limit, Oplog oplog) {
        List<Hit> hits = new ArrayList<>();
        DocumentCursor cursor = find(query, null, 0, Math.max(0, limit));
        for (Hit hit = cursor.next(); hit != null; hit = cursor.next()) {
            hits.add(hit);
        }
        hits.forEach(this::remove);
        return hits.size();
    }

    @Override
    public Document updateDocuments(Document query, Document change, ArrayFilters arrayFilters, boolean multi, boolean upsert, Oplog oplog) {
        Updater.Outcome outcome = new Updater(this).update(query, null, Update.of(change, arrayFilters), multi, upsert);
        Document result = new Document("n", outcome.matched()).append("nModified", outcome.modified());
        if (outcome.upserted() != null) {
            result.put("upserted", outcome.upserted().get(getIdField()));
        }
        return result;
    }

    @Override
    public Document findAndModify(Document command) {
        return new FindAndModify(this).run(command);
    }

    // --- indexes --------------------------------------------------------------------------------------------------

    @Override
    public void addIndex(Index<Long> index) {
        addIndex((KeyIndex) index, ((StandInDatabase) getDatabase()).buildsIndexes());
    }

    /** @param build false when the entries are there already, because the store was just opened */
    private void addIndex(KeyIndex index, boolean build) {
        for (Index<Long> existing : getIndexes()) {
            if (!existing.getName().equals(index.getName())) {
                continue;
            }
            if (!existing.hasSameOptions(index)) {
                throw new IndexKeySpecsConflictException(index, existing);
            }
            return;
        }
        if (build) {
            build(index);
        }
        getIndexes().add(index);
    }

    private void build(KeyIndex index) {
        index.clear();
        DocumentCursor all = find(new Document(), null, 0, 0);
        try {
            for (Hit hit = all.next(); hit != null; hit = all.next()) {
                List<byte[]> keys = index.keysOf(hit.document());
                index.addKeys(keys, hit.record(), hit.document(), this);
            }
        } catch (MongoServerError e) {
            index.clear();
            throw new IndexBuildFailedException(e, this);
        }
    }

    // --- what the library asks for, and is answered elsewhere ---------------------------------------------------------

    @Override
    public void drop() {
        // the database removes the tables
    }

    @Override
    protected boolean tracksDataSize() {
        return false;
    }

    @Override
    protected void updateDataSize(int sizeDelta) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected int getDataSize() {
        long size = 0;
        DocumentCursor all = find(new Document(), null, 0, 0);
        for (Hit hit = all.next(); hit != null; hit = all.next()) {
            size += hit.bytes().length;
        }
        return (int) Math.min(Integer.MAX_VALUE, size);
    }

    @Override
    protected Long addDocumentInternal(Document document) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void removeDocument(Long record) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void handleUpdate(Long record, Document oldDocument, Document newDocument) {
        throw new UnsupportedOperationException();
    }
}
