// Claims of attempts in memory: one log for all workers, which each of them may have read less of.
import { type AttemptClaim, AttemptLedger, STOPPED } from '../attempt-ledger.ts';
import type { AttemptClaims } from '../ports.ts';

const KEPT_MS = 7 * 86_400_000;

export class MemoryClaimLog {
  #first = new AttemptLedger(KEPT_MS);
  readonly #now: () => number;
  readonly #late: string[] = [];
  #isDown = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** No claim can be made while this is set. */
  get down(): boolean {
    return this.#isDown;
  }

  set down(isDown: boolean) {
    this.#isDown = isDown;
    if (!isDown) for (const id of this.#late.splice(0)) this.#stop(id);
  }

  /** Somebody has deleted all claims. */
  forget(): void {
    this.#first = new AttemptLedger(KEPT_MS);
  }

  #stop(payoutId: string): void {
    if (this.#isDown) this.#late.push(payoutId);
    else this.#take({ payoutId, attempt: STOPPED, startedAt: this.#now(), earlier: [] });
  }

  #take(claim: Omit<AttemptClaim, 'claimId'>): boolean {
    return this.#first.take({ ...claim, claimId: '' }, { at: this.#now(), now: this.#now() });
  }

  /**
   * @param sees false: what others have claimed is not known here yet, but by claiming itself
   * @param knowsOutages that no claim can be made is known before one is made
   */
  follower(sees: () => boolean = () => true, knowsOutages = false): AttemptClaims {
    return {
      highest: (payoutId) => (sees() ? this.#first.highest(payoutId) : undefined),
      claim: async (claims) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.down) throw new Error('the log is away');
        return claims.map((claim) => this.#take(claim));
      },
      // One process may learn late that claims do not come back: some attempts are begun all the same.
      ready: () => !this.#isDown || !knowsOutages,
      stopped: async (payoutId) => this.#stop(payoutId),
    };
  }
}
