// `corridor analytics report`: a day as one HTML page.
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { dayPage } from '../../operations/analytics/day-report/page.ts';
import { DAY_MS } from '../../operations/analytics/day-report/read-day.ts';
import { CodedError } from '../../ports/fault.ts';
import { chartLibrary, reportDay } from '../../services/day-report.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson } from '../output.ts';
import { progressBar } from '../progress.ts';

interface Options {
  readonly day?: number;
  readonly out?: string;
  readonly json?: boolean;
}

export function registerReport(analytics: Command): void {
  withJson(analytics.command('report'))
    .description('a day as one HTML page: volume, revenue, times, reasons; it asks for nothing else')
    .option('--day <day>', 'YYYY-MM-DD, UTC; default: yesterday', dayOf)
    .option('--out <file>', 'default: corridor-DAY.html; a file of that name is replaced')
    .addHelpText(
      'after',
      `
With --json the figures alone, and no page.

Examples:
  corridor analytics report
  corridor analytics report --day 2026-11-30 --out report.html

What the figures are: docs/analytics.md`,
    )
    .action(report);
}

async function report({ day = yesterday(Date.now()), out, json }: Options): Promise<void> {
  await withConnections(async (connections) => {
    const bar = progressBar(1);
    const made = await reportDay(connections, day, (done, of) => {
      bar.setTotal(of);
      bar.update(done);
    }).finally(() => bar.stop());
    if (json) {
      console.log(toJson(made));
      return;
    }
    const file = out ?? `corridor-${made.day}.html`;
    replaceFile(file, dayPage(made, chartLibrary()));
    print(`${made.figures.rows} rows of ${made.day}, ${made.isFinal ? 'final' : 'not final'}: ${file}`);
  });
}

/** It has its name when it is whole. @throws CodedError FILE_NOT_WRITTEN */
function replaceFile(file: string, text: string): void {
  const part = `${file}.${randomUUID()}.part`;
  try {
    writeFileSync(part, text, { flag: 'wx' });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CodedError('FILE_NOT_WRITTEN', `${file} cannot be written: ${code}`);
  }
}

export const yesterday = (now: number): number => Math.floor(now / DAY_MS) * DAY_MS - DAY_MS;

function dayOf(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError('a day as YYYY-MM-DD');
  return at;
}
