// `corridor status|stuck|transfers|payouts` over the API: what runs, what stands still, lists with their sums.
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { payoutPageDto } from '../../api/v1/routes/payouts.ts';
import { transferPageDto } from '../../api/v1/routes/transfers.ts';
import { statusDto, stuckDto } from '../../api/v1/standing-dto.ts';
import { STATES } from '../../domain/transfers/transfer-states.ts';
import { MAX_PAYOUTS_OF_PAGE, PAYOUT_PHASES } from '../../operations/queries/payouts.ts';
import { MAX_TRANSFERS_OF_PAGE } from '../../operations/queries/transfers.ts';
import { STUCK_KINDS } from '../../operations/stuck/board.ts';
import { duration } from '../durations.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { age } from '../tables.ts';
import { onlyDirect, queryOf } from './asking.ts';

type Stuck = z.output<typeof stuckDto>;
type Status = z.output<typeof statusDto>;
interface Sums {
  readonly count: number;
  readonly money: readonly { readonly text: string }[];
  readonly withoutAmount: number;
}

const since = (at: string | null): string => age(at === null ? null : Date.parse(at), Date.now());

function moneyText({ money, withoutAmount }: Omit<Sums, 'count'>): string {
  const sums = money.map(({ text }) => text).join(' + ');
  const without = withoutAmount > 0 ? `${withoutAmount} without a known amount` : '';
  return [sums, without].filter((each) => each !== '').join(', ');
}

function tallyText(tally: Sums, one: string, many: string): string {
  const money = moneyText(tally);
  return `${tally.count} ${tally.count === 1 ? one : many}${money === '' ? '' : `: ${money}`}`;
}

function printGaps(missing: Stuck['missing']): void {
  if (missing.length === 0) return;
  print('THIS LIST IS NOT COMPLETE:');
  for (const { source, code, detail } of missing) print(`  ${source}: ${detail} (${code})`);
}

const UNPROVEN = 'Not proven: the API must not have the keys that tell true records from forged ones (--direct).';

export function registerRemoteStuck(program: Command, api: () => ApiClient): void {
  withJson(program.command('stuck'))
    .description('transfers that do not go on: where, why, since when, how many, how much money')
    .option('--kind <kinds>', `of these kinds, comma-separated: ${STUCK_KINDS.join(', ')}`)
    .option('--older-than <time>', 'stuck for longer than this: 30m, 4h, 2d', duration)
    .action(async ({ kind, olderThan, json }: { kind?: string; olderThan?: number; json?: boolean }) => {
      const from = olderThan === undefined ? undefined : new Date(Date.now() - olderThan).toISOString();
      const path = `/stuck${queryOf({ kinds: kind?.toUpperCase(), since: from })}`;
      const board = stuckDto.parse((await api().ask('GET', path)).body);
      if (json) print(toJson(board));
      else printBoard(board);
      if (!board.complete) process.exitCode = 2;
    });
}

function printBoard(board: Stuck): void {
  printRows(
    board.items.map((line) => ({
      ...{ what: line.kind, where: line.owner, why: line.code, 'stuck for': since(line.since) },
      ...{ transfers: line.count, money: moneyText(line) || '-', next: line.next },
    })),
    ['what', 'where', 'why', 'stuck for', 'transfers', 'money', 'next'],
  );
  print(tallyText(board.total, 'transfer is stuck', 'transfers are stuck'));
  if (board.unknownWithoutCase > 0)
    print(`${board.unknownWithoutCase} payouts of unknown outcome are no cases yet, so the inbox has not got them`);
  if (!board.isProven) print(UNPROVEN);
  printGaps(board.missing);
}

export function registerRemoteStatus(program: Command, api: () => ApiClient): void {
  withJson(program.command('status'))
    .description('processes, how far each consumer is behind, what is stuck and how much money, open cases')
    .addHelpText('after', '\nExit code: 0, everything runs and could be read; 2, it does not; 1, the command failed.')
    .action(async ({ json }: { json?: boolean }) => {
      const status = statusDto.parse((await api().ask('GET', '/status')).body);
      if (json) print(toJson(status));
      else printStatus(status);
      process.exitCode = status.problems.length === 0 && status.missing.length === 0 ? 0 : 2;
    });
}

function printStatus({ processes, consumers, stuck, cases, problems, missing }: Status): void {
  print('\nProcesses');
  if (processes.length === 0) print('(none was asked: set CORRIDOR_HEALTH_URLS of the API)');
  else printProcesses(processes);
  print('\nConsumers');
  printRows(
    consumers.map(({ consumer, records, isAtMost, oldestAt, oldestIn }) => ({
      ...{ consumer, behind: `${isAtMost ? 'up to ' : ''}${records}`, oldest: since(oldestAt), in: oldestIn },
    })),
    ['consumer', 'behind', 'oldest', 'in'],
  );
  print('\nStuck');
  if (stuck) printBoard(stuck);
  print('\nPeople');
  if (cases) {
    const isOverdue = cases.firstDueAt !== null && Date.parse(cases.firstDueAt) < Date.now();
    const due =
      cases.firstDueAt === null ? '' : `; the first is ${isOverdue ? 'OVERDUE since' : 'due'} ${cases.firstDueAt}`;
    print(`${tallyText(cases, 'open case', 'open cases')}${due}`);
  }
  print(problems.length === 0 ? '\nProblems: none' : '\nProblems');
  if (problems.length > 0)
    printRows(
      problems.map((problem) => ({ ...problem, since: since(problem.since) })),
      ['what', 'code', 'since', 'detail'],
    );
  printGaps(missing);
}

function printProcesses(processes: Status['processes']): void {
  printRows(
    processes.map(({ url, answers, isLive, isReady, fault, parts, standing }) => ({
      process: url,
      ready: answers ? (isReady ? 'yes' : isLive ? 'no' : 'NOT LIVE') : 'NO ANSWER',
      parts: answers ? parts.map(({ name }) => name).join(', ') : fault,
      standing: standing.map(({ name, code }) => `${name} (${code})`).join(', ') || '-',
    })),
    ['process', 'ready', 'parts', 'standing'],
  );
}

interface PageOptions {
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export function registerRemoteTransfers(program: Command, api: () => ApiClient): void {
  const transfers = program.command('transfers').description('transfers as they stand');
  withJson(transfers.command('list'))
    .description('transfers, the one that changed last first, with what they come to')
    .addOption(new Option('--state <state>', 'in this state').choices([...STATES, 'DEAD_LETTERED']))
    .option('--corridor <id>', 'of this corridor, such as GB-IN')
    .option('--older-than <time>', 'nothing has happened to them for so long: 30m, 4h, 2d', duration)
    .option('--limit <n>', `rows of a page, at most ${MAX_TRANSFERS_OF_PAGE}`, count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .action(async (options: PageOptions & { state?: string; corridor?: string; olderThan?: number }) => {
      const { state, corridor, olderThan: ms, limit, after: cursor, json } = options;
      const olderThan = ms === undefined ? undefined : new Date(Date.now() - ms).toISOString();
      const path = `/transfers${queryOf({ state, corridor, olderThan, limit, cursor, totals: 'true' })}`;
      const page = transferPageDto.parse((await api().ask('GET', path)).body);
      if (json) {
        print(toJson(page));
        return;
      }
      printRows(
        page.items.map((row) => ({
          ...{ transfer: row.transferId, state: row.state, stage: row.stage, unchanged: since(row.updatedAt) },
          ...{
            corridor: row.corridor,
            instructed: row.instructed?.text,
            debit: row.debit?.text,
            credit: row.credit?.text,
          },
          reasons: row.reasonCodes.join(', ') || null,
        })),
        ['transfer', 'state', 'stage', 'unchanged', 'corridor', 'instructed', 'debit', 'credit', 'reasons'],
      );
      if (page.total) print(tallyText(page.total, 'transfer', 'transfers'));
      if (page.total?.complete === false) print('there are more: the sums are of those that changed last');
      if (page.nextCursor !== null) print(`next page: --after ${page.nextCursor}`);
    });
}

export function registerRemotePayouts(program: Command, api: () => ApiClient): void {
  const payouts = program.command('payouts').description('payouts by phase');
  withJson(payouts.command('list'))
    .description('payouts of one phase, the longest unchanged first, with what they come to')
    .addOption(new Option('--phase <phase>', 'in this phase').choices(PAYOUT_PHASES).default('OUTCOME_UNKNOWN'))
    .option('--limit <n>', `rows of a page, at most ${MAX_PAYOUTS_OF_PAGE}`, count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .action(async ({ phase, limit, after: cursor, json }: PageOptions & { phase: string }) => {
      const path = `/payouts${queryOf({ phase, limit, cursor })}`;
      const page = payoutPageDto.parse((await api().ask('GET', path)).body);
      if (json) {
        print(toJson(page));
        return;
      }
      printRows(
        page.items.map((row) => ({
          ...{ payout: row.payoutId, unchanged: since(row.since), attempts: row.attempts, corridor: row.corridor },
          ...{ instructed: row.instructed?.text, credit: row.credit?.text, provider: row.provider },
          ...{ sender: row.names?.sender, beneficiary: row.names?.beneficiary },
          cases: row.flaw ?? (row.openCases.join(', ') || null),
        })),
        [
          ...(['payout', 'unchanged', 'attempts', 'instructed', 'credit', 'corridor'] as const),
          ...(['sender', 'beneficiary', 'provider', 'cases'] as const),
        ],
      );
      print(`${phase}: ${tallyText(page.total, 'payout', 'payouts')}`);
      if (page.nextCursor !== null) print(`next page: --after ${page.nextCursor}`);
      if (!page.isProven) print(UNPROVEN);
      printGaps(page.missing);
    });
  onlyDirect(payouts, ['cases'], '`corridor cases`');
}
