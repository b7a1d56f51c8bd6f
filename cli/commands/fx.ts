// `corridor fx positions`: the open exposure by currency.
import type { Command } from 'commander';
import { formatMoney } from '../../domain/money/currencies.ts';
import { hasRing } from '../../ports/seals.ts';
import { positionsNow } from '../../services/positions.ts';
import { withConnections } from '../connections.ts';
import { print, printError, printRows, toJson, withJson } from '../output.ts';

interface Options {
  readonly recount?: boolean;
  readonly json?: boolean;
}

export function registerFx(program: Command): void {
  const fx = program.command('fx').description('what prices have opened');
  withJson(fx.command('positions'))
    .description('the open exposure by currency: above zero is held, below zero is owed')
    .option('--recount', 'from the start of the log, not from what was counted last')
    .addHelpText(
      'after',
      `
What prices have opened, less what was taken back; hedges are not Corridor's, so they are not in it.

Examples:
  corridor fx positions
  corridor fx positions --recount --json`,
    )
    .action(({ recount, json }: Options) =>
      withConnections(async (connections) => {
        const { count } = await positionsNow(connections, recount === true);
        const { open, records, unproven, isWhole, countedAt } = count;
        const rows = [...open]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([currency, minor]) => ({ currency, minor, open: formatMoney({ minor, currency }) }));
        const isProven = hasRing(connections.config.keys, 'lifecycle');
        if (json) {
          print(toJson({ countedAt: new Date(countedAt), positions: rows, records, unproven, isWhole, isProven }));
        } else {
          printRows(rows, ['currency', 'open'], false);
          print(`${records} positions, counted ${new Date(countedAt).toISOString()}`);
        }
        if (unproven > 0) printError(`${unproven} records were left out: nothing proves or reads them`);
        if (!isWhole) printError('the log had forgotten some positions before they were counted: the sums lack them');
        if (!isProven) printError('without CORRIDOR_LIFECYCLE_KEYS nobody looked who wrote the records');
      }),
    );
}
