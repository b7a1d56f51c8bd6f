// Claims on holds: hold_claims { _id: holdId, commandId, position, transferId, claimedAt }.
import type { Db } from 'mongodb';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { HoldClaim, HoldClaims, HoldClaimsFailpoint } from '../../processors/holds.ts';
import { type ClaimDocument, claimAll } from './claims.ts';
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
      const standing = await claimAll(collection, claims.map(toDocument), between);
      return standing.map(holdClaimFrom);
    },
  };
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
