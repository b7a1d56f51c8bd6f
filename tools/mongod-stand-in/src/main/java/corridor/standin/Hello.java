package corridor.standin;

import java.util.List;

import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.bson.Document;

/** What the server says of itself: a standalone MongoDB 7 with sessions. */
final class Hello {

    private static final int WIRE_VERSION = 21;
    private static final int SESSION_MINUTES = 30;
    private static final int MAX_STATEMENTS = 100_000;

    static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(7, 0, 14);
        }

        @Override
        public int getWireVersion() {
            return WIRE_VERSION;
        }
    };

    private Hello() {
    }

    /** Completes the library's answer to {@code isMaster}. */
    static Document answer(Document isMaster) {
        isMaster.put("isWritablePrimary", true);
        isMaster.put("helloOk", true);
        isMaster.put("readOnly", false);
        isMaster.put("maxWriteBatchSize", MAX_STATEMENTS);
        isMaster.put("logicalSessionTimeoutMinutes", SESSION_MINUTES);
        return isMaster;
    }
}
