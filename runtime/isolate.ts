// Finds the records that break the code, and lets their neighbours through.
import type { Disposition } from '../processors/contract.ts';
import { type Fault, faultOf } from './faults.ts';
import type { OutputRecord } from './ports/log.ts';

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

/**
 * Runs all records at once. When that throws poison, each half runs by itself, until the guilty record is alone; a run
 * is therefore repeated for its neighbours, which is safe because what it does outside is idempotent.
 */
export async function isolate<I>(
  items: readonly I[],
  run: (items: readonly I[]) => Promise<readonly Outcome[]>,
): Promise<Isolated> {
  if (items.length === 0) return { outcomes: [] };
  let fault: Fault;
  try {
    return { outcomes: await run(items) };
  } catch (error) {
    fault = faultOf(error);
  }
  if (fault.faultClass !== 'poison') return { outcomes: [], fault };
  if (items.length === 1) return { outcomes: [{ kind: 'poison', fault }] };
  const middle = items.length >> 1;
  const first = await isolate(items.slice(0, middle), run);
  if (first.fault) return first;
  const second = await isolate(items.slice(middle), run);
  return { ...second, outcomes: [...first.outcomes, ...second.outcomes] };
}
