package corridor.standin.storage;

import java.nio.ByteBuffer;

import org.h2.mvstore.MVMap;

/** The entries of an index: key bytes to record id. */
public final class KeyTable extends Table<byte[], Long> {

    KeyTable(Journal journal, String name, MVMap<byte[], Long> map) {
        super(journal, name, map);
    }

    @Override
    byte[] keyBytes(byte[] key) {
        return key;
    }

    @Override
    byte[] valueBytes(Long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    @Override
    void redoPut(byte[] key, byte[] value) {
        map.put(key, ByteBuffer.wrap(value).getLong());
    }

    @Override
    void redoRemove(byte[] key) {
        map.remove(key);
    }
}
