package corridor.standin.index;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Predicate;

import corridor.standin.storage.KeyTable;
import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.CannotIndexParallelArraysError;

/**
 * An index, unique or not, sparse, partial or with a time to live: sorted key bytes that lead to record ids.
 * A unique index has one entry for a key; the keys of the others end with the record id.
 */
public final class KeyIndex extends Index<Long> {

    private static final byte[] MULTIPLE_MARK = {0};

    private final String[][] paths;
    private final boolean[] ascending;
    private final boolean unique;
    private final Document partialFilter;
    private final Long expireAfterSeconds;
    private final KeyTable table;
    private final QueryMatcher matcher = new DefaultQueryMatcher();
    private boolean multiple;

    public KeyIndex(String name, List<IndexKey> keys, boolean unique, Document description, KeyTable table) {
        super(name, keys, description != null && Utils.isTrue(description.get("sparse")));
        this.paths = keys.stream().map(key -> key.getKey().split("\\.")).toArray(String[][]::new);
        this.ascending = new boolean[keys.size()];
        for (int i = 0; i < ascending.length; i++) {
            ascending[i] = keys.get(i).isAscending();
        }
        this.unique = unique;
        this.partialFilter = description == null ? null : (Document) description.get("partialFilterExpression");
        this.expireAfterSeconds = description != null && description.get("expireAfterSeconds") instanceof Number seconds ? seconds.longValue() : null;
        this.table = table;
        this.multiple = table.get(MULTIPLE_MARK) != null;
    }

    // --- what it is -----------------------------------------------------------------------------------------------

    @Override
    public boolean isUnique() {
        return unique;
    }

    @Override
    public boolean isSparse() {
        return super.isSparse();
    }

    public Document partialFilter() {
        return partialFilter;
    }

    /** Seconds after the time in the (only) field at which a document goes, or null. */
    public Long expireAfterSeconds() {
        return expireAfterSeconds;
    }

    public int fieldCount() {
        return paths.length;
    }

    public String field(int i) {
        return getKeys().get(i).getKey();
    }

    public boolean ascending(int i) {
        return ascending[i];
    }

    /** Whether one document may have several entries, because an array is indexed. */
    public boolean multiple() {
        return multiple;
    }

    public KeyTable table() {
        return table;
    }

    @Override
    public boolean hasSameOptions(Index<?> other) {
        return other instanceof KeyIndex that && sameKeys(that) && unique == that.unique && isSparse() == that.isSparse()
            && Objects.equals(partialFilter, that.partialFilter) && Objects.equals(expireAfterSeconds, that.expireAfterSeconds);
    }

    public boolean sameKeys(KeyIndex that) {
        return getKeys().toString().equals(that.getKeys().toString());
    }

    /** Whether a change of the touched top-level fields can't change the entries of a document. */
    public boolean ignores(Predicate<String> touched) {
        if (partialFilter != null) {
            return false;
        }
        for (String[] path : paths) {
            if (touched.test(path[0])) {
                return false;
            }
        }
        return true;
    }

    // --- keys -----------------------------------------------------------------------------------------------------

    /** The keys of a document, none when the index does not hold it. */
    public List<byte[]> keysOf(Document document) {
        if (partialFilter != null && !matcher.matches(document, partialFilter)) {
            return List.of();
        }
        byte[] single = singleKey(document);
        if (single != null) {
            return List.of(single);
        }
        FieldValues[] fields = new FieldValues[paths.length];
        boolean present = false;
        boolean several = false;
        String arrayRoot = null;
        for (int i = 0; i < paths.length; i++) {
            fields[i] = FieldValues.of(document, paths[i]);
            present |= fields[i].present;
            if (fields[i].multiple) {
                if (arrayRoot != null && !arrayRoot.equals(paths[i][0])) {
                    throw new CannotIndexParallelArraysError(List.of(arrayRoot, paths[i][0]));
                }
                arrayRoot = paths[i][0];
                several = true;
            }
        }
        if (isSparse() && !present) {
            return List.of();
        }
        if (several) {
            markMultiple();
        }
        TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
        combine(fields, 0, new Object[fields.length], keys);
        return new ArrayList<>(keys);
    }

    /** The key of a document in the most frequent case: top-level fields without arrays. Null in any other. */
    private byte[] singleKey(Document document) {
        if (isSparse()) {
            return null;
        }
        KeyBuffer key = new KeyBuffer();
        for (int i = 0; i < paths.length; i++) {
            Object value = paths[i].length == 1 ? document.get(paths[i][0]) : List.of();
            if (value instanceof Collection) {
                return null;
            }
            encodeField(i, value, key);
        }
        return key.toByteArray();
    }

    private void combine(FieldValues[] fields, int i, Object[] chosen, TreeSet<byte[]> keys) {
        if (i == fields.length) {
            KeyBuffer key = new KeyBuffer();
            for (int f = 0; f < chosen.length; f++) {
                encodeField(f, chosen[f], key);
            }
            keys.add(key.toByteArray());
            return;
        }
        for (Object value : fields[i].values) {
            chosen[i] = value;
            combine(fields, i + 1, chosen, keys);
        }
    }

    private void encodeField(int i, Object value, KeyBuffer key) {
        int start = key.size();
        KeyCodec.encode(value, key);
        if (!ascending[i]) {
            key.invertFrom(start);
        }
    }

    private void markMultiple() {
        if (!multiple) {
            multiple = true;
            table.put(MULTIPLE_MARK, 1L);
        }
    }

    /**
     * Adds the entries of a document. Throws E11000 when another document has one of the keys of a unique index;
     * then none has been added.
     */
    public void addKeys(List<byte[]> keys, long record, Document document, MongoCollection<?> collection) {
        for (int i = 0; i < keys.size(); i++) {
            if (!unique) {
                table.put(entry(keys.get(i), record), record);
                continue;
            }
            Long holder = table.putIfAbsent(keys.get(i), record);
            if (holder != null && holder != record) {
                removeKeys(keys.subList(0, i), record);
                throw new DuplicateKey(this, document, collection);
            }
        }
    }

    public void removeKeys(List<byte[]> keys, long record) {
        for (byte[] key : keys) {
            table.remove(entry(key, record));
        }
    }

    private byte[] entry(byte[] key, long record) {
        return unique ? key : ByteBuffer.allocate(key.length + Long.BYTES).put(key).putLong(record).array();
    }

    /** Forgets all entries. */
    public void clear() {
        multiple = false;
        table.clear();
    }

    // --- the library's interface; the stand-in's collection calls the methods above instead ---------------------------

    @Override
    public Long getPosition(Document document) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void checkAdd(Document document, MongoCollection<Long> collection) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void add(Document document, Long position, MongoCollection<Long> collection) {
        addKeys(keysOf(document), position, document, collection);
    }

    @Override
    public Long remove(Document document) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean canHandle(Document query) {
        return false;
    }

    @Override
    public Iterable<Long> getPositions(Document query) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long getCount() {
        return table.size() - (multiple ? 1 : 0);
    }

    @Override
    public boolean isEmpty() {
        return getCount() == 0;
    }

    @Override
    public long getDataSize() {
        return getCount();
    }

    @Override
    public void checkUpdate(Document oldDocument, Document newDocument, MongoCollection<Long> collection) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void updateInPlace(Document oldDocument, Document newDocument, Long position, MongoCollection<Long> collection) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void drop() {
        // the database removes the table
    }
}
