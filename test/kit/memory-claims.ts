// Claims in memory, with the contract of the durable ones. `crashAfter` makes the next call do its work and then fail, as
// when the answer is lost.

import { CodedError } from '../../ports/fault.ts';
import type { ReplayClaim, ReplayClaims } from '../../ports/replay-claims.ts';
import type { HoldClaim, HoldClaims } from '../../processors/holds.ts';
import type { IntentClaim, IntentClaims } from '../../processors/intake/ports.ts';
import type { SettlementClaim, SettlementClaims } from '../../processors/settlement/ports.ts';

export class Outages {
  /** How many of the next calls do their work and then fail. */
  crashAfter = 0;
  calls = 0;

  async answer<T>(work: () => T): Promise<T> {
    this.calls += 1;
    const result = work();
    if (this.crashAfter === 0) return result;
    this.crashAfter -= 1;
    throw new CodedError('MONGO_UNAVAILABLE', 'the answer was lost', {
      faultClass: 'transient-dependency',
      dependency: 'mongo',
    });
  }
}

/** The first claim of each id stands. */
function firstStands<C>(store: Map<string, C>, idOf: (claim: C) => string, claims: readonly C[]): readonly C[] {
  return claims.map((claim) => {
    const standing = store.get(idOf(claim)) ?? claim;
    store.set(idOf(claim), standing);
    return standing;
  });
}

export interface Memory<C> {
  readonly store: Map<string, C>;
  readonly outages: Outages;
}

export function memoryIntentClaims(): IntentClaims & Memory<IntentClaim> {
  const store = new Map<string, IntentClaim>();
  const outages = new Outages();
  return {
    store,
    outages,
    claim: (claims) => outages.answer(() => firstStands(store, (claim) => claim.transferId, claims)),
    find: (ids) => outages.answer(() => ids.flatMap((id) => store.get(id) ?? [])),
  };
}

export function memoryHoldClaims(): HoldClaims & Memory<HoldClaim> {
  const store = new Map<string, HoldClaim>();
  const outages = new Outages();
  return {
    store,
    outages,
    claim: (claims) => outages.answer(() => firstStands(store, (claim) => claim.holdId, claims)),
  };
}

export function memoryReplayClaims(): ReplayClaims & Memory<ReplayClaim> {
  const store = new Map<string, ReplayClaim>();
  const outages = new Outages();
  return {
    store,
    outages,
    claim: (claims) => outages.answer(() => firstStands(store, (claim) => claim.deadLetterId, claims)),
  };
}

export function memorySettlementClaims(): SettlementClaims & Memory<SettlementClaim> {
  const store = new Map<string, SettlementClaim>();
  const outages = new Outages();
  return {
    store,
    outages,
    insert: (claims) =>
      outages.answer(() => {
        const taken = claims.filter(({ transferId }) => store.has(transferId));
        firstStands(store, (claim) => claim.transferId, claims);
        return new Set(taken.map(({ transferId }) => transferId));
      }),
    find: (ids) => outages.answer(() => ids.flatMap((id) => store.get(id) ?? [])),
    replace: (changes) =>
      outages.answer(() => {
        const lost = changes.filter(({ claim, expectedSteps }) => {
          if (store.get(claim.transferId)?.steps.length !== expectedSteps) return true;
          store.set(claim.transferId, claim);
          return false;
        });
        return new Set(lost.map(({ claim }) => claim.transferId));
      }),
  };
}
