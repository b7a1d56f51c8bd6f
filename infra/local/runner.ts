import type { ProcessIdentity } from '../../ports/process-identity.ts';
import type { StateDir, StateSettings } from './state.ts';
import type { ServerKind, ServerName, StackUrls } from './types.ts';

export interface RunnerOptions {
  /** The servers to run: those that no URL replaces. */
  readonly kinds: readonly ServerKind[];
  readonly state: StateDir;
  readonly settings: StateSettings;
  readonly ephemeral: boolean;
  readonly detached: boolean;
  readonly fixedPorts: boolean;
  readonly advertisedPorts: readonly number[];
  /** Ports that servers must have again; others take any, or the documented ones. */
  readonly ports: ReadonlyMap<ServerName, number>;
  readonly artifactsDir: string;
  readonly trial: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (line: string) => void;
  readonly onUnexpectedExit: (server: ServerName, how: string) => void;
  /** Called when a server has been started or has come back: its process id is new. */
  readonly onChange: (stack: RunnerStack) => void;
}

export interface RunServer {
  readonly name: ServerName;
  /** The process, while it runs as one. */
  readonly identity: ProcessIdentity | null;
  readonly container: string | null;
  readonly log: string;
}

/** What runs the servers of a stack: child processes or containers. The methods are those of LocalStack. */
export interface RunnerStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  servers(): readonly RunServer[];
  archiveClasses(): Promise<void>;
  stop(): Promise<void>;
  kill(target: ServerKind | ServerName, signal: NodeJS.Signals): Promise<void>;
  stopServer(target: ServerKind | ServerName): Promise<void>;
  restart(target: ServerKind | ServerName): Promise<void>;
  freeze(target: ServerKind | ServerName): Promise<void>;
  thaw(target: ServerKind | ServerName): Promise<void>;
}
