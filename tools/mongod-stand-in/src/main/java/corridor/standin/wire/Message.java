package corridor.standin.wire;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import corridor.standin.bson.Bson;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** A request in MongoDB's wire protocol: OP_MSG, or OP_QUERY with which drivers say hello. */
final class Message {

    static final int HEADER_BYTES = 16;
    private static final int OP_REPLY = 1;
    private static final int OP_QUERY = 2004;
    private static final int OP_MSG = 2013;
    private static final int CHECKSUM_PRESENT = 1;
    private static final int MORE_TO_COME = 2;
    private static final int CHECKSUM_BYTES = 4;
    private static final int KIND_BODY = 0;
    private static final int KIND_SEQUENCE = 1;
    private static final int AWAIT_CAPABLE = 8;

    private final int requestId;
    private final int opCode;
    private final String database;
    private final Document command;
    private final boolean wantsAnswer;

    private Message(int requestId, int opCode, String database, Document command, boolean wantsAnswer) {
        this.requestId = requestId;
        this.opCode = opCode;
        this.database = database;
        this.command = command;
        this.wantsAnswer = wantsAnswer;
    }

    String database() {
        return database;
    }

    Document command() {
        return command;
    }

    boolean wantsAnswer() {
        return wantsAnswer;
    }

    static Message parse(byte[] bytes) throws IOException {
        int requestId = intAt(bytes, 4);
        int opCode = intAt(bytes, 12);
        try {
            return switch (opCode) {
                case OP_MSG -> parseMessage(bytes, requestId);
                case OP_QUERY -> parseQuery(bytes, requestId);
                default -> throw new IOException("operation code " + opCode + " is not supported");
            };
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException("a message that is not well formed: " + e, e);
        }
    }

    private static Message parseMessage(byte[] bytes, int requestId) throws IOException {
        int flags = intAt(bytes, HEADER_BYTES);
        int end = bytes.length - ((flags & CHECKSUM_PRESENT) != 0 ? CHECKSUM_BYTES : 0);
        Document command = null;
        Document sequences = new Document();
        int position = HEADER_BYTES + 4;
        while (position < end) {
            byte kind = bytes[position++];
            int size = intAt(bytes, position);
            if (kind == KIND_BODY) {
                command = Bson.decode(bytes, position);
            } else if (kind == KIND_SEQUENCE) {
                readSequence(bytes, position, position + size, sequences);
            } else {
                throw new IOException("section kind " + kind + " is not supported");
            }
            position += size;
        }
        if (command == null || !(command.get("$db") instanceof String database)) {
            throw new IOException("a message without a body");
        }
        command.putAll(sequences);
        return new Message(requestId, OP_MSG, database, command, (flags & MORE_TO_COME) == 0);
    }

    private static void readSequence(byte[] bytes, int start, int end, Document sequences) {
        int position = start + 4;
        int nameEnd = endOfText(bytes, position);
        String name = new String(bytes, position, nameEnd - position, StandardCharsets.UTF_8);
        List<Document> documents = new ArrayList<>();
        position = nameEnd + 1;
        while (position < end) {
            documents.add(Bson.decode(bytes, position));
            position += intAt(bytes, position);
        }
        sequences.put(name, documents);
    }

    private static Message parseQuery(byte[] bytes, int requestId) throws IOException {
        int nameStart = HEADER_BYTES + 4;
        int nameEnd = endOfText(bytes, nameStart);
        String name = new String(bytes, nameStart, nameEnd - nameStart, StandardCharsets.UTF_8);
        int dot = name.indexOf('.');
        if (dot < 0 || !name.endsWith(".$cmd")) {
            throw new IOException("OP_QUERY of " + name + " is not supported");
        }
        Document query = Bson.decode(bytes, nameEnd + 1 + 8);
        Document command = query.get("$query") instanceof Document wrapped ? wrapped : query;
        return new Message(requestId, OP_QUERY, name.substring(0, dot), command, true);
    }

    ByteBuf reply(int replyId, byte[] answer, ByteBufAllocator allocator) {
        int extra = opCode == OP_MSG ? 5 : 20;
        int length = HEADER_BYTES + extra + answer.length;
        ByteBuf reply = allocator.directBuffer(length);
        reply.writeIntLE(length).writeIntLE(replyId).writeIntLE(requestId).writeIntLE(opCode == OP_MSG ? OP_MSG : OP_REPLY);
        if (opCode == OP_MSG) {
            reply.writeIntLE(0).writeByte(KIND_BODY);
        } else {
            reply.writeIntLE(AWAIT_CAPABLE).writeLongLE(0).writeIntLE(0).writeIntLE(1);
        }
        return reply.writeBytes(answer);
    }

    static int intAt(byte[] bytes, int position) {
        return bytes[position] & 0xFF | (bytes[position + 1] & 0xFF) << 8 | (bytes[position + 2] & 0xFF) << 16 | bytes[position + 3] << 24;
    }

    private static int endOfText(byte[] bytes, int from) {
        int end = from;
        while (bytes[end] != 0) {
            end++;
        }
        return end;
    }
}
