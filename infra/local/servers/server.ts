import type { Command } from '../processes.ts';
import type { ServerKind, ServerName } from '../types.ts';

/** How to run one server as a plain process, and how to tell that it is well. */
export interface ServerSpec {
  readonly name: ServerName;
  /** For people: "Kafka", "the schema registry". */
  readonly title: string;
  /** The ports of 127.0.0.1 that it binds. */
  readonly ports: readonly number[];
  /** `classArchive`: JVM options that load, or make, an archive of its classes; empty for a program that is no JVM. */
  command(classArchive: readonly string[]): Command;
  /** Makes its data folder, or checks the one that is there. Throws StackError STATE_CORRUPT. */
  prepare(): Promise<void>;
  /** One question in the server's own protocol. Throws until it is answered as it should be. */
  probe(): Promise<void>;
  /** How long an orderly end may take. */
  readonly graceMs: number;
  /** A line of its log that means damaged data. */
  readonly corrupt: RegExp;
  /** Where an archive of its classes is, or will be; null for a program that is no JVM. */
  readonly classArchive: string | null;
}

/** A kind of server: its processes, and what is to be done once all of them answer. */
export interface ServerKindSpec {
  readonly name: ServerKind;
  readonly servers: readonly ServerSpec[];
  readonly settle: (signal: AbortSignal, running: readonly ServerName[]) => Promise<void>;
}
