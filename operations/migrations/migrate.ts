// Applies migrations, one at a time over all processes: whoever has the lock goes on from where an earlier run came to.
//
// The lock expires. A process that lost it may still write one page beside its successor; that does no harm, since every
// migration may run twice at once, and neither the version nor how far it came is written without the lock.
import { CodedError } from '../../ports/fault.ts';
import type { AppliedMigration, Migration, MigrationFacts, SchemaStore, StoresSchema } from './ports.ts';
import { checkNotNewer, UNSTATED } from './standing.ts';

/** Processes of the release before may write documents of before behind a migration: it looks again so often at most. */
const MAX_PASSES = 5;

export interface MigrateOptions {
  /** Names this run; no other has the same. */
  readonly owner: string;
  /** Who has it run. */
  readonly by: string;
  readonly onPage?: (migration: MigrationFacts, changed: number) => void;
}

export interface MigrationStatus {
  readonly stored: StoresSchema;
  /** Each that this code knows, with how many documents it would change. */
  readonly migrations: readonly (MigrationFacts & { readonly isApplied: boolean; readonly documents: number })[];
}

/** What is applied, and how many documents are left for each migration. Changes nothing. @throws CodedError STORES_NEWER */
export async function migrationStatus(store: SchemaStore, known: readonly Migration[]): Promise<MigrationStatus> {
  const stored = (await store.read()) ?? UNSTATED;
  checkNotNewer(known, stored);
  const migrations = [];
  for (const { pending, page: _, ...facts } of known) {
    migrations.push({ ...facts, isApplied: facts.version <= stored.version, documents: await pending() });
  }
  return { stored, migrations };
}

/**
 * Applies what is not applied yet, in order, and again what older processes have written behind it. What it did stays when it
 * ends early: the next run goes on.
 * @returns what was applied by this run
 * @throws CodedError STORES_NEWER, MIGRATION_RUNNING, MIGRATION_LOST, MIGRATION_UNFINISHED, and what the stores throw
 */
export async function migrate(
  store: SchemaStore,
  known: readonly Migration[],
  options: MigrateOptions,
): Promise<readonly AppliedMigration[]> {
  const applied: AppliedMigration[] = [];
  for (const migration of known) {
    const stored = (await store.read()) ?? UNSTATED;
    checkNotNewer(known, stored);
    const isApplied = migration.version <= stored.version;
    if (isApplied && (await migration.pending()) === 0) continue;
    const begun = await store.begin(migration.version, options.owner);
    if (!begun) throw await running(store, migration);
    applied.push(await run(store, migration, begun, options));
  }
  return applied;
}

async function running(store: SchemaStore, { version }: MigrationFacts): Promise<CodedError> {
  const until = (await store.read())?.run?.until;
  const when = until === undefined ? '' : ` and has the lock until ${new Date(until).toISOString()}`;
  return new CodedError(
    'MIGRATION_RUNNING',
    `another process applies the migration to version ${version}${when}: wait for it; if it has died, run this again then`,
  );
}

async function run(
  store: SchemaStore,
  migration: Migration,
  begun: { readonly after: string | null; readonly changed: number },
  { owner, by, onPage }: MigrateOptions,
): Promise<AppliedMigration> {
  try {
    let { changed } = begun;
    let after = begun.after ?? undefined;
    for (let pass = 1; ; pass++) {
      do {
        const page = await migration.page(after);
        changed += page.changed;
        after = page.after;
        onPage?.(migration, changed);
        if (!(await store.advance(owner, { after: after ?? null, changed }))) throw lost(migration);
      } while (after !== undefined);
      // Nobody sealed how far it came, and older processes write on: what counts is that nothing is left.
      if ((await migration.pending()) === 0) break;
      if (pass === MAX_PASSES) throw unfinished(migration);
    }
    const { version, name, oldestReader } = migration;
    const done = { version, name, by, at: await store.now(), changed };
    if (!(await store.finish(owner, done, oldestReader))) throw lost(migration);
    return done;
  } catch (error) {
    // When the stores cannot be reached for this either, the lock expires.
    await store.release(owner).catch(() => undefined);
    throw error;
  }
}

const lost = ({ version }: MigrationFacts) =>
  new CodedError(
    'MIGRATION_LOST',
    `another process has taken over the migration to version ${version}, since this one was silent for too long`,
  );

const unfinished = ({ version }: MigrationFacts) =>
  new CodedError(
    'MIGRATION_UNFINISHED',
    `documents of before version ${version} are still being written: stop the processes of the release before, and run this again`,
  );
