// What the local stack is made of, in the words its users see.

/** A kind of server that a Corridor process connects to. */
export type ServerKind = 'kafka' | 'registry' | 'mongo' | 'redisLimits' | 'redisQueue';

/** A single server. Kafka has one or three; every other kind has one, of the same name. */
export type ServerName = Exclude<ServerKind, 'kafka'> | 'kafka-1' | 'kafka-2' | 'kafka-3';

export const SERVER_KINDS: readonly ServerKind[] = ['kafka', 'registry', 'mongo', 'redisLimits', 'redisQueue'];

/** Who runs a server: a container, a plain child process, or somebody else (a URL from the environment). */
export type Runner = 'containers' | 'processes' | 'external';

export interface StackUrls {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  /** Base URL of the Confluent-compatible API, without a trailing slash. */
  readonly registryUrl: string;
  readonly mongoUri: string;
  readonly redisLimitsUrl: string;
  readonly redisQueueUrl: string;
}

export interface ServerInfo {
  readonly name: ServerName;
  readonly runner: Runner;
  /** Process id, or the container's id; null when it is not running or not ours. */
  readonly pid: number | null;
  readonly container: string | null;
  /** Its log file; null when somebody else runs it. */
  readonly log: string | null;
}

export interface StackOptions {
  /** Holds the data, logs and state of the stack. Made when missing. */
  readonly stateDir: string;
  /** Default: all. A URL of a server that is left out is an empty string. */
  readonly kinds?: readonly ServerKind[];
  /** True: fresh data, fast stop, and the state folder is removed at the end. Default false. */
  readonly ephemeral?: boolean;
  /** Three brokers replicate every topic three times and need two to be in sync. Default 1. */
  readonly brokers?: 1 | 3;
  /** Default `auto`: containers where a Docker daemon answers, else processes. */
  readonly runner?: 'auto' | 'containers' | 'processes';
  /** One line for a person to read, now and then. */
  readonly onProgress?: (line: string) => void;
  /** Where the overrides (`CORRIDOR_KAFKA_BROKERS`, `MONGODB_URI`, ...) are looked up. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** True: the documented ports, and an error when one is taken. Default false: free ones. */
  readonly fixedPorts?: boolean;
  /**
   * For a TCP proxy in front of Kafka: the port, on 127.0.0.1, that each broker tells its clients to use. The proxy
   * forwards to `LocalStack.kafkaBehindProxy`.
   */
  readonly advertisedPorts?: readonly number[];
  /** `detached`: the servers outlive this process, until `stopStack`. Default `process`: they never do. */
  readonly lifetime?: 'process' | 'detached';
  /**
   * For a run that somebody waits for: Kafka is up sooner and takes less under a long load, and nothing is done beside the
   * servers until `archiveClasses` is called. Default false.
   */
  readonly trial?: boolean;
  /** Where downloaded servers are kept. Default `.corridor/artifacts` in the checkout. */
  readonly artifactsDir?: string;
  /** Called when a server ends although nobody stopped it. */
  readonly onUnexpectedExit?: (server: ServerName, how: string) => void;
}

export interface LocalStack {
  readonly urls: StackUrls;
  readonly stateDir: string;
  /** False when another process runs the stack and this is only a view of it: `stop` then does nothing. */
  readonly owned: boolean;
  /** With `advertisedPorts`: host:port of each broker's own listener, where the proxy sends what it receives. */
  readonly kafkaBehindProxy: readonly string[];
  servers(): readonly ServerInfo[];
  runner(kind: ServerKind): Runner;
  /** Archives the classes of Java servers where that is missing, so that the next start is faster. Rejects never. */
  archiveClasses(): Promise<void>;
  /** Stops what was started here, and nothing else. Does nothing the second time. */
  stop(): Promise<void>;
  /** Kills without warning (SIGKILL by default) and waits for the end. */
  kill(kind: ServerKind | ServerName, signal?: NodeJS.Signals): Promise<void>;
  /** Stops the server if it runs, starts it with its data and its ports, and waits until it is healthy. */
  restart(kind: ServerKind | ServerName): Promise<void>;
  /** Shuts the server down in good order and leaves it down; `restart` brings it back. */
  stopServer(kind: ServerKind | ServerName): Promise<void>;
  /** Holds a server where it stands (SIGSTOP): its connections stay open, and nothing answers. */
  freeze(kind: ServerKind | ServerName): Promise<void>;
  thaw(kind: ServerKind | ServerName): Promise<void>;
}
