// `corridor lists import|diff|activate|show`: sanctions list versions.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import { CodedError } from '../../ports/fault.ts';
import {
  type DropReason,
  diffLists,
  type ImportReport,
  type ListEntity,
  ListRefused,
} from '../../screening/lists/index.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore, StoredActivation } from '../../screening/versions/store.ts';
import type { Connections } from '../../services/connections.ts';
import { activationPublisher } from '../../services/screening.ts';
import { withConnections } from '../connections.ts';
import { LIST_FORMATS, readListFiles } from '../lists/read-files.ts';
import { print, printRows, toJson, withJson } from '../output.ts';

interface ImportOptions {
  readonly source?: string;
  readonly published?: string;
  readonly maxShrink: string;
  readonly activate?: boolean;
  readonly by: string;
  readonly json?: boolean;
}

const withLists = (use: (store: ListStore, connections: Connections) => Promise<void>) =>
  withConnections(async (connections) => {
    const store = listStore(await connections.db(), connections.config.keys);
    await store.ensureIndexes();
    await use(store, connections);
  });

export function registerLists(program: Command): void {
  const lists = program.command('lists').description('sanctions list versions: import, compare, put in force');

  withJson(lists.command('import'))
    .argument('<format>', LIST_FORMATS.join(', '))
    .argument('<files...>', "the publisher's files; OFAC's by name: sdn, alt, add, comments")
    .description('read a list and keep it as an immutable version; tells what was read and what was dropped')
    .option('--source <name>', "another source than the publisher, for a list in OFAC's format")
    .option('--published <date>', 'ISO date of publication, where the files do not state it')
    .option('--max-shrink <share>', 'refuse when more than this share of entities or names is gone', '0.1')
    .option('--activate', 'put it in force at once')
    .option('--by <person>', 'who imports', userInfo().username)
    .addHelpText(
      'after',
      `
A file that does not parse, is a web page, is cut off, or shrank too much is refused; what is in force stays in force.

Examples:
  corridor lists import ofac SDN.CSV ALT.CSV ADD.CSV SDN_COMMENTS.CSV --published 2026-11-23
  corridor lists import un consolidated.xml --activate`,
    )
    .action((format: string, files: string[], options: ImportOptions) =>
      withLists(async (store, connections) => {
        const maxShrink = shareOf(options.maxShrink);
        const version = await readListFiles(format, files, options);
        const terms = { by: options.by, now: Date.now(), maxShrink };
        const imported = await importVersion(store, version, terms).catch(refused);
        const { report } = version;
        if (options.json) console.log(toJson({ ...imported, source: version.source, report }));
        else printReport(imported.versionId, imported.isNew, report);
        if (options.activate) await activate(store, connections, imported.versionId, options.by, options.json);
      }),
    );

  withJson(lists.command('show'))
    .argument('[version]', 'one version, with its import report; without it, all of them')
    .description('list versions, and which are in force')
    .option('--source <name>', 'of this source only')
    .option('--limit <n>', 'at most so many', '50')
    .addHelpText('after', '\nExamples:\n  corridor lists show\n  corridor lists show OFAC-2026-11-23-1f2e3d4c5b6a')
    .action((versionId: string | undefined, options: { source?: string; limit: string; json?: boolean }) =>
      withLists(async (store) => {
        const active = await store.active();
        const inForce = new Map(active.map((each) => [each.list?.versionId, each]));
        if (versionId !== undefined) {
          const head = await store.head(versionId);
          if (options.json) console.log(toJson({ ...head, active: inForce.get(versionId) ?? null }));
          else printReport(versionId, true, head.report);
          return;
        }
        const { source, limit } = options;
        const heads = await store.heads({ limit: Number(limit), ...(source === undefined ? {} : { source }) });
        printRows(
          heads.map((head) => {
            const activation = inForce.get(head.versionId);
            return {
              version: head.versionId,
              published: head.publicationDate ?? '-',
              entities: head.counts.entities,
              names: head.counts.names,
              imported: new Date(head.importedAt),
              by: head.importedBy,
              inForceSince: Number.isFinite(activation?.activatedAt) ? new Date(activation!.activatedAt) : undefined,
              state: head.isSealed ? stateOf(activation) : 'NOT SEALED: import it again',
            };
          }),
          ['version', 'published', 'entities', 'names', 'imported', 'by', 'inForceSince', 'state'],
          options.json,
        );
      }),
    );

  withJson(lists.command('diff'))
    .argument('<before>', 'version')
    .argument('<after>', 'version')
    .description('entities added, removed and changed between two versions')
    .option('--limit <n>', 'print at most so many entities', '50')
    .addHelpText('after', '\nExample:\n  corridor lists diff OFAC-2024-04-04-… OFAC-2024-05-03-…')
    .action((before: string, after: string, options: { limit: string; json?: boolean }) =>
      withLists(async (store) => {
        const [old, now] = await Promise.all([entitiesOf(store, before), entitiesOf(store, after)]);
        const { added, removed, changed } = diffLists({ entities: old }, { entities: now });
        const rows = [
          ...added.map((entity) => row('added', entity, '')),
          ...removed.map((entity) => row('removed', entity, '')),
          ...changed.map(({ after: entity, fields }) => row('changed', entity, fields.join(', '))),
        ];
        const counts = { added: added.length, removed: removed.length, changed: changed.length };
        if (options.json) {
          console.log(toJson({ before, after, ...counts, entities: rows }));
          return;
        }
        print(`+${counts.added} / -${counts.removed} / ${counts.changed} changed`);
        if (rows.length > 0)
          printRows(rows.slice(0, Number(options.limit)), ['what', 'entity', 'type', 'name', 'fields']);
        if (rows.length > Number(options.limit)) print(`and ${rows.length - Number(options.limit)} more (--limit)`);
      }),
    );

  withJson(lists.command('activate'))
    .argument('<version>', 'version')
    .description('put a version in force: for every instance, and for payouts not yet submitted')
    .option('--by <person>', 'who decides', userInfo().username)
    .addHelpText('after', '\nExample:\n  corridor lists activate OFAC-2026-11-23-1f2e3d4c5b6a')
    .action((versionId: string, { by, json }: { by: string; json?: boolean }) =>
      withLists((store, connections) => activate(store, connections, versionId, by, json)),
    );
}

function stateOf(activation: StoredActivation | undefined): string {
  if (!activation) return '-';
  if (!activation.isSealed) return 'NOT SEALED: activate it again';
  return activation.published ? 'in force' : 'in force, not told yet: activate again';
}

/** A refusal in words, without a stack. What is in force stays in force. */
function refused(error: unknown): never {
  throw error instanceof ListRefused ? new CodedError(error.code, `refused: ${error.message}`) : error;
}

async function activate(
  store: ListStore,
  connections: Connections,
  versionId: string,
  by: string,
  json: boolean | undefined,
): Promise<void> {
  const { publish, lastOf, close } = await activationPublisher(connections);
  try {
    const { activation, changed } = await activateVersion(store, publish, versionId, { by, now: Date.now(), lastOf });
    if (json) console.log(toJson({ ...activation, changed }));
    else print(changed ? `${versionId} is in force` : `${versionId} was in force already`);
  } finally {
    await close();
  }
}

async function entitiesOf(store: ListStore, versionId: string): Promise<readonly ListEntity[]> {
  const { head, chunks } = await store.load(versionId);
  return unpackEntities(chunks, head.entitiesHash);
}

const row = (what: string, entity: ListEntity, fields: string) => ({
  what,
  entity: entity.id,
  type: entity.type,
  name: entity.names[0]!.full,
  fields,
});

function printReport(versionId: string, isNew: boolean, report: ImportReport): void {
  print(isNew ? versionId : `${versionId} (imported before)`);
  printRows(
    [
      {
        what: 'entities',
        read: report.entitiesRead,
        kept: report.entitiesKept,
        dropped: reasons(report.droppedEntities),
      },
      { what: 'names', read: report.namesRead, kept: report.namesKept, dropped: reasons(report.droppedNames) },
    ],
    ['what', 'read', 'kept', 'dropped'],
  );
  if (report.warnings.length > 0) print(`tolerated: ${reasons(report.warnings)}`);
}

const reasons = (drops: readonly DropReason[]): string =>
  drops.map(({ code, count, examples }) => `${count} ${code} (${examples.join(', ')})`).join('; ') || 'none';

function shareOf(text: string): number {
  const share = Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new CodedError('OPTION_INVALID', `--max-shrink must be between 0 and 1 (it is "${text}")`);
}
