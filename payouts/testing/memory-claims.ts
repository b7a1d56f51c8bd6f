// Claims of attempts in memory: one log for all workers, which each of them may have read less of.
import { AttemptLedger } from '../attempt-ledger.ts';
import type { AttemptClaims } from '../ports.ts';

const KEPT_MS = 7 * 86_400_000;

export class MemoryClaimLog {
  readonly #first = new AttemptLedger(KEPT_MS);
  readonly #now: () => number;
  /** No claim can be made while this is set. */
  down = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param sees false: what others have claimed is not known here yet, but by claiming itself */
  follower(sees: () => boolean = () => true): AttemptClaims {
    return {
      highest: (payoutId) => (sees() ? this.#first.highest(payoutId) : undefined),
      claim: async (claims) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.down) throw new Error('the log is away');
        return claims.map((claim) => this.#first.take({ ...claim, claimId: '' }, this.#now()));
      },
    };
  }
}
