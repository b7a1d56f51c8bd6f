// `corridor payouts list`: payouts of one phase, with their sums.
import { type Command, Option } from 'commander';
import { formatMoney } from '../../domain/money/currencies.ts';
import { listPayouts, MAX_PAYOUTS_OF_PAGE, PAYOUT_PHASES, type PayoutRow } from '../../operations/queries/payouts.ts';
import type { PayoutPhase } from '../../payouts/payout.ts';
import { payoutListSources } from '../../services/stuck.ts';
import { withConnections } from '../connections.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { age, gapLines, tallyText } from '../tables.ts';

interface ListOptions {
  readonly phase: PayoutPhase;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export function registerPayoutList(payouts: Command): void {
  withJson(payouts.command('list'))
    .description('payouts of one phase, the longest unchanged first, with what they come to')
    .addOption(
      new Option('--phase <phase>', 'in this phase').choices(PAYOUT_PHASES).default('OUTCOME_UNKNOWN' as PayoutPhase),
    )
    .option('--limit <n>', `rows of a page, at most ${MAX_PAYOUTS_OF_PAGE}`, count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .addHelpText(
      'after',
      `
An unknown outcome is asked about again and again, and is no case before there can be no proof: until then it is here alone.
Names are masked. A row that says PAYOUT_FORGED was written by nobody who may.

Examples:
  corridor payouts list
  corridor payouts list --phase ACCEPTED --json`,
    )
    .action(({ phase, limit, after, json }: ListOptions) =>
      withConnections(async (connections) => {
        const now = Date.now();
        const found = await listPayouts(await payoutListSources(connections), { phase, limit, after });
        if (json) {
          console.log(toJson(found));
          return;
        }
        printRows(
          found.rows.map((row) => rowOf(row, now)),
          COLUMNS,
        );
        print(`${phase}: ${tallyText(found.total, 'payout', 'payouts')}`);
        if (found.next !== null) print(`next page: --after ${found.next}`);
        for (const text of gapLines(found.missing)) print(text);
      }),
    );
}

const COLUMNS = [
  ...(['payout', 'unchanged', 'attempts', 'instructed', 'credit', 'corridor'] as const),
  ...(['sender', 'beneficiary', 'provider', 'cases'] as const),
];

const rowOf = (row: PayoutRow, now: number) => ({
  payout: row.payoutId,
  unchanged: age(row.since.getTime(), now),
  attempts: row.attempts,
  instructed: row.instructed && formatMoney(row.instructed),
  credit: row.credit && formatMoney(row.credit),
  corridor: row.corridor,
  sender: row.names?.sender,
  beneficiary: row.names?.beneficiary,
  provider: row.provider,
  cases: row.flaw ?? (row.openCases.join(', ') || null),
});
