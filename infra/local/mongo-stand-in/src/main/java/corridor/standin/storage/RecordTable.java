package corridor.standin.storage;

import java.nio.ByteBuffer;

import org.h2.mvstore.MVMap;

/** The documents of a collection as BSON, by record id. Record ids grow, so new documents are appended and stay together. */
public final class RecordTable extends Table<Long, byte[]> {

    RecordTable(Journal journal, String name, MVMap<Long, byte[]> map) {
        super(journal, name, map);
    }

    @Override
    byte[] keyBytes(Long key) {
        return ByteBuffer.allocate(Long.BYTES).putLong(key).array();
    }

    @Override
    byte[] valueBytes(byte[] value) {
        return value;
    }

    @Override
    void redoPut(byte[] key, byte[] value) {
        map.put(ByteBuffer.wrap(key).getLong(), value);
    }

    @Override
    void redoRemove(byte[] key) {
        map.remove(ByteBuffer.wrap(key).getLong());
    }
}
