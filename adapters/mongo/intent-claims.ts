// Claims on transfer ids: intent_claims { _id: transferId, hash, originPosition, homePartition, acceptedAt, producerId }.
import type { Db } from 'mongodb';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { IntakeFailpoint, IntentClaim, IntentClaims } from '../../processors/intake/ports.ts';
import { type ClaimDocument, claimAll, findByIds } from './claims.ts';
import { MAJORITY } from './client.ts';
import { STAMP } from './schema-version.ts';

export const INTENT_CLAIMS = 'intent_claims';

/** A claim as stored. Kept for ever: a transfer id is unique for ever. */
interface IntentClaimDocument extends ClaimDocument {
  readonly hash: string;
  readonly originPosition: string;
  readonly homePartition: number;
  readonly acceptedAt: Date;
  /** Absent in claims of before. */
  readonly producerId?: string | null;
}

export function intentClaims(db: Db, options: { readonly failpoint?: Failpoint<IntakeFailpoint> } = {}): IntentClaims {
  const collection = db.collection<ClaimDocument>(INTENT_CLAIMS, MAJORITY);
  return {
    async claim(claims) {
      const between = () => options.failpoint?.('intent-claims.after-insert');
      const standing = await claimAll(collection, claims.map(toDocument), between);
      return standing.map(fromDocument);
    },
    async find(transferIds) {
      return (await findByIds<IntentClaimDocument>(collection, transferIds)).map(fromDocument);
    },
  };
}

const toDocument = ({ transferId, acceptedAt, ...rest }: IntentClaim): IntentClaimDocument => ({
  _id: transferId,
  ...rest,
  acceptedAt: new Date(acceptedAt),
  ...STAMP,
});

const fromDocument = ({
  _id,
  hash,
  originPosition,
  homePartition,
  acceptedAt,
  producerId = null,
}: IntentClaimDocument): IntentClaim => ({
  transferId: _id,
  hash,
  originPosition,
  homePartition,
  acceptedAt: acceptedAt.getTime(),
  producerId,
});
