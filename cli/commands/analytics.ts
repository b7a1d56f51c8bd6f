// `corridor analytics`: the topics for analysts, as files and as the page of a day.
import { type Command, InvalidArgumentError } from 'commander';
import type { ExportedPartition } from '../../operations/analytics/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../operations/analytics/ports.ts';
import { openTarget, runExport } from '../../services/exports.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, toJson, withJson } from '../output.ts';
import { progressBar } from '../progress.ts';
import { registerReport } from './analytics-report.ts';
import { instant } from './dead-letter-options.ts';

interface Options {
  readonly format: ExportFormat;
  readonly from?: Date;
  readonly to?: Date;
  readonly skipGap?: boolean;
  readonly json?: boolean;
}

export function registerAnalytics(program: Command): void {
  const analytics = program.command('analytics').description('what happened, for analysts');
  withJson(analytics.command('export <target>'))
    .description(
      'add what is new in the topics for analysts to a folder, or to s3://bucket/prefix; each row once, however often it is run',
    )
    .option('--format <format>', `one of ${EXPORT_FORMATS.join(', ')}`, format, 'parquet')
    .option('--from <instant>', 'of a new folder: what was recorded then or later', instant)
    .option('--to <instant>', 'what was recorded before', instant)
    .option('--skip-gap', 'go on where the log has lost what was not exported')
    .addHelpText(
      'after',
      `
It may be ended at any time, and run again: it goes on from there. Run it each hour, say; one at a time for a target.

Examples:
  corridor analytics export ./analytics
  corridor analytics export ./analytics --to 2026-12-01T00:00:00Z
  corridor analytics export s3://reports/corridor
  corridor analytics export ./text --format ndjson --json

What a row is, and queries: docs/analytics.md`,
    )
    .action(exportTo);
  registerReport(analytics);
}

async function exportTo(target: string, { format, from, to, skipGap, json }: Options): Promise<void> {
  await withConnections(async (connections) => {
    const { folder, close } = await openTarget(target, connections.config);
    const bar = progressBar(1);
    try {
      const exported = await runExport(connections, folder, {
        ...{ format, skipGap, from: from?.getTime(), to: to?.getTime() },
        onProgress: (done, ofRecords) => {
          bar.setTotal(ofRecords);
          bar.update(done);
        },
      });
      bar.stop();
      if (json) console.log(toJson(exported));
      else printExported(exported, target);
    } finally {
      bar.stop();
      close();
    }
  });
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
