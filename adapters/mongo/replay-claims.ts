// Claims on dead letters that are replayed: replay_claims { _id: dead letter, owner, replayId, position, claimedAt }.
import type { Db } from 'mongodb';
import type { ReplayClaim, ReplayClaims } from '../../ports/replay-claims.ts';
import { type ClaimDocument, claimAll } from './claims.ts';
import { MAJORITY } from './client.ts';
import { STAMP } from './schema-version.ts';

export const REPLAY_CLAIMS = 'replay_claims';

/** A claim as stored. Kept for ever: a dead letter is decided again once. */
interface ReplayClaimDocument extends ClaimDocument {
  readonly owner: string;
  readonly replayId: string;
  readonly position: string;
  readonly claimedAt: Date;
}

/** `db` is asked for at the first replay: a stage that needs no database otherwise starts without one. */
export function replayClaims(db: () => Promise<Db>): ReplayClaims {
  return {
    async claim(claims) {
      const collection = (await db()).collection<ClaimDocument>(REPLAY_CLAIMS, MAJORITY);
      return (await claimAll(collection, claims.map(toDocument))).map(fromDocument);
    },
  };
}

const toDocument = ({ deadLetterId, claimedAt, ...rest }: ReplayClaim): ReplayClaimDocument => ({
  _id: deadLetterId,
  ...rest,
  claimedAt: new Date(claimedAt),
  ...STAMP,
});

const fromDocument = ({ _id, owner, replayId, position, claimedAt }: ReplayClaimDocument): ReplayClaim => ({
  deadLetterId: _id,
  owner,
  replayId,
  position,
  claimedAt: claimedAt.getTime(),
});
