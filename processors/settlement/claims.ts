// Settles a batch of payout updates against the claims that stand: one round trip when all are first steps.
import { CodedError } from '../../ports/fault.ts';
import type { SettlementClaim, SettlementClaims } from './ports.ts';
import { advance, type PlacedUpdate, type StepOutcome } from './steps.ts';

const MAX_ROUNDS = 5;

/**
 * The outcome of each update, in order.
 * @throws CodedError MONGO_UNAVAILABLE; SETTLEMENT_CLAIM_CONTENDED when others kept changing the same claims
 */
export async function settleUpdates(
  store: SettlementClaims,
  updates: readonly PlacedUpdate[],
  now: number,
): Promise<readonly StepOutcome[]> {
  let known: ReadonlyMap<string, SettlementClaim> = new Map();
  let outcomes = fold(known, updates, now);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const lost = await save(store, known, outcomes.claims);
    if (lost.size === 0) return outcomes.each;
    // Somebody (most often this stage before a crash) was there first: read what stands and take the batch in again.
    const ids = [...new Set(updates.map(({ value }) => value.command.transferId))];
    known = new Map((await store.find(ids)).map((claim) => [claim.transferId, claim]));
    outcomes = fold(known, updates, now);
  }
  throw new CodedError('SETTLEMENT_CLAIM_CONTENDED', 'other writers keep changing these settlement claims', {
    faultClass: 'transient-dependency',
    dependency: 'mongo',
  });
}

interface Folded {
  readonly each: readonly StepOutcome[];
  readonly claims: ReadonlyMap<string, SettlementClaim>;
}

function fold(known: ReadonlyMap<string, SettlementClaim>, updates: readonly PlacedUpdate[], now: number): Folded {
  const claims = new Map(known);
  const each = updates.map((update) => {
    const { transferId } = update.value.command;
    const { claim, outcome } = advance(claims.get(transferId), update, now);
    if (claim !== undefined) claims.set(transferId, claim);
    return outcome;
  });
  return { each, claims };
}

async function save(
  store: SettlementClaims,
  known: ReadonlyMap<string, SettlementClaim>,
  claims: ReadonlyMap<string, SettlementClaim>,
): Promise<ReadonlySet<string>> {
  const fresh: SettlementClaim[] = [];
  const changed: { claim: SettlementClaim; expectedSteps: number }[] = [];
  for (const [id, claim] of claims) {
    const before = known.get(id);
    if (before === undefined) fresh.push(claim);
    else if (before !== claim) changed.push({ claim, expectedSteps: before.steps.length });
  }
  const inserted = fresh.length > 0 ? await store.insert(fresh) : new Set<string>();
  const replaced = changed.length > 0 ? await store.replace(changed) : new Set<string>();
  return new Set([...inserted, ...replaced]);
}
