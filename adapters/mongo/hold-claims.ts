// Claims on holds: hold_claims { _id: holdId, commandId, position, transferId, claimedAt }.
import type { Db } from 'mongodb';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { HoldClaim, HoldClaims, HoldClaimsFailpoint } from '../../processors/holds.ts';
import { type ClaimDocument, claimAll, findByIds } from './claims.ts';
import { MAJORITY } from './client.ts';
import { STAMP } from './schema-version.ts';

export const HOLD_CLAIMS = 'hold_claims';

export interface HoldClaimDocument extends ClaimDocument {
  readonly commandId: string;
  readonly position: string;
  readonly transferId: string;
  readonly claimedAt: Date;
}

export function holdClaims(db: Db, options: { readonly failpoint?: Failpoint<HoldClaimsFailpoint> } = {}): HoldClaims {
  const collection = db.collection<ClaimDocument>(HOLD_CLAIMS, MAJORITY);
  return {
    async claim(claims) {
      const between = () => options.failpoint?.('hold-claims.after-insert');
      const won = await claimAll(collection, claims.map(toDocument), between);
      return won.map(holdClaimFrom);
    },
  };
}

/** The claims that there are on these holds: read, and never made. @throws CodedError MONGO_UNAVAILABLE */
export async function claimsOnHolds(db: Db, holdIds: readonly string[]): Promise<readonly HoldClaim[]> {
  const collection = db.collection<ClaimDocument>(HOLD_CLAIMS, MAJORITY);
  return (await findByIds<HoldClaimDocument>(collection, holdIds)).map(holdClaimFrom);
}

const toDocument = ({ holdId, claimedAt, ...rest }: HoldClaim): HoldClaimDocument => ({
  _id: holdId,
  ...rest,
  claimedAt: new Date(claimedAt),
  ...STAMP,
});

export const holdClaimFrom = ({ _id, commandId, position, transferId, claimedAt }: HoldClaimDocument): HoldClaim => ({
  holdId: _id,
  commandId,
  position,
  transferId,
  claimedAt: claimedAt.getTime(),
});
