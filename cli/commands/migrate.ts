// `corridor migrate status|apply`: documents of an older release, brought to the form of this one.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { migrationsOf } from '../../adapters/mongo/migrations/index.ts';
import { schemaStore } from '../../adapters/mongo/migrations/schema-store.ts';
import { personName } from '../../domain/people/identities.ts';
import { type MigrationStatus, migrate, migrationStatus } from '../../operations/migrations/migrate.ts';
import type { Migration, SchemaStore } from '../../operations/migrations/ports.ts';
import { withConnections } from '../connections.ts';
import { print, printError, printRows, toJson, withJson } from '../output.ts';

interface ApplyOptions {
  readonly dryRun?: boolean;
  readonly by: string;
  readonly json?: boolean;
}

const withStores = (use: (store: SchemaStore, known: readonly Migration[]) => Promise<void>) =>
  withConnections(
    async (connections) => {
      const known = migrationsOf(await connections.db());
      await use(schemaStore(await connections.db(), known), known);
    },
    { anyStores: true },
  );

export function registerMigrate(program: Command): void {
  const migrations = program
    .command('migrate')
    .description('documents in MongoDB that an older release wrote: what is to be changed, and changing it');

  withJson(migrations.command('status', { isDefault: true }))
    .description('show which migrations are applied, and how many documents each would change; changes nothing')
    .action(({ json }: { json?: boolean }) =>
      withStores(async (store, known) => printStatus(await migrationStatus(store, known), json)),
    );

  withJson(migrations.command('apply'))
    .description('apply what is not applied yet, in order')
    .option('--dry-run', 'tell what would be changed, and change nothing')
    .option('--by <person>', 'who has it done; kept', userInfo().username)
    .addHelpText(
      'after',
      `
Processes may go on beside it. It may be ended at any time, and run again: it goes on from there. Of several at once, one works.

Examples:
  corridor migrate apply --dry-run
  corridor migrate apply --by amara`,
    )
    .action(({ dryRun, by, json }: ApplyOptions) =>
      withStores(async (store, known) => {
        if (dryRun) return printStatus(await migrationStatus(store, known), json);
        const applied = await migrate(store, known, {
          owner: randomUUID(),
          by: personName(by),
          onPage: ({ name }, changed) => changed > 0 && printError(`${name}: ${changed} documents`),
        });
        if (json) console.log(toJson(applied));
        else if (applied.length === 0) print('nothing to do');
        else
          for (const { version, name, changed } of applied) print(`version ${version}: ${name}, ${changed} documents`);
      }),
    );
}

function printStatus({ stored, migrations }: MigrationStatus, json: boolean | undefined): void {
  if (json) {
    console.log(toJson({ ...stored, migrations }));
    return;
  }
  printRows(
    migrations.map(({ version, name, isApplied, isRequired, documents, does }) => ({
      version,
      name,
      state: isApplied ? 'applied' : isRequired ? 'NEEDED' : 'not applied',
      documents,
      does,
    })),
    ['version', 'name', 'state', 'documents', 'does'],
  );
  const { run } = stored;
  print(`the stores are of schema version ${stored.version}`);
  if (run)
    print(
      `version ${run.version} is being applied: ${run.changed} documents, lock until ${new Date(run.until).toISOString()}`,
    );
}
