// Screens known customers, and the parties of transfers on their way, against what a new list version changed.
import type { ListReference } from '../../schemas/types.generated.ts';
import type { Difference, Screener, ScreeningRequest } from '../ports.ts';
import { changesSince, coveredAfter } from '../versions/version.ts';
import { type CustomerCases, casesFrom } from './customer-case.ts';

export interface KnownParties {
  readonly transferId: string;
  readonly request: ScreeningRequest;
}

/** How far customers are screened, per source. Never goes back. */
export interface RescreenProgress {
  covered(): Promise<readonly ListReference[]>;
  /** Raises what is covered; an activation that is behind what is stored changes nothing. `startedAt`: of the run, ms. */
  advance(lists: readonly ListReference[], startedAt: number): Promise<void>;
}

export interface RescreenOptions {
  /** The lists to be screened against: those in force when the run begins. */
  readonly lists: readonly ListReference[];
  /** Screens against exactly those. */
  readonly screener: Pick<Screener, 'recheck'>;
  readonly progress: RescreenProgress;
  readonly cases: CustomerCases;
  /** Parties known from the last days, in batches; called only when something changed. */
  readonly known: () => AsyncIterable<readonly KnownParties[]>;
  /** ms since 1970 */
  readonly clock: () => number;
}

export interface RescreenReport {
  /** Versions that the customers are screened against from now on. */
  readonly versions: readonly string[];
  readonly transfers: number;
  /** Cases that were not open before. */
  readonly opened: number;
}

/** One run; undefined when nothing changed. A run that is cut off is repeated whole, and opens no case twice. */
export async function rescreen(options: RescreenOptions): Promise<RescreenReport | undefined> {
  const { lists, screener, progress, cases, known, clock } = options;
  const covered = await progress.covered();
  const changes = changesSince(covered, lists);
  if (changes.length === 0) return undefined;
  const startedAt = clock();
  let transfers = 0;
  let opened = 0;
  for await (const batch of known()) {
    transfers += batch.length;
    const differences = await screener.recheck(batch.map(({ request }) => ({ request, covered })));
    opened += await openCases(cases, batch, differences, clock());
  }
  await progress.advance(coveredAfter(covered, lists), startedAt);
  return { versions: changes.map(({ to }) => to.versionId), transfers, opened };
}

/** Parties with the lists that they were screened against. */
export interface ScreenedParties extends KnownParties {
  readonly covered: readonly ListReference[];
}

/**
 * Screens those who were screened against an older version after a run had begun: their transfers came too late for the
 * run, and the instance that screened them had not switched yet. On rails where the lists are not looked at again nobody
 * else would. Harmless to repeat.
 * @returns how many cases were new
 */
export async function rescreenBehind({
  screener,
  cases,
  screened,
  clock,
}: Pick<RescreenOptions, 'screener' | 'cases' | 'clock'> & {
  readonly screened: () => AsyncIterable<readonly ScreenedParties[]>;
}): Promise<number> {
  let opened = 0;
  for await (const batch of screened()) {
    opened += await openCases(cases, batch, await screener.recheck(batch), clock());
  }
  return opened;
}

async function openCases(
  cases: Pick<CustomerCases, 'open'>,
  batch: readonly KnownParties[],
  differences: readonly (Difference | undefined)[],
  now: number,
): Promise<number> {
  const found = batch.flatMap(({ transferId, request }, i) => {
    const difference = differences[i];
    return difference === undefined ? [] : casesFrom(transferId, request, difference, now);
  });
  // One customer has many transfers.
  const once = new Map(found.map((each) => [each.caseId, each]));
  return once.size > 0 ? cases.open([...once.values()]) : 0;
}
