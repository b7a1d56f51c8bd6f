package corridor.standin.command;

import java.util.List;

import corridor.standin.index.DuplicateKey;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.exception.MongoServerException;

/** The shapes of MongoDB's answers. */
public final class Replies {

    private static final int UNKNOWN_ERROR = 8;

    private Replies() {
    }

    public static Document ok() {
        Document reply = new Document();
        Utils.markOkay(reply);
        return reply;
    }

    /** The answer to a command that failed as a whole. */
    public static Document failure(MongoServerException e) {
        Document reply = new Document("ok", 0.0);
        describe(e, reply);
        return reply;
    }

    /** One entry of {@code writeErrors}: the statement at {@code index} failed, others may have succeeded. */
    public static Document writeError(int index, MongoServerException e) {
        Document error = new Document("index", index);
        describe(e, error);
        return error;
    }

    private static void describe(MongoServerException e, Document error) {
        error.put("errmsg", e.getMessageWithoutErrorCode());
        if (e instanceof MongoServerError serverError) {
            error.put("code", serverError.getCode());
            error.putIfNotNull("codeName", serverError.getCodeName());
        } else {
            error.put("code", UNKNOWN_ERROR);
            error.put("codeName", "UnknownError");
        }
        if (e instanceof DuplicateKey duplicate) {
            duplicate.describeIn(error);
        }
    }

    public static Document batch(String field, String namespace, long cursorId, List<?> documents) {
        Document cursor = new Document("id", cursorId).append("ns", namespace).append(field, documents);
        Document reply = new Document("cursor", cursor);
        Utils.markOkay(reply);
        return reply;
    }
}
