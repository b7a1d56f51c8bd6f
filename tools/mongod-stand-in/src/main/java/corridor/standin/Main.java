package corridor.standin;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;

import corridor.standin.storage.Store;
import corridor.standin.storage.StoreException;
import corridor.standin.wire.Server;

/** Starts the server with the options of {@code mongod} that make sense here. */
public final class Main {

    private static final int EXIT_BAD_OPTION = 2;
    private static final int EXIT_ADDRESS_IN_USE = 48;

    private Main() {
    }

    public static void main(String[] arguments) {
        long started = System.nanoTime();
        try {
            Options options = Options.parse(arguments);
            if (options.version()) {
                System.out.println("db version v" + Hello.VERSION.toVersionString());
                System.out.println("Corridor's stand-in for MongoDB, for development and tests only");
                return;
            }
            serve(options, started);
        } catch (Options.BadOption e) {
            fail(e.getMessage(), EXIT_BAD_OPTION);
        } catch (StoreException e) {
            fail(e.getMessage(), e.exitCode());
        }
    }

    private static void serve(Options options, long started) {
        InetSocketAddress address = loopback(options);
        Store store = options.memory() ? Store.inMemory() : Store.open(Path.of(options.dbpath()));
        StandInBackend backend = new StandInBackend(store);
        Server server = new Server(backend);
        try {
            int port = server.bind(address);
            TimeToLive.start(backend);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                server.close();
                backend.close();
            }, "shutdown"));
            System.out.printf("mongod-stand-in: waiting for connections on port %d (%s, %d ms)%n", port,
                options.memory() ? "in memory" : "data in " + options.dbpath(), (System.nanoTime() - started) / 1_000_000);
        } catch (IOException e) {
            fail("Port " + options.port() + " of " + options.bindIp() + " can't be used (" + e.getMessage()
                + "). Stop the process that has it, or choose another with --port.", EXIT_ADDRESS_IN_USE);
        }
    }

    private static InetSocketAddress loopback(Options options) {
        try {
            InetAddress address = InetAddress.getByName(options.bindIp());
            if (!address.isLoopbackAddress()) {
                fail("--bind_ip " + options.bindIp() + " is refused: the stand-in knows no passwords, so it listens on this machine only. "
                    + "Use 127.0.0.1.", EXIT_BAD_OPTION);
            }
            return new InetSocketAddress(address, options.port());
        } catch (UnknownHostException e) {
            fail("--bind_ip " + options.bindIp() + " is not an address of this machine. Use 127.0.0.1.", EXIT_BAD_OPTION);
            throw new IllegalStateException(e);
        }
    }

    private static void fail(String message, int exitCode) {
        System.err.println("mongod-stand-in: " + message);
        Runtime.getRuntime().halt(exitCode);
    }
}
