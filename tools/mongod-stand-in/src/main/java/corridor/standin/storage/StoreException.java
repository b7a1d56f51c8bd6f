package corridor.standin.storage;

import java.nio.file.Path;

/** The data folder can't be used. The message names the cure; the exit code is the one that mongod uses for the same trouble. */
public final class StoreException extends RuntimeException {

    private static final int EXIT_DAMAGED = 14;
    private static final int EXIT_UNUSABLE = 100;

    private final int exitCode;

    private StoreException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    static StoreException damaged(Path file, String how) {
        return new StoreException("The data file " + file + " is damaged (" + how + "). It holds development data only: "
            + "remove the folder " + file.toAbsolutePath().getParent() + " and start again.", EXIT_DAMAGED);
    }

    static StoreException locked(Path file) {
        return new StoreException("The data file " + file + " is in use by another process. "
            + "Stop that one first, or start with another --dbpath.", EXIT_UNUSABLE);
    }

    static StoreException unusable(Path directory, String how) {
        return new StoreException("The data folder " + directory + " can't be used (" + how + "). "
            + "Give a folder that this user may write to with --dbpath, or use --memory.", EXIT_UNUSABLE);
    }

    public int exitCode() {
        return exitCode;
    }
}
