package corridor.standin.wire;

import java.io.IOException;

import corridor.standin.bson.Bson;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** One client: puts its bytes together to messages, answers each in turn. */
final class Connection extends ChannelInboundHandlerAdapter {

    private static final int LARGEST_MESSAGE = 48_000_000 + 16 * 1024;
    private static final int LENGTH_BYTES = 4;

    private final Commands commands;
    private final byte[] lengthBytes = new byte[LENGTH_BYTES];
    private int lengthFilled;
    private byte[] message;
    private int filled;
    private int lastReply;

    Connection(Commands commands) {
        this.commands = commands;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object received) throws IOException {
        ByteBuf bytes = (ByteBuf) received;
        try {
            while (bytes.isReadable()) {
                if (message == null) {
                    startMessage(bytes);
                } else {
                    continueMessage(context, bytes);
                }
            }
        } finally {
            bytes.release();
        }
    }

    private void startMessage(ByteBuf bytes) throws IOException {
        while (lengthFilled < LENGTH_BYTES && bytes.isReadable()) {
            lengthBytes[lengthFilled++] = bytes.readByte();
        }
        if (lengthFilled < LENGTH_BYTES) {
            return;
        }
        int length = Message.intAt(lengthBytes, 0);
        if (length < Message.HEADER_BYTES || length > LARGEST_MESSAGE) {
            throw new IOException("a message of " + length + " bytes");
        }
        message = new byte[length];
        System.arraycopy(lengthBytes, 0, message, 0, LENGTH_BYTES);
        filled = LENGTH_BYTES;
        lengthFilled = 0;
    }

    private void continueMessage(ChannelHandlerContext context, ByteBuf bytes) throws IOException {
        int part = Math.min(bytes.readableBytes(), message.length - filled);
        bytes.readBytes(message, filled, part);
        filled += part;
        if (filled < message.length) {
            return;
        }
        byte[] complete = message;
        message = null;
        answer(context, Message.parse(complete));
    }

    private void answer(ChannelHandlerContext context, Message request) {
        Document answer = commands.answer(context.channel(), request.database(), request.command());
        if (!request.wantsAnswer()) {
            return;
        }
        context.write(request.reply(++lastReply, Bson.encodeAny(answer), context.alloc()));
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        commands.disconnected(context.channel());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        boolean clientIsGone = cause instanceof IOException && cause.getMessage() != null && cause.getMessage().contains("reset");
        if (!clientIsGone) {
            System.err.println("mongod-stand-in: closing the connection of " + context.channel().remoteAddress() + ": " + cause);
        }
        context.close();
    }
}
