package corridor.standin.storage;

import java.nio.ByteBuffer;

import org.h2.mvstore.MVMap;

import io.netty.buffer.ByteBuf;

/** The entries of an index: key bytes to record id. */
public final class KeyTable extends Table<byte[], Long> {

    KeyTable(Journal journal, String name, MVMap<byte[], Long> map) {
        super(journal, name, map);
    }

    @Override
    void writeKey(byte[] key, ByteBuf out) {
        Journal.writeBytes(key, out);
    }

    @Override
    void writeValue(Long value, ByteBuf out) {
        out.writeLong(value);
    }

    @Override
    void redoPut(ByteBuffer in) {
        byte[] key = Journal.readBytes(in);
        map.put(key, in.getLong());
    }

    @Override
    void redoRemove(ByteBuffer in) {
        map.remove(Journal.readBytes(in));
    }
}
