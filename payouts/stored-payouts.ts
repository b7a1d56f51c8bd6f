// Payouts as they are stored: inserts, reads and compare-and-set, many with one round trip; and who hears of what is stored.
import { Batcher } from '../ports/batcher.ts';
import { isBehind, isToBeStopped } from './attempt-ledger.ts';
import { endsPayout } from './contradictions.ts';
import type { PayoutExecutorDependencies, PayoutReports } from './dependencies.ts';
import type { Payout } from './payout.ts';
import type { PayoutChange } from './ports.ts';
import { isNamedBehind, stopRolledBack } from './put-back.ts';

/** A change that keeps losing its race is left to whoever wins. */
const MAX_RACES = 5;

export class StoredPayouts {
  readonly #deps: PayoutExecutorDependencies;
  readonly #reports: PayoutReports;
  readonly #inserts: Batcher<Payout, boolean>;
  readonly #changes: Batcher<PayoutChange, boolean>;
  readonly #loads: Batcher<string, Payout | undefined>;
  readonly #schedules: Batcher<{ payoutId: string; dueAt: number }, undefined>;

  constructor(deps: PayoutExecutorDependencies, reports: PayoutReports) {
    this.#deps = deps;
    this.#reports = reports;
    const { payouts, timer, config } = deps;
    const keyOf = ({ payoutId }: { payoutId: string }) => payoutId;
    const bounds = { maxItems: config.maxStoreBatch, gathersTurn: true };
    this.#inserts = new Batcher<Payout, boolean>({ run: (batch) => payouts.insert(batch), keyOf, ...bounds });
    this.#changes = new Batcher({
      run: (batch) => payouts.apply(batch),
      keyOf: ({ next }) => next.payoutId,
      ...bounds,
    });
    this.#loads = new Batcher({
      run: async (ids) => {
        const found = new Map((await payouts.load(ids)).map((payout) => [payout.payoutId, payout]));
        return ids.map((id) => found.get(id));
      },
      keyOf: (id) => id,
      ...bounds,
    });
    this.#schedules = new Batcher<{ payoutId: string; dueAt: number }, undefined>({
      run: async (batch) => {
        await timer.schedule(batch);
        return batch.map(() => undefined);
      },
      keyOf,
      ...bounds,
    });
  }

  /** Stores a payout that does not exist yet; false: it does. */
  async insert(payout: Payout): Promise<boolean> {
    const isInserted = await this.#inserts.add(payout);
    if (!isInserted) return false;
    this.#notify({ ...payout, phase: 'NEW', updates: [] }, payout);
    await this.#deps.failpoint?.('payout.after-insert');
    return true;
  }

  /**
   * The payout as stored; undefined: it is not there.
   *
   * What could happen: the database puts the document back to an older state of its own, which bears a true seal, and an
   * attempt that was sent is sent again or followed by another. What stops it: the log has the attempts that were claimed,
   * and a document that lacks one is stopped before anything is done with it (docs/adr/0010-attempts-in-the-log.md).
   */
  async load(payoutId: string): Promise<Payout | undefined> {
    const { attempts, clock } = this.#deps;
    for (let race = 0; race < MAX_RACES; race++) {
      // Asked before the read: an attempt is stored before it is claimed, so what is read now has all that was claimed by now.
      const claimed = attempts?.highest(payoutId);
      const payout = await this.#loads.add(payoutId);
      // Whoever opened the case may have died after that write and before the log knew (ADR 10): it is written now.
      if (payout && isToBeStopped(payout, claimed)) void attempts?.stopped(payoutId, clock.now());
      if (!payout || !claimed || !isBehind(payout, claimed) || isNamedBehind(payout, claimed)) return payout;
      const stopped = await this.change(payout, (now) => stopRolledBack(now, claimed, clock.now()), 'once');
      if (stopped) return stopped;
    }
    return undefined;
  }

  /**
   * Stores what `decide` makes of the payout. Answers it as stored, or undefined when it is left to others.
   *
   * What could happen: another worker, or a person who closes a case, writes between our read and our write. What stops us
   * from writing over it: each write names the revision that it follows. After a conflict the same is decided again on what
   * they wrote, or with `once` it is left to them.
   */
  async change(
    payout: Payout,
    decide: (now: Payout) => Payout,
    insistence: 'insist' | 'once' = 'insist',
  ): Promise<Payout | undefined> {
    let current: Payout | undefined = payout;
    for (let race = 0; race < MAX_RACES && current; race++) {
      const next = decide(current);
      if (next === current) return current;
      if (await this.#changes.add({ from: current.revision, next })) {
        this.#notify(current, next);
        return next;
      }
      this.#reports.emit({ kind: 'write-conflict', payoutId: payout.payoutId });
      if (insistence === 'once') return undefined;
      current = await this.load(payout.payoutId);
    }
    return undefined;
  }

  /** A change is stored: the log, the relay and the timer hear of it. What a death leaves out, relay and sweeper find. */
  #notify(before: Payout, after: Payout): void {
    const { payoutId } = after;
    const { attempts, clock, config, outbox } = this.#deps;
    const opened = after.cases.slice(before.cases.length);
    // What could happen: the database is put back to before the case, and another attempt begins. What stops it: the log
    // knows that nothing of this payout begins any more (ADR 10).
    // An end as unpaid waits for that too, before settlement hears of it (ADR 26).
    if (opened.some(endsPayout)) void attempts?.stopped(payoutId, clock.now());
    if (before.phase !== after.phase) {
      this.#reports.emit({ kind: 'transition', payoutId, from: before.phase, to: after.phase });
    }
    for (const { code } of opened) this.#reports.emit({ kind: 'case', payoutId, code });
    if (after.updates.length > before.updates.length) outbox.offer([after]);
    // The sweeper takes care of a lease that runs out: usually its worker reports long before.
    if (after.nextPollAt === null || after.phase === 'SUBMITTING') return;
    if (after.nextPollAt > clock.now() + config.timerHorizonMs) return;
    this.#schedules.add({ payoutId, dueAt: after.nextPollAt }).catch((error: unknown) => this.#reports.fault(error));
  }
}
