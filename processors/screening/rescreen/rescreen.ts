// Screens known customers, and the parties of transfers on their way, against what a new list version changed.
import type { ListReference } from '../../../schemas/types.generated.ts';
import type { Screener, ScreeningRequest } from '../ports.ts';
import { changesSince, coveredAfter } from '../versions/version.ts';
import { type CustomerCases, casesFrom } from './customer-case.ts';

export interface KnownParties {
  readonly transferId: string;
  readonly request: ScreeningRequest;
}

/** How far customers are screened, per source. Never goes back. */
export interface RescreenProgress {
  covered(): Promise<readonly ListReference[]>;
  /** Raises what is covered; an activation that is behind what is stored changes nothing. */
  advance(lists: readonly ListReference[], now: number): Promise<void>;
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
  let transfers = 0;
  let opened = 0;
  for await (const batch of known()) {
    transfers += batch.length;
    const differences = await screener.recheck(batch.map(({ request }) => ({ request, covered })));
    const found = batch.flatMap(({ transferId, request }, i) => {
      const difference = differences[i];
      return difference === undefined ? [] : casesFrom(transferId, request, difference, clock());
    });
    // One customer has many transfers.
    const once = new Map(found.map((each) => [each.caseId, each]));
    if (once.size > 0) opened += await cases.open([...once.values()]);
  }
  await progress.advance(coveredAfter(covered, lists), clock());
  return { versions: changes.map(({ to }) => to.versionId), transfers, opened };
}
