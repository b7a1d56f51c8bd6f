// `corridor transfers list`: transfers by state, age and corridor, with their sums.
import { type Command, Option } from 'commander';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import { STATES } from '../../domain/transfers/transfer-states.ts';
import { listTransfers, MAX_TRANSFERS_OF_PAGE, type TransferRow } from '../../operations/queries/transfers.ts';
import { corridors } from '../../services/configured-rules.ts';
import { TRANSFERS } from '../../services/process-parts/sinks.ts';
import { withConnections } from '../connections.ts';
import { duration } from '../durations.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { age, gapLines, tallyText } from '../tables.ts';
import { registerTransferMessage } from './transfer-message.ts';

interface ListOptions {
  readonly state?: string;
  readonly corridor?: string;
  readonly olderThan?: number;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export function registerTransfers(program: Command): void {
  const transfers = program.command('transfers').description('transfers as they stand');
  registerTransferMessage(transfers);
  withJson(transfers.command('list'))
    .description('transfers, the one that changed last first, with what they come to')
    .addOption(new Option('--state <state>', 'in this state').choices([...STATES, 'DEAD_LETTERED']))
    .option('--corridor <id>', 'of this corridor, such as GB-IN')
    .option('--older-than <time>', 'nothing has happened to them for so long: 30m, 4h, 2d', duration)
    .option('--limit <n>', `rows of a page, at most ${MAX_TRANSFERS_OF_PAGE}`, count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .addHelpText(
      'after',
      `
The list holds no personal data. Sums are of the debits of those that are priced, and of what was instructed of the others.

Examples:
  corridor transfers list --state DISPATCHED --older-than 30m
  corridor transfers list --state HELD --corridor GB-IN --json`,
    )
    .action(({ state, corridor, olderThan, limit, after, json }: ListOptions) =>
      withConnections(async (connections) => {
        const now = Date.now();
        const sources = {
          views: transferViews(await connections.db(), TRANSFERS),
          corridors: corridorBook(corridors(connections.config)),
        };
        // To the minute, so that the cursor of a page is still one of the same question when the next is asked for.
        const unchangedSince = olderThan === undefined ? undefined : Math.floor((now - olderThan) / 60_000) * 60_000;
        const found = await listTransfers(sources, { state, corridor, unchangedSince, limit, after });
        if (json) {
          console.log(toJson(found));
          return;
        }
        printRows(
          found.rows.map((row) => rowOf(row, now)),
          ['transfer', 'state', 'stage', 'unchanged', 'corridor', 'instructed', 'debit', 'credit', 'reasons'],
        );
        const { transfers: all, ...money } = found.total;
        print(tallyText({ count: all, ...money }, 'transfer', 'transfers'));
        if (found.next !== null) print(`next page: --after ${found.next}`);
        for (const text of gapLines(found.missing)) print(text);
      }),
    );
}

const rowOf = (
  { transferId, state, stage, since, corridor, instructed, debit, credit, reasonCodes }: TransferRow,
  now: number,
) => ({
  transfer: transferId,
  ...{ state, stage, corridor },
  unchanged: age(since.getTime(), now),
  instructed: instructed && formatMoney(instructed),
  debit: debit && formatMoney(debit),
  credit: credit && formatMoney(credit),
  reasons: reasonCodes.join(', ') || null,
});
