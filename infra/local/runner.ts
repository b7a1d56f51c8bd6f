import type { ProcessIdentity } from './processes.ts';
import type { StateDir, StateSettings } from './state.ts';
import type { PartName, ServerName, StackUrls } from './types.ts';

export interface ProviderOptions {
  /** The parts to run: those that no URL replaces. */
  readonly parts: readonly PartName[];
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
  readonly onChange: (stack: ProviderStack) => void;
}

export interface ProvidedServer {
  readonly name: ServerName;
  /** The process, while it runs as one. */
  readonly identity: ProcessIdentity | null;
  readonly container: string | null;
  readonly log: string;
}

/** What runs the servers of a stack: child processes or containers. The methods are those of LocalStack. */
export interface ProviderStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  servers(): readonly ProvidedServer[];
  archiveClasses(): Promise<void>;
  stop(): Promise<void>;
  kill(target: PartName | ServerName, signal: NodeJS.Signals): Promise<void>;
  stopPart(target: PartName | ServerName): Promise<void>;
  restart(target: PartName | ServerName): Promise<void>;
  freeze(target: PartName | ServerName): Promise<void>;
  thaw(target: PartName | ServerName): Promise<void>;
}
