// Who used an id first: resolves a batch against the claims that stand, so that two records of one batch see each other.
import { isSamePosition } from '../../domain/transfers/origin-position.ts';
import { isTransferId } from '../../domain/transfers/transfer-id.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { CURRENT_HASH, hashVersion, payloadHash } from './payload-hash.ts';
import type { IntentClaim, IntentClaims } from './ports.ts';

/** How a record stands to the claim on its id. */
export type ClaimOutcome =
  /** This very record made it: now, or before a crash, a retry or a replay. */
  | { readonly kind: 'own'; readonly claim: IntentClaim }
  /** Another record with the same payload did. */
  | { readonly kind: 'duplicate'; readonly claim: IntentClaim }
  /** Another producer did: whatever it said is no concern of this one. */
  | { readonly kind: 'of-another' }
  /** Another record with another payload did. */
  | { readonly kind: 'other-payload'; readonly claim: IntentClaim }
  /** The claim was made by a newer version of this code. */
  | { readonly kind: 'unknown-hash'; readonly claim: IntentClaim }
  /** Nobody did, and this record may not. */
  | { readonly kind: 'none' };

export interface Applicant {
  readonly intent: TransferRequested;
  readonly originPosition: string;
  /** Append time at the broker, ms. */
  readonly appendedAt: number;
  /** Who it is from; null: nobody can tell. */
  readonly producerId: string | null;
  /** Only valid intents claim; others are compared with a claim that stands. */
  readonly valid: boolean;
}

interface ClaimTerms {
  readonly now: number;
  readonly homePartitionOf: (transferId: string) => number;
}

/** The standing of each applicant, in order; claims what is free on the way. */
export async function settleClaims(
  store: IntentClaims,
  applicants: readonly Applicant[],
  { now, homePartitionOf }: ClaimTerms,
): Promise<readonly ClaimOutcome[]> {
  const wanted = new Map<string, IntentClaim>();
  const hashed = new Map<TransferRequested, string>();
  for (const { intent, originPosition, producerId, valid } of applicants) {
    const { transferId } = intent;
    if (!valid || wanted.has(transferId)) continue;
    const homePartition = homePartitionOf(transferId);
    const hash = payloadHash(intent)!;
    hashed.set(intent, hash);
    wanted.set(transferId, { transferId, hash, originPosition, homePartition, acceptedAt: now, producerId });
  }
  const known = new Map<string, IntentClaim>();
  for (const claim of wanted.size > 0 ? await store.claim([...wanted.values()]) : []) {
    known.set(claim.transferId, claim);
  }
  // An invalid intent may repeat a valid one (sent again when it was too old); ids that cannot exist are not looked up.
  const others = new Set<string>();
  for (const { intent, valid } of applicants) {
    if (!valid && !known.has(intent.transferId) && isTransferId(intent.transferId)) others.add(intent.transferId);
  }
  for (const claim of others.size > 0 ? await store.find([...others]) : []) known.set(claim.transferId, claim);
  return applicants.map((applicant) => {
    const { intent } = applicant;
    return outcomeOf(applicant, known.get(intent.transferId), hashed.get(intent));
  });
}

/** `hashed`: the hash of the intent by the current version, if it is known. */
function outcomeOf(
  { intent, originPosition: position, appendedAt, producerId }: Applicant,
  claim: IntentClaim | undefined,
  hashed: string | undefined,
): ClaimOutcome {
  if (claim === undefined) return { kind: 'none' };
  const version = hashVersion(claim.hash);
  const hash = version === CURRENT_HASH && hashed !== undefined ? hashed : payloadHash(intent, version);
  if (hash === undefined) return { kind: 'unknown-hash', claim };
  // Of claims whose producer nobody knows, whoever says the same says it again.
  const isOthers = claim.producerId !== null && claim.producerId !== producerId;
  if (hash !== claim.hash) return isOthers ? { kind: 'of-another' } : { kind: 'other-payload', claim };
  const made = { position: claim.originPosition, storedAt: claim.acceptedAt };
  const own = isSamePosition(made, { topic: 'transfer.requested', position, appendedAt });
  if (own) return { kind: 'own', claim };
  return isOthers ? { kind: 'of-another' } : { kind: 'duplicate', claim };
}
