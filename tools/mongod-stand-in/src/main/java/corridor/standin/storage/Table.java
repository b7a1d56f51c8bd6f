package corridor.standin.storage;

import java.nio.ByteBuffer;

import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;

import io.netty.buffer.ByteBuf;

/**
 * One sorted map of the store. Every change goes through here, so that it is in the journal too.
 * Writers must hold the write lock of the server; readers see a consistent map at any time.
 */
public abstract class Table<K, V> {

    private final Journal journal;
    private String name;
    final MVMap<K, V> map;

    Table(Journal journal, String name, MVMap<K, V> map) {
        this.journal = journal;
        this.name = name;
        this.map = map;
    }

    /** Writes a key for the journal; {@link #redoPut} and {@link #redoRemove} read it again. */
    abstract void writeKey(K key, ByteBuf out);

    abstract void writeValue(V value, ByteBuf out);

    abstract void redoPut(ByteBuffer in);

    abstract void redoRemove(ByteBuffer in);

    public final String name() {
        return name;
    }

    final void renamed(String newName) {
        name = newName;
    }

    /** Whether the table has been removed. */
    public final boolean isRemoved() {
        return map.isClosed();
    }

    public final V get(K key) {
        return map.get(key);
    }

    public final V put(K key, V value) {
        journal.put(this, key, value);
        return map.put(key, value);
    }

    /** Puts the value unless the key has one already, which is returned then. */
    public final V putIfAbsent(K key, V value) {
        V present = map.putIfAbsent(key, value);
        if (present == null) {
            journal.put(this, key, value);
        }
        return present;
    }

    public final V remove(K key) {
        journal.remove(this, key);
        return map.remove(key);
    }

    public final void clear() {
        if (map.isEmpty()) {
            return;
        }
        journal.clear(this);
        map.clear();
    }

    public final boolean isEmpty() {
        return map.isEmpty();
    }

    public final long size() {
        return map.sizeAsLong();
    }

    public final K lastKey() {
        return map.lastKey();
    }

    /** Entries from {@code from} to {@code to}, both included; null is an open end. With {@code reverse}, {@code from} is the upper end. */
    public final Cursor<K, V> cursor(K from, K to, boolean reverse) {
        return map.cursor(from, to, reverse);
    }
}
