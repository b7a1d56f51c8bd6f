package corridor.standin;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import corridor.standin.index.KeyIndex;
import corridor.standin.query.DocumentCursor;
import corridor.standin.query.Finder;
import corridor.standin.query.Hit;
import corridor.standin.storage.Bson;
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
import de.bwaldvogel.mongo.backend.QueryResult;
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

    private final RecordTable records;
    private final Finder finder;
    private long lastRecord;

    StandInCollection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors, RecordTable records) {
        super(database, name, options, cursors);
        this.records = records;
        this.finder = new Finder(records, getIndexes());
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
        List<List<byte[]>> keys = keysOf(complete, null);
        requireFree(keys, KeyIndex.NO_RECORD, complete);
        long record = ++lastRecord;
        records.put(record, bytes);
        for (int i = 0; i < keys.size(); i++) {
            index(i).addKeys(keys.get(i), record);
        }
        return complete;
    }

    private Document withIdFirst(Document document) {
        String idField = getIdField();
        if (idField == null || !idField.equals("_id")) {
            return document;
        }
        Object id = document.get(idField);
        if (id instanceof java.util.Collection) {
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
     * @param changed the top-level fields that are going to change, null for any; an index that has none of them gets null
     */
    public List<List<byte[]>> keysOf(Document document, Set<String> changed) {
        List<Index<Long>> indexes = getIndexes();
        List<List<byte[]>> keys = new ArrayList<>(indexes.size());
        for (int i = 0; i < indexes.size(); i++) {
            keys.add(changed != null && index(i).ignores(changed) ? null : index(i).keysOf(document));
        }
        return keys;
    }

    private KeyIndex index(int i) {
        return (KeyIndex) getIndexes().get(i);
    }

    private void requireFree(List<List<byte[]>> keys, long record, Document document) {
        for (int i = 0; i < keys.size(); i++) {
            if (keys.get(i) != null) {
                index(i).requireFree(keys.get(i), record, document, this);
            }
        }
    }

    /**
     * Stores another document in the place of a hit.
     *
     * @param oldKeys what {@link #keysOf} gave for the hit, before its document was changed
     * @return whether anything changed
     */
    public boolean replace(Hit hit, Document document, List<List<byte[]>> oldKeys, Set<String> changed) {
        byte[] bytes = Bson.encode(document);
        if (java.util.Arrays.equals(bytes, hit.bytes())) {
            return false;
        }
        List<List<byte[]>> newKeys = keysOf(document, changed);
        requireFree(newKeys, hit.record(), document);
        records.put(hit.record(), bytes);
        for (int i = 0; i < newKeys.size(); i++) {
            if (newKeys.get(i) != null && !sameKeys(oldKeys.get(i), newKeys.get(i))) {
                index(i).removeKeys(oldKeys.get(i), hit.record());
                index(i).addKeys(newKeys.get(i), hit.record());
            }
        }
        return true;
    }

    private static boolean sameKeys(List<byte[]> a, List<byte[]> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!java.util.Arrays.equals(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    public void remove(Hit hit) {
        List<List<byte[]>> keys = keysOf(hit.document(), null);
        for (int i = 0; i < keys.size(); i++) {
            index(i).removeKeys(keys.get(i), hit.record());
        }
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
                index.requireFree(keys, KeyIndex.NO_RECORD, hit.document(), this);
                index.addKeys(keys, hit.record());
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
