package corridor.standin;

import java.util.Set;

/** The command line. Understands {@code --name value} and {@code --name=value}. */
record Options(int port, String dbpath, String bindIp, boolean memory, boolean version) {

    private static final int DEFAULT_PORT = 27017;
    /** Options of mongod that change nothing here. */
    private static final Set<String> IGNORED_WITH_VALUE = Set.of("--storageEngine", "--logpath", "--wiredTigerCacheSizeGB", "--setParameter");
    private static final Set<String> IGNORED = Set.of("--noauth", "--quiet", "--nounixsocket", "--logappend");

    static final class BadOption extends RuntimeException {
        BadOption(String message) {
            super(message);
        }
    }

    static Options parse(String[] arguments) {
        int port = DEFAULT_PORT;
        String dbpath = null;
        String bindIp = "127.0.0.1";
        boolean memory = false;
        boolean version = false;
        for (int i = 0; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            String name = equals < 0 ? arguments[i] : arguments[i].substring(0, equals);
            boolean takesValue = Set.of("--port", "--dbpath", "--bind_ip").contains(name) || IGNORED_WITH_VALUE.contains(name);
            String value = equals >= 0 ? arguments[i].substring(equals + 1) : null;
            if (takesValue && value == null) {
                if (++i == arguments.length) {
                    throw new BadOption(name + " needs a value.");
                }
                value = arguments[i];
            }
            switch (name) {
                case "--port" -> port = port(value);
                case "--dbpath" -> dbpath = value;
                case "--bind_ip" -> bindIp = value.equals("localhost") ? "127.0.0.1" : value;
                case "--memory" -> memory = true;
                case "--version" -> version = true;
                case "--replSet" -> throw new BadOption("--replSet is refused: the stand-in has no replica sets. Leave it out, and connect without replicaSet.");
                default -> {
                    if (!IGNORED.contains(name) && !IGNORED_WITH_VALUE.contains(name)) {
                        throw new BadOption("the option " + name + " is not known. Known are --port, --dbpath, --bind_ip, --memory, --version.");
                    }
                }
            }
        }
        if (!version && !memory && dbpath == null) {
            throw new BadOption("--dbpath is missing: say where the data goes, or give --memory to keep it in memory only.");
        }
        return new Options(port, dbpath, bindIp, memory, version);
    }

    private static int port(String value) {
        try {
            int port = Integer.parseInt(value);
            if (port >= 0 && port <= 65_535) {
                return port;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new BadOption("--port " + value + " is not a port. Give a number from 0 (any free one) to 65535.");
    }
}
