// `corridor lists import|diff|activate|show`: sanctions list versions.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import { askToActivate } from '../../operations/lists/second-person.ts';
import {
  compareVersions,
  type EntityChange,
  type ListStatus,
  listVersions,
  showVersion,
} from '../../operations/lists/versions.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { type DropReason, type ImportReport, ListRefused } from '../../screening/lists/index.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { activationPublisher } from '../../services/screening.ts';
import { withConnections } from '../connections.ts';
import { LIST_FORMATS, readListFiles } from '../lists/read-files.ts';
import { count, print, printCut, printRows, toJson, withJson } from '../output.ts';

interface ImportOptions {
  readonly source?: string;
  readonly published?: string;
  readonly maxShrink: string;
  readonly activate?: boolean;
  readonly by: string;
  readonly json?: boolean;
}

interface ShowOptions {
  readonly source?: string;
  readonly limit: number;
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
  registerImport(lists);
  registerShow(lists);
  registerDiff(lists);
  registerActivate(lists);
}

function registerImport(lists: Command): void {
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
}

function registerShow(lists: Command): void {
  withJson(lists.command('show'))
    .argument('[version]', 'one version, with its import report; without it, all of them')
    .description('list versions, and which are in force')
    .option('--source <name>', 'of this source only')
    .option('--limit <n>', 'at most this many', count, 50)
    .addHelpText('after', '\nExamples:\n  corridor lists show\n  corridor lists show OFAC-2026-11-23-1f2e3d4c5b6a')
    .action((versionId: string | undefined, options: ShowOptions) =>
      withLists((store) =>
        versionId === undefined ? printVersions(store, options) : printVersion(store, versionId, options),
      ),
    );
}

function registerDiff(lists: Command): void {
  withJson(lists.command('diff'))
    .argument('<before>', 'version')
    .argument('<after>', 'version')
    .description('entities added, removed and changed between two versions')
    .option('--limit <n>', 'print at most this many entities', count, 50)
    .addHelpText('after', '\nExample:\n  corridor lists diff OFAC-2024-04-04-… OFAC-2024-05-03-…')
    .action((before: string, after: string, { limit, json }: ShowOptions) =>
      withLists(async (store) => {
        const changes = await compareVersions(store, before, after);
        const of = (kind: EntityChange['what']) => changes.filter(({ what }) => what === kind).length;
        const counts = { added: of('added'), removed: of('removed'), changed: of('changed') };
        const rows = changes.map(row);
        if (json) {
          console.log(toJson({ before, after, ...counts, entities: rows }));
          return;
        }
        print(`+${counts.added} / -${counts.removed} / ${counts.changed} changed`);
        if (rows.length > 0) printRows(rows.slice(0, limit), ['what', 'entity', 'type', 'name', 'fields']);
        if (rows.length > limit) print(`and ${rows.length - limit} more (--limit)`);
      }),
    );
}

function registerActivate(lists: Command): void {
  withJson(lists.command('activate'))
    .argument('<version>', 'version')
    .description('put a version in force: for every instance, and for payouts not yet submitted')
    .option('--by <person>', 'who decides', userInfo().username)
    .addHelpText('after', '\nExample:\n  corridor lists activate OFAC-2026-11-23-1f2e3d4c5b6a')
    .action((versionId: string, { by, json }: { by: string; json?: boolean }) =>
      withLists((store, connections) => activate(store, connections, versionId, by, json)),
    );
}

const STATES: Readonly<Record<ListStatus, string>> = {
  IMPORTED: '-',
  'IN FORCE': 'in force',
  UNPUBLISHED: 'in force, not told yet: activate again',
  'NOT SEALED': 'NOT SEALED: import it again',
  'ACTIVATION NOT SEALED': 'NOT SEALED: activate it again',
};

async function printVersion(store: ListStore, versionId: string, { json }: ShowOptions): Promise<void> {
  const { head, activation } = await showVersion(store, versionId);
  if (json) console.log(toJson({ ...head, active: activation ?? null }));
  else printReport(versionId, true, head.report);
}

async function printVersions(store: ListStore, { source, limit, json }: ShowOptions): Promise<void> {
  const all = await listVersions(store, { limit: limit + 1, ...(source === undefined ? {} : { source }) });
  const versions = all.slice(0, limit);
  printRows(
    versions.map(({ head, status, inForceSince }) => ({
      version: head.versionId,
      published: head.publicationDate ?? '-',
      entities: head.counts.entities,
      names: head.counts.names,
      imported: new Date(head.importedAt),
      by: head.importedBy,
      inForceSince: inForceSince === undefined ? undefined : new Date(inForceSince),
      state: STATES[status],
    })),
    ['version', 'published', 'entities', 'names', 'imported', 'by', 'inForceSince', 'state'],
    json,
  );
  printCut(all.length <= limit, limit, 'These are the newest: say --limit.');
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
  const { publish, lastOf, forTrials, close } = await activationPublisher(connections);
  try {
    const terms = { by, now: Date.now(), lastOf, forTrials };
    const { activation, changed } = await activateVersion(store, publish, versionId, terms);
    if (json) console.log(toJson({ ...activation, changed }));
    else print(changed ? `${versionId} is in force` : `${versionId} was in force already`);
  } catch (error) {
    if (!isCoded(error) || error.code !== 'SECOND_PERSON_NEEDED') throw error;
    const { store: approvals } = await openApprovals(connections);
    const question = { id: randomUUID(), versionId, by: personWithKeys(by), reason: error.message, at: new Date() };
    const { _id } = await askToActivate(
      { lists: store, approvals },
      question,
      ringOf(connections.config.keys, 'operators'),
    );
    throw new CodedError(error.code, `${error.message}; or: corridor approvals approve ${_id} --reason "…"`);
  } finally {
    await close();
  }
}

const row = ({ what, entity, fields }: EntityChange) => ({
  what,
  entity: entity.id,
  type: entity.type,
  name: entity.names[0]!.full,
  fields: fields.join(', '),
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
  drops.map(({ code, count: many, examples }) => `${many} ${code} (${examples.join(', ')})`).join('; ') || 'none';

function shareOf(text: string): number {
  const share = Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new CodedError('OPTION_INVALID', `--max-shrink must be between 0 and 1 (it is "${text}")`);
}
