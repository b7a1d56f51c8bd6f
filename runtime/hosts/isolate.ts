// Finds the records that break the code, and lets their neighbours through.

import type { OutputRecord } from '../../ports/log.ts';
import type { Disposition } from '../../processors/contract.ts';
import { type Fault, faultOf } from '../fault.ts';

/** What became of one record. */
export type Outcome =
  | { readonly kind: 'done'; readonly outputs: readonly OutputRecord[] }
  | { readonly kind: 'poison'; readonly fault: Fault }
  | Disposition;

export interface Isolated {
  /** Outcomes of the records up to a fault, in order; all of them when there is no fault. */
  readonly outcomes: readonly Outcome[];
  /** A fault of a dependency, or a fatal one: the record after the last outcome was not handled. */
  readonly fault?: Fault;
}

/** Runs a part of a batch: one outcome per item, in order, or it throws. */
export type Run<I> = (items: readonly I[]) => Promise<readonly Outcome[]>;

/** How often in a row a record must fail alone before it is condemned for an error that nobody coded. */
const FAILURES_TO_CONDEMN = 3;

/** What is known beyond the batch. */
export interface Witnesses {
  /** Whether other records came through since this batch was first suspected. */
  readonly othersPassed: () => boolean;
  /** Whether it has been tried for long enough. */
  readonly isTriedEnough: boolean;
}

const NO_WITNESSES: Witnesses = { othersPassed: () => false, isTriedEnough: false };

/** Alone, it failed with an error that nobody coded. */
interface Suspect {
  readonly kind: 'suspect';
  readonly fault: Fault;
}

/**
 * Runs all records at once. When that throws poison, each half runs by itself, until the guilty record is alone; a run
 * is therefore repeated for its neighbours, which is safe because what it does outside is idempotent.
 *
 * A coded error says that it is the record's. One that nobody coded may be a dependency's: it condemns a record only when
 * others come through where this one fails, time and again. Where none comes through, the batch waits as for a dependency;
 * after `isTriedEnough`, its first suspect alone is condemned, so that no record stops its partition for good.
 */
export async function isolate<I>(
  items: readonly I[],
  run: Run<I>,
  witnesses: Witnesses = NO_WITNESSES,
): Promise<Isolated> {
  const found = await search(items, run);
  const suspects = found.outcomes.filter(isSuspect).length;
  if (suspects === 0) return { ...found, outcomes: found.outcomes as readonly Outcome[] };
  const passed =
    found.outcomes.some((outcome) => !isSuspect(outcome) && !isCondemned(outcome)) || witnesses.othersPassed();
  return settle(found, { passed, isTriedEnough: witnesses.isTriedEnough }, (place) => run([items[place]!]));
}

interface Found {
  readonly outcomes: readonly (Outcome | Suspect | Condemned)[];
  readonly fault?: Fault;
}

/** Poison that the run threw, unlike what it answers for a record that broke `decide`: that one came through. */
type Condemned = Extract<Outcome, { readonly kind: 'poison' }> & { readonly thrown: true };

const isSuspect = (outcome: Outcome | Suspect): outcome is Suspect => outcome.kind === 'suspect';
const isCondemned = (outcome: Outcome | Suspect): outcome is Condemned => 'thrown' in outcome;

async function search<I>(items: readonly I[], run: Run<I>): Promise<Found> {
  if (items.length === 0) return { outcomes: [] };
  let fault: Fault;
  try {
    return { outcomes: await run(items) };
  } catch (error) {
    fault = faultOf(error);
  }
  if (fault.faultClass !== 'poison') return { outcomes: [], fault };
  if (items.length === 1) {
    return { outcomes: [fault.known ? { kind: 'poison', fault, thrown: true } : { kind: 'suspect', fault }] };
  }
  const middle = items.length >> 1;
  const first = await search(items.slice(0, middle), run);
  if (first.fault) return first;
  const second = await search(items.slice(middle), run);
  return { ...second, outcomes: [...first.outcomes, ...second.outcomes] };
}

/** Condemns, clears, or (without a witness) gives up at the first suspect. */
async function settle(
  found: Found,
  { passed, isTriedEnough }: { readonly passed: boolean; readonly isTriedEnough: boolean },
  again: (place: number) => Promise<readonly Outcome[]>,
): Promise<Isolated> {
  const outcomes: Outcome[] = [];
  let mayCondemn = passed || isTriedEnough;
  for (const [place, outcome] of found.outcomes.entries()) {
    if (!isSuspect(outcome)) {
      outcomes.push(outcome);
      continue;
    }
    if (!mayCondemn) return { outcomes, fault: waiting(outcome.fault) };
    const verdict = await tried(outcome, () => again(place));
    if ('faultClass' in verdict) return { outcomes, fault: verdict };
    outcomes.push(verdict);
    mayCondemn = passed;
  }
  return { ...found, outcomes };
}

async function tried({ fault }: Suspect, again: () => Promise<readonly Outcome[]>): Promise<Outcome | Fault> {
  for (let failures = 1; failures < FAILURES_TO_CONDEMN; failures++) {
    try {
      return (await again())[0]!;
    } catch (error) {
      const next = faultOf(error);
      if (next.faultClass !== 'poison') return next;
    }
  }
  return { kind: 'poison', fault };
}

const waiting = (fault: Fault): Fault => ({ ...fault, faultClass: 'transient-dependency' });
