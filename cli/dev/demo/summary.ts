// What a run came to, for people and for programs.
import { databaseName } from '../../../adapters/mongo/client.ts';
import type { Child } from '../../../infra/local/children.ts';
import type { LocalStack } from '../../../infra/local/stack.ts';
import { withoutCredentials } from '../../../ports/hide.ts';
import type { Config } from '../../../runtime/config/config.ts';
import type { Books, Mismatch } from '../../../samples/books.ts';
import type { End } from '../../../samples/fed-record.ts';
import { printRows } from '../../output.ts';
import { TOKEN_COMMAND } from './display.ts';
import type { Outcome } from './follow.ts';
import type { DemoOptions } from './options.ts';
import type { Watch } from './watch.ts';

export interface Summary {
  readonly ok: boolean;
  /** Why not, when not. */
  readonly reason: string | undefined;
  /** Inputs fed. */
  readonly transfers: number;
  /** How many ended where, counted from the topics; adds up to `transfers` when all are accounted for. */
  readonly byState: Readonly<Record<End, number>>;
  readonly unexpected: number;
  readonly unaccounted: number;
  /** From the start of the command, ms. */
  readonly elapsedMs: number;
  /** From the start of the command to the first completed transfer, ms; null when none completed. */
  readonly firstCompletedMs: number | null;
  readonly seed: number;
  /** Inputs in an unexpected place, the first fifty. */
  readonly mismatches: readonly Mismatch[];
}

interface SummaryInput {
  readonly books: Books;
  readonly watch: Watch;
  readonly startedAt: number;
  readonly outcome: Outcome;
  readonly options: DemoOptions;
}

export function summarise({ books, watch, startedAt, outcome, options }: SummaryInput): Summary {
  const { transfers, byState, unexpected, unaccounted, mismatches } = books.balance();
  const reason = reasonOf(outcome, unexpected, unaccounted);
  return {
    ok: reason === undefined,
    reason,
    transfers,
    byState,
    unexpected,
    unaccounted,
    elapsedMs: Date.now() - startedAt,
    firstCompletedMs: watch.firstCompletedAt === undefined ? null : watch.firstCompletedAt - startedAt,
    seed: options.seed,
    mismatches,
  };
}

function reasonOf(outcome: Outcome, unexpected: number, unaccounted: number): string | undefined {
  if (outcome.kind === 'interrupted') return 'interrupted before every transfer had come to its end';
  if (outcome.kind === 'stalled') {
    return `nothing has moved for ${outcome.quietMs / 1_000} s and ${unaccounted} transfers have not come to an end: see the logs`;
  }
  return unexpected > 0 ? `${unexpected} transfers did not end where they were expected` : undefined;
}

interface Where {
  readonly stack: LocalStack;
  readonly children: readonly Child[];
  readonly logs: string;
  readonly config: Config;
}

/** Prints the summary, and where everything is. */
export function printSummary(summary: Summary, { stack, children, logs, config }: Where): void {
  const { byState, transfers, elapsedMs, firstCompletedMs } = summary;
  console.error('');
  printRows(
    Object.entries(byState).map(([state, count]) => ({ state, count })),
    ['state', 'count'],
  );
  const first =
    firstCompletedMs === null
      ? 'none completed'
      : `the first completed after ${(firstCompletedMs / 1_000).toFixed(1)} s`;
  console.log(`\n${transfers} transfers in ${(elapsedMs / 1_000).toFixed(1)} s; ${first}`);
  console.log(summary.ok ? 'every transfer is where it was expected' : `NOT AS EXPECTED: ${summary.reason}`);
  for (const { account, kinds, expected, actual, state } of summary.mismatches.slice(0, 10)) {
    const words = `${account} (${kinds.join(', ')}): expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`;
    console.log(`  ${words}${state ? `, last seen ${state}` : ''}`);
  }
  const health = children.map(({ name, ready }) => ({ what: name, where: String(ready['health'] ?? ready['url']) }));
  const api = children.find(({ name }) => name === 'api')?.ready['url'];
  console.log('');
  printRows(
    [
      ...(typeof api === 'string'
        ? [
            { what: 'API', where: api },
            { what: 'a token for it', where: TOKEN_COMMAND },
          ]
        : []),
      { what: 'brokers', where: stack.urls.kafkaBrokers.join(',') },
      { what: 'registry', where: withoutCredentials(stack.urls.registryUrl) },
      { what: 'database', where: databaseName(config.mongo) },
      ...health,
      { what: 'logs', where: logs },
    ],
    ['what', 'where'],
  );
}
