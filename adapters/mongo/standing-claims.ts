// The claims of stages as they stand, for dry runs: read, and never made.
import type { Db } from 'mongodb';
import type { HoldClaim } from '../../processors/holds.ts';
import type { ClaimDocument } from './claims.ts';
import { findByIds } from './claims.ts';
import { MAJORITY } from './client.ts';
import { HOLD_CLAIMS, type HoldClaimDocument, holdClaimFrom } from './hold-claims.ts';

/** The claims that stand on these holds. @throws CodedError MONGO_UNAVAILABLE */
export async function standingHoldClaims(db: Db, holdIds: readonly string[]): Promise<readonly HoldClaim[]> {
  const collection = db.collection<ClaimDocument>(HOLD_CLAIMS, MAJORITY);
  return (await findByIds<HoldClaimDocument>(collection, holdIds)).map(holdClaimFrom);
}
