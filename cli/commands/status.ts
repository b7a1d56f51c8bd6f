// `corridor status`: what runs, how far it has come, what is stuck, what waits for people.
import type { Command } from 'commander';
import { exitCodeOf, type Status, statusOf } from '../../operations/status/status.ts';
import { statusSources } from '../../services/stuck.ts';
import { readCheckpoint } from '../../verify/checkpoint.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, toJson, withJson } from '../output.ts';
import { age, gapLines, tallyText } from '../tables.ts';
import { printBoard } from './stuck.ts';

interface StatusOptions {
  readonly health?: readonly string[];
  readonly checkpoint?: string;
  readonly json?: boolean;
}

export function registerStatus(program: Command): void {
  withJson(program.command('status'))
    .description('processes, how far each consumer is behind, what is stuck and how much money, open cases')
    .option('--health <urls...>', 'health servers of all processes; default: CORRIDOR_HEALTH_URLS')
    .option('--checkpoint <file>', 'the checkpoint that `corridor verify` has written last')
    .addHelpText(
      'after',
      `
Exit code: 0, everything runs and could be read; 2, something does not run, or could not be asked; 1, the command failed.
What waits for people changes no exit code.

Examples:
  corridor status
  corridor status --json --checkpoint today.ndjson
  corridor status --health http://chain:9464 http://payouts:9464`,
    )
    .action(({ health, checkpoint, json }: StatusOptions) =>
      withConnections(async (connections) => {
        const now = Date.now();
        const processes = health ?? connections.config.health.urls ?? [];
        const sources = {
          ...statusSources(connections, now),
          ...(checkpoint === undefined ? {} : { checkpoint: () => lastCheckpoint(checkpoint) }),
        };
        const status = await statusOf(sources, { processes, now });
        if (json) console.log(toJson(status));
        else printStatus(status);
        process.exitCode = exitCodeOf(status);
      }),
    );
}

async function lastCheckpoint(file: string) {
  return { file, takenAt: (await readCheckpoint(file)).header.takenAt };
}

function printStatus(status: Status): void {
  const { at: now, processes, consumers, stuck, cases, checkpoint, problems, missing } = status;
  section('Processes');
  if (processes.length === 0) print('(none was asked: set CORRIDOR_HEALTH_URLS, or give --health)');
  else printRows(processes.map(processRow), ['process', 'ready', 'parts', 'standing']);
  section('Consumers');
  printRows(
    consumers.map(({ consumer, records, isAtMost, oldestAt, oldestIn }) => ({
      consumer,
      behind: `${isAtMost ? 'up to ' : ''}${records}`,
      oldest: age(oldestAt, now),
      in: oldestIn,
    })),
    ['consumer', 'behind', 'oldest', 'in'],
  );
  section('Stuck');
  if (stuck) printBoard(stuck, now);
  section('People');
  if (cases) {
    const due = cases.firstDueAt === null ? '' : dueText(cases.firstDueAt, now);
    print(`${tallyText(cases, 'open case', 'open cases')}${due}`);
    if (!cases.complete) print('not all of them could be read: see `corridor cases list`');
  }
  print(
    checkpoint
      ? `verified up to ${age(checkpoint.takenAt, now)} ago (${checkpoint.file})`
      : 'no checkpoint of verify was named',
  );
  section(problems.length === 0 ? 'Problems: none' : 'Problems');
  if (problems.length > 0)
    printRows(
      problems.map((problem) => ({ ...problem, since: age(problem.since, now) })),
      ['what', 'code', 'since', 'detail'],
    );
  for (const text of gapLines(missing)) print(text);
}

const section = (title: string): void => print(`\n${title}`);

const dueText = (at: number, now: number): string =>
  at < now ? `; the first is OVERDUE by ${age(at, now)}` : `; the first is due in ${age(now, at)}`;

function processRow({ url, report, fault }: Status['processes'][number]) {
  if (!report) return { process: url, ready: 'NO ANSWER', parts: fault.code, standing: '-' };
  return {
    process: url,
    ready: report.ready ? 'yes' : report.live ? 'no' : 'NOT LIVE',
    parts: report.parts.map(({ name }) => name).join(', '),
    standing: report.standing.map(({ name, code }) => `${name} (${code})`).join(', ') || '-',
  };
}
