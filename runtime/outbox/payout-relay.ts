// The relay of payouts: from the outbox in their documents to payout.updated. An end as unpaid waits for the log to know that
// nothing of the payout begins any more (docs/adr/0026-ends-after-the-log.md).

import { type PayoutOutbox, type UpdateTerms, updateRecords } from '../../payouts/outbox.ts';
import type { Payout } from '../../payouts/payout.ts';
import type { AttemptClaims } from '../../payouts/ports.ts';
import { type EndWait, waitOfEnd } from '../../payouts/waiting-ends.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { type RecordMakerOptions, recordMaker } from '../../ports/records.ts';
import { consumers } from '../../processors/topology.ts';
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions } from './outbox-relay.ts';

export interface PayoutRelayOptions
  extends Omit<OutboxRelayOptions<Payout>, 'source' | 'idOf' | 'toRecords'>,
    Pick<UpdateTerms, 'requests'>,
    Pick<RecordMakerOptions<never>, 'codec' | 'rings'> {
  readonly source: PayoutOutbox;
  /** Attempts that were claimed. Without them every end is told at once, also one that a database put back would undo. */
  readonly attempts?: Pick<AttemptClaims, 'highest' | 'stopped'>;
  /** These lack what the log has: have somebody look at them, who opens a case. Must not throw. */
  readonly onBehind?: (payoutIds: readonly string[]) => void;
  readonly clock?: Clock;
}

/** An end that has waited for so long is told in health, and again after as long, ms. */
const LONG_MS = 5_000;

/** The relay of payout updates; give it to the executor as its outbox. */
export function payoutRelay(options: PayoutRelayOptions): OutboxRelay<Payout> {
  const { source, codec, requests, rings, attempts: _, onBehind: __, clock: ___, ...relay } = options;
  const owner = 'payout-executor';
  const make = recordMaker({ owner, writes: consumers[owner].writes, codec, rings });
  const ends = new WaitingEnds(options, (payout) => offer([payout]));
  const inner = createOutboxRelay({
    ...relay,
    source,
    passed: (found, isFirst) => ends.searched(found, isFirst),
    idOf: ({ payoutId }) => payoutId,
    toRecords: (payouts) => updateRecords(payouts, { source, make, requests }),
  });
  const offer = (payouts: readonly Payout[]) => inner.offer(payouts.filter((payout) => ends.mayBePublished(payout)));
  return { ...bound(inner), offer };
}

const bound = (relay: OutboxRelay<Payout>) => ({
  start: () => relay.start(),
  stop: (deadlineMs: number) => relay.stop(deadlineMs),
  backlog: () => relay.backlog(),
});

interface Waiting {
  /** Monotonic, ms. */
  readonly since: number;
  readonly why: EndWait;
}

/** Ends as unpaid that may not be told yet. */
class WaitingEnds {
  readonly #options: PayoutRelayOptions;
  readonly #clock: Clock;
  readonly #publishNow: (payout: Payout) => void;
  /** Of the search at hand, and of the last one that came to its end. */
  #waiting = new Map<string, Waiting>();
  #before: ReadonlyMap<string, Waiting> = new Map();
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: PayoutRelayOptions, publishNow: (payout: Payout) => void) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#publishNow = publishNow;
  }

  /** Whether the log may have the updates of this payout now; one that waits for the log alone is told as soon as it may be. */
  mayBePublished(payout: Payout): boolean {
    const why = this.#waitOf(payout);
    if (why === undefined) return true;
    // What is left out here a search finds.
    if (why === 'LOG')
      void this.#options.attempts?.stopped(payout.payoutId, this.#clock.now()).then(() => this.#publishNow(payout));
    else this.#options.onBehind?.([payout.payoutId]);
    return false;
  }

  /** Of a page that a search has found, what may be told. */
  searched(found: readonly Payout[], isFirst: boolean): readonly Payout[] {
    const { attempts, onBehind } = this.#options;
    const now = performance.now();
    if (isFirst) {
      this.#say(now);
      this.#before = this.#waiting;
      this.#waiting = new Map();
    }
    const behind: string[] = [];
    const free = found.filter((payout) => {
      const { payoutId: id } = payout;
      const why = this.#waitOf(payout);
      if (why === undefined) return true;
      const before = this.#before.get(id);
      this.#waiting.set(id, { since: before?.since ?? now, why });
      if (why === 'LOG') void attempts?.stopped(id, this.#clock.now());
      else if (before?.why !== 'PERSON') behind.push(id);
      return false;
    });
    if (behind.length > 0) onBehind?.(behind);
    return free;
  }

  #waitOf(payout: Payout): EndWait | undefined {
    const { attempts, source } = this.#options;
    // What somebody else has written is refused as such, and may have any shape.
    if (!attempts || source.isForged(payout)) return undefined;
    return waitOfEnd(payout, attempts.highest(payout.payoutId));
  }

  #say(now: number): void {
    if (now - this.#saidAt < LONG_MS) return;
    for (const { why, code, detail } of REPORTS) {
      const ids = [...this.#waiting]
        .filter(([, one]) => one.why === why && now - one.since >= LONG_MS)
        .map(([id]) => id);
      if (ids.length === 0) continue;
      this.#saidAt = now;
      const some = ids.slice(0, 3).join(', ');
      const which = `${ids.length} payouts have ended as unpaid, and settlement does not know (${some})`;
      this.#options.onEvent?.({ kind: 'fault', code, detail: `${which}: ${detail}` });
    }
  }
}

const REPORTS = [
  {
    why: 'LOG',
    code: 'ATTEMPT_CLAIMS_LATE',
    detail: 'the log does not know yet that nothing of them begins any more. They wait until it does',
  },
  {
    why: 'PERSON',
    code: 'PAYOUT_ROLLED_BACK',
    detail:
      'the log has an attempt of each that its document lacks, so it may have been paid. Ask the provider about the key in its case ROLLED_BACK, then close that',
  },
] as const;
