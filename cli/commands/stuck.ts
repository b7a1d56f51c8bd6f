// `corridor stuck`: every transfer that does not go on by itself now, by where and why.
import { type Command, InvalidArgumentError } from 'commander';
import { STUCK_KINDS, type StuckBoard, type StuckKind, type StuckLine } from '../../operations/stuck/board.ts';
import { boardOf } from '../../services/stuck.ts';
import { withConnections } from '../connections.ts';
import { duration } from '../durations.ts';
import { print, printRows, toJson, withJson } from '../output.ts';
import { age, gapLines, moneyText, tallyText } from '../tables.ts';

interface StuckOptions {
  readonly kind?: readonly StuckKind[];
  readonly olderThan?: number;
  readonly json?: boolean;
}

export function registerStuck(program: Command): void {
  withJson(program.command('stuck'))
    .description('transfers that do not go on: where, why, since when, how many, how much money')
    .option('--kind <kinds>', `of these kinds, comma-separated: ${STUCK_KINDS.join(', ')}`, kinds)
    .option('--older-than <time>', 'stuck for longer than this: 30m, 4h, 2d', duration)
    .addHelpText(
      'after',
      `
Money is what producers have instructed. Records that wait are read from the log, up to a bound that is said where it is met.

Examples:
  corridor stuck
  corridor stuck --older-than 30m
  corridor stuck --kind PAYOUT_UNKNOWN,DEAD_LETTER --json`,
    )
    .action(({ kind, olderThan, json }: StuckOptions) =>
      withConnections(async (connections) => {
        const now = Date.now();
        const since = olderThan === undefined ? undefined : now - olderThan;
        const board = await boardOf(connections, { now, kinds: kind, since });
        if (json) console.log(toJson(board));
        else printBoard(board, now);
        if (!board.complete) process.exitCode = 2;
      }),
    );
}

const COLUMNS = ['what', 'where', 'why', 'stuck for', 'transfers', 'money', 'next'] as const;

export function printBoard(board: StuckBoard, now: number): void {
  printRows(
    board.lines.map((line) => rowOf(line, now)),
    COLUMNS,
  );
  print(tallyText(board.total, 'transfer is stuck', 'transfers are stuck'));
  if (board.unknownWithoutCase > 0)
    print(`${board.unknownWithoutCase} payouts of unknown outcome are no cases yet, so the inbox has not got them`);
  for (const text of gapLines(board.missing)) print(text);
}

const rowOf = (line: StuckLine, now: number): Readonly<Record<(typeof COLUMNS)[number], string | number>> => ({
  what: line.kind,
  where: line.owner,
  why: line.code ?? '-',
  'stuck for': age(line.since, now),
  transfers: line.count,
  money: moneyText(line) || '-',
  next: line.next.replaceAll('`', ''),
});

function kinds(text: string): readonly StuckKind[] {
  return text.split(',').map((each) => {
    const found = STUCK_KINDS.find((kind) => kind === each.trim().toUpperCase());
    if (found) return found;
    throw new InvalidArgumentError(`each must be one of ${STUCK_KINDS.join(', ')}`);
  });
}
