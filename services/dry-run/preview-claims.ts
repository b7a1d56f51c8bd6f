// Claims as a stage would find and make them, kept in memory: what stands in the store counts, and nothing is written there.
import type { QuoteStore } from '../../processors/fx-pricing/ports.ts';
import type { SealedClaim } from '../../processors/fx-pricing/quote-seals.ts';
import type { HoldClaim, HoldClaims } from '../../processors/holds.ts';
import type { IntentClaim, IntentClaims } from '../../processors/intake/ports.ts';
import type { SettlementClaim, SettlementClaims } from '../../processors/settlement/ports.ts';

/** Claims by id, over those that stand. */
class Preview<C> {
  readonly #made = new Map<string, C>();
  readonly #find: (ids: readonly string[]) => Promise<readonly C[]>;
  readonly #idOf: (claim: C) => string;

  constructor(find: (ids: readonly string[]) => Promise<readonly C[]>, idOf: (claim: C) => string) {
    this.#find = find;
    this.#idOf = idOf;
  }

  async find(ids: readonly string[]): Promise<readonly C[]> {
    const asked = ids.filter((id) => !this.#made.has(id));
    const stored = asked.length === 0 ? [] : await this.#find([...new Set(asked)]);
    return [...stored, ...ids.flatMap((id) => this.#made.get(id) ?? [])];
  }

  /** The claims that stand, in the order of those given. */
  async claim(claims: readonly C[]): Promise<readonly C[]> {
    const standing = new Map((await this.find(claims.map(this.#idOf))).map((claim) => [this.#idOf(claim), claim]));
    return claims.map((claim) => {
      const id = this.#idOf(claim);
      const found = standing.get(id);
      if (found) return found;
      this.set(claim);
      standing.set(id, claim);
      return claim;
    });
  }

  set(claim: C): void {
    this.#made.set(this.#idOf(claim), claim);
  }
}

export function previewIntents(stored: Pick<IntentClaims, 'find'>): IntentClaims {
  const preview = new Preview<IntentClaim>(
    (ids) => stored.find(ids),
    ({ transferId }) => transferId,
  );
  return { claim: (claims) => preview.claim(claims), find: (ids) => preview.find(ids) };
}

export function previewHolds(find: (holdIds: readonly string[]) => Promise<readonly HoldClaim[]>): HoldClaims {
  const preview = new Preview<HoldClaim>(find, ({ holdId }) => holdId);
  return { claim: (claims) => preview.claim(claims) };
}

export function previewSettlements(stored: Pick<SettlementClaims, 'find'>): SettlementClaims {
  const preview = new Preview<SettlementClaim>(
    (ids) => stored.find(ids),
    ({ transferId }) => transferId,
  );
  return {
    find: (ids) => preview.find(ids),
    async insert(claims) {
      const standing = new Set(
        (await preview.find(claims.map(({ transferId }) => transferId))).map(({ transferId }) => transferId),
      );
      for (const claim of claims) if (!standing.has(claim.transferId)) preview.set(claim);
      return standing;
    },
    async replace(changes) {
      for (const { claim } of changes) preview.set(claim);
      return new Set();
    },
  };
}

export function previewQuotes(stored: Pick<QuoteStore, 'find'>): QuoteStore {
  const preview = new Preview<SealedClaim>(
    async (ids) => (await stored.find(ids)).claims,
    ({ quoteId }) => quoteId,
  );
  return {
    find: async (ids) => ({ quotes: (await stored.find(ids)).quotes, claims: await preview.find(ids) }),
    claim: (claims) => preview.claim(claims),
  };
}
