// What comes too often is counted: the first of a kind in a window are entries of their own, the rest is one entry with a
// number. Pure but for its memory, which is bounded.
import type { Act } from './entry.ts';

interface FloodTerms {
  /** Entries of their own of each kind in a window. */
  readonly perWindow: number;
  /** ms */
  readonly windowMs: number;
  /** Kinds that are told apart in a window; what comes beyond them is one kind. */
  readonly maxKinds?: number;
}

interface Kind {
  readonly since: number;
  let: number;
  counted: number;
  last: Act;
}

const MAX_KINDS = 500;
const OTHERS = 'others';

export class FloodGate {
  readonly #terms: FloodTerms;
  readonly #kinds = new Map<string, Kind>();

  constructor(terms: FloodTerms) {
    this.#terms = terms;
  }

  /**
   * What is to be written now that this came: the act, a count of those before it whose window is over, or nothing.
   * @param kind acts of one kind count together
   * @param now ms; never goes back
   */
  take(kind: string, act: Act, now: number): readonly Act[] {
    const { maxKinds = MAX_KINDS, perWindow } = this.#terms;
    const over = this.due(now);
    const isNew = !this.#kinds.has(kind);
    const key = isNew && this.#kinds.size >= maxKinds ? OTHERS : kind;
    const known = this.#kinds.get(key) ?? { since: now, let: 0, counted: 0, last: act };
    this.#kinds.set(key, known);
    known.last = key === OTHERS ? ofNobody(act) : act;
    if (known.let < perWindow && key !== OTHERS) {
      known.let += 1;
      return [...over, act];
    }
    known.counted += 1;
    return over;
  }

  /** The counts of all windows that are over; of every window at the end. */
  due(now: number): readonly Act[] {
    const over = [...this.#kinds].filter(([, { since }]) => now - since >= this.#terms.windowMs);
    for (const [kind] of over) this.#kinds.delete(kind);
    return over.flatMap(([, { counted, last }]) => (counted === 0 ? [] : [summed(last, counted)]));
  }
}

/** Neither an id nor a request stands for many. */
function summed(act: Act, count: number): Act {
  const { who, action, outcome, reasonCode, on } = act;
  return { who, action, outcome, reasonCode, on: { kind: on.kind }, count };
}

const ofNobody = (act: Act): Act => ({ ...act, who: { subject: null, roles: [], credential: 'NONE' } });
