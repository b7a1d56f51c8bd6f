// `corridor analytics export`: the topics for analysts, as files.
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { exportFolder } from '../../adapters/files/export-folder.ts';
import { EXPORTED, type ExportedPartition, exportAnalytics } from '../../operations/analytics/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../operations/analytics/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import { fileLock, LockHeld } from '../../ports/file-lock.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, toJson, withJson } from '../output.ts';
import { progressBar } from '../progress.ts';
import { instant } from './dead-letter-options.ts';

interface Options {
  readonly format: ExportFormat;
  readonly from?: Date;
  readonly to?: Date;
  readonly skipGap?: boolean;
  readonly json?: boolean;
}

/** Another export of this folder is waited for so long, ms. */
const LOCK_TIMEOUT_MS = 5_000;

export function registerAnalytics(program: Command): void {
  const analytics = program.command('analytics').description('what happened, for analysts');
  withJson(analytics.command('export <folder>'))
    .description(
      'add what is new in the topics for analysts to the files of a folder; each row once, however often it is run',
    )
    .option('--format <format>', `one of ${EXPORT_FORMATS.join(', ')}`, format, 'parquet')
    .option('--from <instant>', 'of a new folder: what was recorded then or later', instant)
    .option('--to <instant>', 'what was recorded before', instant)
    .option('--skip-gap', 'go on where the log has lost what was not exported')
    .addHelpText(
      'after',
      `
It may be ended at any time, and run again: it goes on from there. Run it each hour, say; one at a time for a folder.

Examples:
  corridor analytics export ./analytics
  corridor analytics export ./analytics --to 2026-12-01T00:00:00Z
  corridor analytics export ./text --format ndjson --json

What a row is, and queries: docs/analytics.md`,
    )
    .action(exportTo);
}

async function exportTo(folder: string, { format, from, to, skipGap, json }: Options): Promise<void> {
  using _lock = await fileLock(path.join(folder, '_lock'), { timeoutMs: LOCK_TIMEOUT_MS }).catch((error: unknown) => {
    throw error instanceof LockHeld ? new CodedError('EXPORT_BUSY', `another export writes to ${folder}`) : error;
  });
  await withConnections(async ({ log, codec, config }) => {
    const topics = EXPORTED.map(({ topic }) => topic as TopicName);
    await codec.load(topics);
    const bar = progressBar(1);
    try {
      const sources = { reader: log.reader(), codec, rings: config.keys, topicIds: await topicIdsOf(log, topics) };
      const exported = await exportAnalytics(sources, exportFolder(folder), {
        ...{ format, skipGap, from: from?.getTime(), to: to?.getTime() },
        onProgress: (done, ofRecords) => {
          bar.setTotal(ofRecords);
          bar.update(done);
        },
      });
      bar.stop();
      if (json) console.log(toJson(exported));
      else printExported(exported, folder);
    } finally {
      bar.stop();
    }
  });
}

async function topicIdsOf(
  log: Parameters<Parameters<typeof withConnections>[0]>[0]['log'],
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const admin = await log.admin();
  try {
    const described = await admin.describeTopics(topics);
    return new Map(described.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId]])));
  } finally {
    await admin.close();
  }
}

function printExported(exported: readonly ExportedPartition[], folder: string): void {
  printRows(
    exported.map((one) => ({ ...one, unproven: one.unproven ?? 'not looked at' })),
    ['topic', 'partition', 'rows', 'files', 'unproven', 'unreadable', 'next'],
  );
  const rows = exported.reduce((sum, one) => sum + one.rows, 0);
  print(`${rows} rows added to ${folder}`);
}

function format(text: string): ExportFormat {
  const known = EXPORT_FORMATS.find((one) => one === text);
  if (known === undefined) throw new InvalidArgumentError(`one of ${EXPORT_FORMATS.join(', ')}`);
  return known;
}
