package corridor.standin;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

import corridor.standin.index.KeyIndex;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.oplog.NoopOplog;

/** Removes, every few seconds, the documents whose time is over according to a TTL index, and forgets idle cursors. */
final class TimeToLive implements Runnable {

    private static final int EVERY_MS = 5_000;
    /** How many documents go at a time, so that writers never wait long. */
    private static final int AT_ONCE = 1_000;

    private final StandInBackend backend;

    TimeToLive(StandInBackend backend) {
        this.backend = backend;
    }

    static void start(StandInBackend backend) {
        Thread thread = new Thread(new TimeToLive(backend), "time-to-live");
        thread.setDaemon(true);
        thread.start();
    }

    private record Expiry(StandInCollection collection, String field, long seconds) {
    }

    @Override
    public void run() {
        while (true) {
            try {
                Thread.sleep(EVERY_MS);
                sweep();
            } catch (InterruptedException e) {
                return;
            } catch (MongoServerException e) {
                System.err.println("mongod-stand-in: removing expired documents failed, will be tried again: " + e);
            }
        }
    }

    private void sweep() {
        backend.cursors().forgetIdle();
        for (Expiry expiry : backend.read(this::expiries)) {
            Document over = new Document("$lt", Instant.now().minusSeconds(expiry.seconds));
            int removed;
            do {
                removed = backend.write(() -> removeSome(expiry, over));
            } while (removed == AT_ONCE);
        }
    }

    private int removeSome(Expiry expiry, Document over) {
        int removed = 0;
        var cursor = expiry.collection.find(new Document(expiry.field, over), null, 0, AT_ONCE);
        List<corridor.standin.query.Hit> hits = new ArrayList<>();
        for (var hit = cursor.next(); hit != null; hit = cursor.next()) {
            hits.add(hit);
        }
        for (var hit : hits) {
            expiry.collection.remove(hit);
            removed++;
        }
        return removed;
    }

    private List<Expiry> expiries() {
        List<Expiry> expiries = new ArrayList<>();
        for (StandInDatabase database : backend.databases()) {
            for (StandInCollection collection : database.collections()) {
                for (Index<Long> index : collection.getIndexes()) {
                    if (((KeyIndex) index).expireAfterSeconds() != null) {
                        expiries.add(new Expiry(collection, ((KeyIndex) index).field(0), ((KeyIndex) index).expireAfterSeconds()));
                    }
                }
            }
        }
        return expiries;
    }
}
