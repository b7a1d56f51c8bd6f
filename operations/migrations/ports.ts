// What the use-cases of migrations need of a store, and what a migration is.

/**
 * A change of stored documents from one schema version to the next. It may run beside processes of the release before it and
 * of its own, may be given up at any point, and may run any number of times, also twice at once. It makes no seal: what
 * nobody sealed must not be sealed by it.
 */
export interface Migration {
  /** Of the documents once it is done: 1 for the first, then each by one more. */
  readonly version: number;
  readonly name: string;
  /** For people: what it changes, and what it costs. */
  readonly does: string;
  /** The oldest code, by its schema version, that can work on what this writes. */
  readonly oldestReader: number;
  /** False: the code of this version works on documents of before it as well. */
  readonly isRequired: boolean;
  /** How many documents it would change now. Changes nothing. */
  pending(): Promise<number>;
  /**
   * Changes the next documents after the given one, in the order of their ids: few enough for some seconds.
   * @returns how many, and where to go on; undefined: there is nothing after them
   */
  page(after: string | undefined): Promise<{ readonly changed: number; readonly after: string | undefined }>;
}

/** What is known of a migration without a database. */
export type MigrationFacts = Omit<Migration, 'pending' | 'page'>;

/** A migration under way: who has it, until when (ms by the database's clock), and how far it is. */
export interface MigrationRun {
  readonly version: number;
  readonly owner: string;
  readonly until: number;
  readonly after: string | null;
  readonly changed: number;
}

export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly by: string;
  /** ms since 1970 */
  readonly at: number;
  readonly changed: number;
}

/** What the stores say of themselves. Nobody has sealed it: it can stop a process, and make it do nothing else. */
export interface StoresSchema {
  readonly version: number;
  readonly oldestReader: number;
  readonly applied: readonly AppliedMigration[];
  readonly run: MigrationRun | null;
}

/** Where the schema of the stores is kept. Every method rejects with a coded error when it cannot be asked. */
export interface SchemaStore {
  /** undefined: nobody has said yet, and there are documents. Empty stores count as of the newest version. */
  read(): Promise<StoresSchema | undefined>;
  /** The database's clock, ms since 1970. */
  now(): Promise<number>;
  /**
   * Takes the lock for the migration to `version`, if the stores are of the version before it, or newer, and nobody has it.
   * @returns how far an earlier run of it came; undefined: the lock was not to be had
   */
  begin(version: number, owner: string): Promise<Pick<MigrationRun, 'after' | 'changed'> | undefined>;
  /** Keeps the lock, and how far it is. @returns false: somebody else has it */
  advance(owner: string, at: Pick<MigrationRun, 'after' | 'changed'>): Promise<boolean>;
  /** The stores are of this version from here on. @returns false: somebody else has the lock */
  finish(owner: string, done: AppliedMigration, oldestReader: number): Promise<boolean>;
  /** Gives the lock back; how far the migration came stays. */
  release(owner: string): Promise<void>;
}
