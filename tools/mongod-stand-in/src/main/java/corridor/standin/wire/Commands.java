package corridor.standin.wire;

import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;

/** What answers the commands of the clients. */
public interface Commands {

    /** Runs a command, whose name is its first field, and returns the answer; a failure is an answer too. */
    Document answer(Channel channel, String database, Document command);

    /** A client is gone. */
    void disconnected(Channel channel);
}
