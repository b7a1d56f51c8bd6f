// A ledger that can be looked at, in memory. Tests put counters in it, or an outage.

import { senderDayRule } from '../../../domain/limits/limit-rules.ts';
import { ruleBook } from '../../../processors/limits/requests.ts';
import type { LedgerCount, LedgerEyes, LedgerLook, LedgerPlace } from '../standing.ts';

export interface MemoryEyes extends LedgerEyes {
  /** By name: `rule:subject:window`. */
  readonly counts: Map<string, LedgerCount>;
  /** What was looked at, call by call. */
  readonly looks: (readonly LedgerPlace[])[];
  book: ReturnType<typeof ruleBook>;
  notes: Pick<LedgerLook, 'short' | 'isCaughtUp'>;
  /** Thrown, when set. */
  outage: Error | undefined;
}

const DAY = senderDayRule({
  ruleId: 'day-gbp',
  currency: 'GBP',
  limitMinor: 1_000_00n,
  action: 'reject',
  freedByReturn: true,
});

export const memoryEyes = (): MemoryEyes => ({
  ...{ counts: new Map(), looks: [], outage: undefined, notes: { short: [], isCaughtUp: true } },
  book: ruleBook({ name: 'house', version: '1', rules: [DAY] }, () => ''),
  async look(places) {
    if (this.outage) throw this.outage;
    this.looks.push(places);
    const nothing: LedgerCount = { used: 0n, open: 0, steps: [] };
    const counts = places.map(
      ({ ruleId, subjectToken, window }) => this.counts.get(`${ruleId}:${subjectToken}:${window}`) ?? nothing,
    );
    return { counts, ...this.notes };
  },
});
