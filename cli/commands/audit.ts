// `corridor audit`: what was allowed, denied, shown and done; the proof that nothing of it was changed; its keys.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { auditIndex } from '../../adapters/mongo/audit-index.ts';
import { checkpointIn } from '../../domain/audit/checkpoint.ts';
import { privateText, signingKeyOf, type VerifyKey, verifyKey } from '../../domain/audit/signed-note.ts';
import { findEntry, keptNote, listEntries } from '../../operations/audit/entries.ts';
import type { AuditFilter, IndexedEntry } from '../../operations/audit/ports.ts';
import { newestCheckpoint } from '../../operations/audit/state.ts';
import { type AuditReport, verifyAudit } from '../../operations/audit/verify.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { CodedError } from '../../ports/fault.ts';
import { AUDIT_SEQUENCER } from '../../processors/topology.ts';
import { AUDIT_TOPICS, auditKeys } from '../../services/audit.ts';
import type { Connections } from '../../services/connections.ts';
import { exportTo } from '../audit/export.ts';
import { commandConfig, withConnections } from '../connections.ts';
import { count, print, printError, printRows, toJson, withJson } from '../output.ts';
import { AUDIT_COLUMNS, type AuditListOptions, auditListCommand, auditRow } from '../shapes/audit.ts';

export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('what was allowed, denied, shown and done, and the proof of it');
  registerList(audit);
  registerShow(audit);
  registerVerify(audit);
  registerCheckpoint(audit);
  registerExport(audit);
  registerKey(audit);
}

interface ListOptions extends AuditListOptions {
  readonly before?: number;
}

function registerList(audit: Command): void {
  auditListCommand(audit)
    .option('--before <place>', 'the next page: what this one says at its end', count)
    .addHelpText(
      'after',
      '\nExamples:\n  corridor audit list --subject asha --outcome denied\n  corridor audit list --on replays/3f2c…',
    )
    .action((options: ListOptions) =>
      withReading(async (reading) => {
        const page = await listEntries(reading, filterOf(options), options.limit, options.before);
        if (options.json) {
          print(toJson({ ...page, entries: page.entries.map(jsonOf) }));
          return;
        }
        printRows(
          page.entries.map((entry) => auditRow(entry.index, new Date(entry.at), entry)),
          AUDIT_COLUMNS,
        );
        if (page.before !== undefined) printError(`There are more: --before ${page.before}`);
        if (!page.complete) printError(`Not complete: ${page.reason}.`);
      }),
    );
}

function filterOf({ subject, action, on, outcome, request, act, since, until }: ListOptions): AuditFilter {
  return {
    ...on,
    ...(subject === undefined ? {} : { subject: subject.normalize('NFKC').trim().toLowerCase() }),
    ...(action === undefined ? {} : { action }),
    ...(outcome === undefined ? {} : { outcome: outcome.toUpperCase() as NonNullable<AuditFilter['outcome']> }),
    ...(request === undefined ? {} : { requestId: request }),
    ...(act === undefined ? {} : { act }),
    ...(since === undefined ? {} : { since: since.getTime() }),
    ...(until === undefined ? {} : { until: until.getTime() }),
  };
}

const jsonOf = ({ leafHash, at, ...entry }: IndexedEntry) => ({
  ...entry,
  at: new Date(at).toISOString(),
  leafHash: leafHash.toString('hex'),
});

function registerShow(audit: Command): void {
  withJson(audit.command('show <entry>'))
    .description('one entry, by its place or its id')
    .addHelpText('after', '\nThe index shows it; `corridor audit verify` proves that the index is right.')
    .action((which: string, { json }: { json?: boolean }) =>
      withReading(async (reading) => {
        const entry = jsonOf(await findEntry(reading, which));
        if (json) print(toJson(entry));
        else for (const [name, value] of Object.entries(entry)) print(`${name.padEnd(11)} ${String(value ?? '-')}`);
      }),
    );
}

interface VerifyOptions {
  readonly checkpoint?: readonly string[];
  readonly key?: readonly VerifyKey[];
  readonly index: boolean;
  readonly json?: boolean;
}

function registerVerify(audit: Command): void {
  withJson(audit.command('verify'))
    .description(
      'prove from the log and its checkpoints that no entry was changed, moved, added or taken away; exits 1 if not',
    )
    .option('--checkpoint <file...>', 'checkpoints that were kept elsewhere')
    .option('--key <key...>', 'public keys; default: those of CORRIDOR_AUDIT_PUBLIC_KEYS', publicKeyIn)
    .option('--no-index', 'do not compare the index in MongoDB')
    .addHelpText(
      'after',
      '\nExamples:\n  corridor audit verify\n  corridor audit verify --checkpoint kept-in-january.txt --no-index\n\nWhat each code means, and how to verify with programs of others: docs/audit.md',
    )
    .action((options: VerifyOptions) =>
      withConnections(async (connections) => {
        const report = await verifyAudit(await sourcesOf(connections, options));
        if (options.json) print(toJson(report));
        else printReport(report);
        if (!report.isVerified) process.exitCode = 1;
      }),
    );
}

const publicKeyIn = (text: string, before: readonly VerifyKey[] = []): readonly VerifyKey[] => [
  ...before,
  verifyKey(text),
];

async function sourcesOf(connections: Connections, { checkpoint = [], key, index }: VerifyOptions) {
  const { codec, log, config } = connections;
  const keys = key ?? auditKeys(config);
  await codec.load(AUDIT_TOPICS);
  return {
    codec,
    keys,
    reader: log.reader(),
    rings: config.keys,
    kept: checkpoint.map((file) => checkpointIn(keptNote(readFileSync(file, 'utf8'), keys))!),
    sequencedUpTo: await sequencedUpTo(connections),
    ...(index ? { index: auditIndex(await connections.db()).leaves() } : {}),
  };
}

/** Before anything is read: what the sequencer has passed by then must be in the log. */
async function sequencedUpTo({ log, config }: Connections): Promise<number | undefined> {
  const admin = await log.admin();
  try {
    const [committed] = await admin.committed(groupId(config.appName, AUDIT_SEQUENCER), ['audit.entries']);
    return committed?.offset;
  } finally {
    await admin.close();
  }
}

function printReport({ entries, checkpoints, newest, waiting, findings, counts, isVerified }: AuditReport): void {
  print(`entries      ${entries}`);
  print(`checkpoints  ${checkpoints}`);
  print(`waiting      ${waiting}`);
  if (newest) print(`newest       ${newest.size} entries, root ${newest.root.toString('base64')}`);
  if (findings.length > 0) {
    print('');
    printRows(findings, ['code', 'at', 'detail']);
  }
  print('');
  const summary = Object.entries(counts).map(([code, number]) => `${number} ${code}`);
  print(isVerified ? 'verified: nothing is wrong' : `NOT VERIFIED: ${summary.join(', ')}`);
}

function registerCheckpoint(audit: Command): void {
  audit
    .command('checkpoint')
    .description('the newest checkpoint as it is signed; keep it where nobody of this installation can write')
    .addHelpText('after', '\nExample:\n  corridor audit checkpoint > audit-2026-11-30.txt')
    .action(() =>
      withConnections(async ({ codec, log, config }) => {
        await codec.load(AUDIT_TOPICS);
        const newest = await newestCheckpoint(log.reader(), codec, auditKeys(config));
        if (newest?.signed === undefined)
          throw new CodedError(
            'CHECKPOINT_INVALID',
            newest ? 'the newest checkpoint is signed by no known key' : 'there is no checkpoint yet',
          );
        process.stdout.write(newest.signed.note);
      }),
    );
}

function registerExport(audit: Command): void {
  audit
    .command('export <folder>')
    .description('entries, checkpoints and proofs as files, for verifiers of others')
    .addHelpText('after', '\nWrites entries.ndjson, checkpoints.ndjson, proofs.ndjson and key.txt: docs/audit.md')
    .action((folder: string) =>
      withConnections(async ({ codec, log, config }) => {
        await codec.load(AUDIT_TOPICS);
        const keys = auditKeys(config);
        const newest = await exportTo(folder, { codec, reader: log.reader(), keys });
        print(`exported ${newest?.size ?? 0} entries to ${folder}`);
      }),
    );
}

function registerKey(audit: Command): void {
  audit
    .command('key')
    .description('the public keys of the log; --new makes a signing key')
    .option('--new <origin>', 'print a new signing key for the log of this name, such as audit.example.org/corridor')
    .action(({ new: origin }: { new?: string }) => {
      if (origin === undefined) {
        for (const { text } of auditKeys(commandConfig())) print(text);
        return;
      }
      const seed = randomBytes(32);
      const { verifies } = signingKeyOf(origin, seed);
      printError('For CORRIDOR_AUDIT_SIGNING_KEYS of the sequencer, and for nobody else:');
      print(privateText(verifies, seed));
      printError('For everybody:');
      print(verifies.text);
    });
}

async function withReading(use: (reading: Parameters<typeof listEntries>[0]) => Promise<void>): Promise<void> {
  await withConnections(async (connections) => {
    const { codec, log, config } = connections;
    await codec.load(AUDIT_TOPICS);
    await use({ codec, reader: log.reader(), keys: auditKeys(config), index: auditIndex(await connections.db()) });
  });
}
