// Open cases and what is known of their transfers, as the inbox asks for them: many at once, without what is held.
import type { Db, Document } from 'mongodb';
import type { HoldBrief, KnownTransfers, OpenHolds, OpenPayouts } from '../../operations/cases/inbox/ports.ts';
import type { PayoutCase } from '../../payouts/payout.ts';
import type { Reason, Stage } from '../../schemas/types.generated.ts';
import { CASES, fromStore } from './cases.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { isGenuine, type PayoutDocument, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';

/** Minor units come back as bigints, as they went in. */
const READ = { useBigInt64: true } as const;
const HOLD_FIELDS = {
  transferId: 1,
  stage: 1,
  'reasons.code': 1,
  instructedMinor: 1,
  instructedCurrency: 1,
  openedAt: 1,
  expiresAt: 1,
  'held.instruction.sourceCurrency': 1,
  'held.instruction.targetCurrency': 1,
} as const;

/** Hold cases that are open. */
export function openHolds(db: Db): OpenHolds {
  const cases = db.collection<Document & { _id: string }>(CASES, MAJORITY);
  return {
    async briefs(limit) {
      const open = cases.find({ state: 'OPEN' }, { ...READ, projection: HOLD_FIELDS }).sort({ openedAt: 1 });
      return (await guarded(() => open.limit(limit).toArray())).map(holdBrief);
    },
    load: async (holdIds) =>
      (await guarded(() => cases.find({ _id: { $in: [...holdIds] } }, READ).toArray())).map(fromStore),
    async between({ stage, debtorToken, creditorToken }, limit) {
      const parties = {
        'held.instruction.debtorToken': { $eq: debtorToken },
        'held.instruction.creditorToken': { $eq: creditorToken },
      };
      const open = cases.find({ state: 'OPEN', ...parties, stage: { $eq: stage } }, READ).sort({ openedAt: 1 });
      return (await guarded(() => open.limit(limit).toArray())).map(fromStore);
    },
  };
}

/** Never throws, whatever the document is. */
function holdBrief(found: Document & { _id: string }): HoldBrief {
  const instruction = found['held']?.instruction;
  const reasons: unknown = found['reasons'];
  return {
    holdId: String(found._id),
    transferId: textOf(found['transferId']),
    stage: textOf(found['stage']) as Stage,
    reasonCodes: Array.isArray(reasons) ? reasons.map((reason: Reason | null) => textOf(reason?.code)) : [],
    amount: { minor: minorOf(found['instructedMinor']), currency: textOf(found['instructedCurrency']) },
    sourceCurrency: textOf(instruction?.sourceCurrency),
    targetCurrency: textOf(instruction?.targetCurrency),
    openedAt: msOf(found['openedAt']),
    expiresAt: msOf(found['expiresAt']),
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const minorOf = (value: unknown): bigint => (typeof value === 'bigint' ? value : 0n);
const msOf = (value: unknown): number => {
  const ms = value instanceof Date ? value.getTime() : 0;
  return Number.isNaN(ms) ? 0 : ms;
};

/** Payouts with open cases. */
export function openPayouts(db: Db): OpenPayouts {
  const payouts = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
  return {
    async briefs(limit) {
      const open = payouts.find({ caseSince: { $lte: new Date(8.64e15) } }, { projection: { cases: 1, caseSince: 1 } });
      const found = await guarded(() => open.sort({ caseSince: 1 }).limit(limit).toArray());
      return found.map(({ _id, cases }) => ({ payoutId: String(_id), cases: payoutCases(cases) }));
    },
    async load(payoutIds) {
      const found = await guarded(() => payouts.find({ _id: { $in: [...payoutIds] } }).toArray());
      return found.filter((document) => isGenuine(document, {})).map(payoutOf);
    },
    // By the index `phase_changedAt_id`.
    unknownWithoutCase: (limit) =>
      guarded(() => payouts.countDocuments({ phase: 'OUTCOME_UNKNOWN', caseSince: { $exists: false } }, { limit })),
  };
}

/** Undefined: of another shape than any that was ever written. */
function payoutCases(stored: unknown): readonly PayoutCase[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  const cases = stored.map((one: Partial<PayoutDocument['cases'][number]> | null) => {
    const isWhole = one?.openedAt instanceof Date && typeof one.code === 'string' && one.closedAt !== undefined;
    if (!isWhole) return undefined;
    const closedAt = one.closedAt === null ? null : msOf(one.closedAt);
    return { ...one, openedAt: msOf(one.openedAt), closedAt } as PayoutCase;
  });
  return cases.every((one) => one !== undefined) ? cases : undefined;
}

/** What the transfer view in this collection says. */
export function knownTransfers(db: Db, collection: string): KnownTransfers {
  const transfers = db.collection<Document & { _id: string }>(collection, MAJORITY);
  const projection = { sourceCurrency: 1, targetCurrency: 1, debitMinor: 1 };
  return {
    async of(transferIds) {
      const wanted = transfers.find({ _id: { $in: [...transferIds] } }, { ...READ, projection });
      return (await guarded(() => wanted.toArray())).map((found) => ({
        transferId: found._id,
        sourceCurrency: textOf(found['sourceCurrency']),
        targetCurrency: textOf(found['targetCurrency']),
        debitMinor: typeof found['debitMinor'] === 'bigint' ? found['debitMinor'] : null,
      }));
    },
  };
}
