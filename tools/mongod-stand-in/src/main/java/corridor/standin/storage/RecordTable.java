package corridor.standin.storage;

import java.nio.ByteBuffer;

import org.h2.mvstore.MVMap;

import io.netty.buffer.ByteBuf;

/** The documents of a collection as BSON, by record id. Record ids grow, so new documents are appended and stay together. */
public final class RecordTable extends Table<Long, byte[]> {

    RecordTable(Journal journal, String name, MVMap<Long, byte[]> map) {
        super(journal, name, map);
    }

    @Override
    void writeKey(Long key, ByteBuf out) {
        out.writeLong(key);
    }

    @Override
    void writeValue(byte[] value, ByteBuf out) {
        Journal.writeBytes(value, out);
    }

    @Override
    void redoPut(ByteBuffer in) {
        Long key = in.getLong();
        map.put(key, Journal.readBytes(in));
    }

    @Override
    void redoRemove(ByteBuffer in) {
        map.remove(in.getLong());
    }
}
