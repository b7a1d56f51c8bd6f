// Claims on payout versions: settlement_claims { _id: transferId, count, steps }. Replaced only while `count` is as read.
import type { AnyBulkWriteOperation, Db } from 'mongodb';
import type { Failpoint } from '../../ports/failpoint.ts';
import type {
  SettlementClaim,
  SettlementClaims,
  SettlementFailpoint,
  SettlementStep,
} from '../../processors/settlement/ports.ts';
import { type ClaimDocument, findByIds, insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { STAMP } from './schema-version.ts';

export const SETTLEMENT_CLAIMS = 'settlement_claims';

interface SettlementClaimDocument extends ClaimDocument {
  /** Number of steps: the guard of a replacement. */
  readonly count: number;
  readonly steps: readonly (Omit<SettlementStep, 'at'> & { readonly at: Date })[];
}

export function settlementClaims(
  db: Db,
  options: { readonly failpoint?: Failpoint<SettlementFailpoint> } = {},
): SettlementClaims {
  const collection = db.collection<ClaimDocument>(SETTLEMENT_CLAIMS, MAJORITY);
  return {
    async insert(claims) {
      const taken = await insertFree(collection, claims.map(toDocument));
      await options.failpoint?.('settlement-claims.after-insert');
      return taken;
    },
    async find(transferIds) {
      return (await findByIds<SettlementClaimDocument>(collection, transferIds)).map(fromDocument);
    },
    async replace(changes) {
      const operations = changes.map(({ claim, expectedSteps }): AnyBulkWriteOperation<ClaimDocument> => {
        const { _id, count, steps } = toDocument(claim);
        return {
          updateOne: { filter: { _id, count: expectedSteps } as never, update: { $set: { count, steps, ...STAMP } } },
        };
      });
      const { matchedCount } = await guarded(() => collection.bulkWrite(operations, { ordered: false }));
      await options.failpoint?.('settlement-claims.after-replace');
      if (matchedCount === changes.length) return new Set();
      // Which ones were lost is not told: all are looked at again, and those that were replaced recognise themselves.
      return new Set(changes.map(({ claim }) => claim.transferId));
    },
  };
}

const toDocument = ({ transferId, steps }: SettlementClaim): SettlementClaimDocument => ({
  _id: transferId,
  count: steps.length,
  steps: steps.map((step) => ({ ...step, at: new Date(step.at) })),
  ...STAMP,
});

const fromDocument = ({ _id, steps }: SettlementClaimDocument): SettlementClaim => ({
  transferId: _id,
  steps: steps.map(({ at, ...step }) => ({ ...step, at: at.getTime() })),
});
