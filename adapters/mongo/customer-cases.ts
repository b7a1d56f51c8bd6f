// Cases about customers in MongoDB: customer_cases { _id, token, source, entityId, …, state, decision }; and how far
// customers are screened: screening_progress { _id: source, list, at }.
import type { Db, Document } from 'mongodb';
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import type { DecidableCustomerCases } from '../../operations/cases/customers/ports.ts';
import type { ListReference } from '../../schemas/types.generated.ts';
import { type BlockingEntity, type CustomerCases, isClearedByOne } from '../../screening/rescreening/customer-case.ts';
import {
  type CustomerCaseFlaw,
  flawOfCustomerCase,
  type SealedCustomerCase,
  sealOpened,
} from '../../screening/rescreening/customer-seals.ts';
import type { RescreenProgress } from '../../screening/rescreening/rescreen.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const CUSTOMER_CASES = 'customer_cases';
const PROGRESS = 'screening_progress';

type Stored = Omit<SealedCustomerCase, 'caseId' | 'openedAt'> & { _id: string; openedAt: Date };

/** Resembles no listed entity that an approval or an exception could be about: it blocks until the case is put right. */
const UNSETTLEABLE: BlockingEntity = { source: '', entityId: '', entityHash: '' };

export interface CustomerCaseStore extends CustomerCases, DecidableCustomerCases {
  ensureIndexes(): Promise<void>;
}

export interface CustomerCaseOptions {
  /** Seals cases as they are opened and decided. */
  readonly operators: KeyRing;
  /** Whether it takes two persons to clear what screening calls a true match. Absent: it does. */
  readonly trueMatchTakesTwo?: boolean;
  /** Called with each case that blocks whatever it says: it bears no true seal, or one person alone cleared what takes two. */
  readonly onUncleared?: (caseId: string, code: CustomerCaseFlaw | 'CUSTOMER_DECISION_OF_ONE') => void;
}

export function customerCaseStore(
  db: Db,
  { operators, trueMatchTakesTwo = true, onUncleared }: CustomerCaseOptions,
): CustomerCaseStore {
  const collection = db.collection<Stored>(CUSTOMER_CASES, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, CUSTOMER_CASES, [
        { name: 'token_state', keys: { token: 1, state: 1 }, servedQuery: 'cases that block a payout (the gate)' },
        { name: 'state_openedAt', keys: { state: 1, openedAt: 1 }, servedQuery: 'the open cases, oldest first' },
      ]),
    async open(cases) {
      const documents = cases.map((opened) => {
        const { caseId, openedAt, ...rest } = opened;
        return { _id: caseId, ...rest, openedAt: new Date(openedAt), seal: sealOpened(operators, opened), ...STAMP };
      });
      const taken = await insertFree(collection as never, documents);
      return cases.length - taken.size;
    },
    async blocked(tokens) {
      // Cleared ones too: that a case says so proves nothing.
      const found = await guarded(() => collection.find({ token: { $in: [...tokens] } }).toArray());
      const blocking = found.map(customerCaseOf).flatMap((each) => {
        const flaw = flawOfCustomerCase(operators, each);
        const isOfOne = flaw === undefined && trueMatchTakesTwo && isClearedByOne(each);
        if (flaw === undefined && !isOfOne && each.state === 'CLEARED') return [];
        if (flaw || isOfOne) onUncleared?.(each.caseId, flaw ?? 'CUSTOMER_DECISION_OF_ONE');
        const { token, source, entityId, entityHash } = each;
        // What it is about is proven by the seal under which it was opened.
        const entity = flaw === 'CUSTOMER_CASE_NOT_SEALED' ? UNSETTLEABLE : { source, entityId, entityHash };
        return [{ token, entity }];
      });
      const byToken = Map.groupBy(blocking, ({ token }) => token);
      return new Map([...byToken].map(([token, each]) => [token, each.map(({ entity }) => entity)]));
    },
    async list({ state, limit }) {
      const filter = state === undefined ? {} : { state };
      return (await guarded(() => collection.find(filter).sort({ openedAt: 1 }).limit(limit).toArray())).map(
        customerCaseOf,
      );
    },
    async find(caseId) {
      const found = await guarded(() => collection.findOne({ _id: caseId }));
      return found ? customerCaseOf(found as Stored) : undefined;
    },
    async decide(caseId, seal, decision) {
      const filter = { _id: caseId, state: 'OPEN' as const, seal };
      const change = { $set: { state: decision.state, decision } };
      const decided = await guarded(() => collection.findOneAndUpdate(filter, change, { returnDocument: 'after' }));
      return decided ? customerCaseOf(decided as Stored) : undefined;
    },
  };
}

type Progress = Document & { _id: string; list: ListReference; at: Date; seal?: string };

const coveredContent = ({ source, versionId, publishedOn, contentHash, activation }: ListReference) => [
  'covered',
  source,
  versionId,
  publishedOn,
  contentHash,
  String(activation),
];

export interface StoredProgress extends RescreenProgress {
  /** When the last run began that raised what is covered, ms; undefined when none did. */
  lastRunAt(): Promise<number | undefined>;
}

export function rescreenProgress(db: Db, operators: KeyRing): StoredProgress {
  const collection = db.collection<Progress>(PROGRESS, MAJORITY);
  const sealOfProgress = (list: ListReference) => sealOf(operators, 'list', coveredContent(list));
  const isOurs = ({ list, seal }: Progress) => isSealed(operators, 'list', coveredContent(list), seal);
  return {
    // What nobody sealed counts as never screened: customers are screened again.
    covered: async () => (await guarded(() => collection.find({}).toArray())).filter(isOurs).map(({ list }) => list),
    async lastRunAt() {
      const [last] = await guarded(() => collection.find({}).sort({ at: -1 }).limit(1).toArray());
      return last?.at.getTime();
    },
    async advance(lists, startedAt) {
      for (const list of lists) {
        const document = { _id: list.source, list, at: new Date(startedAt), seal: sealOfProgress(list), ...STAMP };
        const taken = await insertFree(collection as never, [document]);
        if (taken.size === 0) continue;
        const { _id, ...change } = document;
        const stands = await guarded(() => collection.findOne({ _id }));
        const isBehind = stands === null || !isOurs(stands) || stands.list.activation < list.activation;
        const filter = { _id, ...(stands && { 'list.activation': stands.list.activation }) };
        if (isBehind) await guarded(() => collection.updateOne(filter, { $set: change }));
      }
    },
  };
}

/** Never throws: of another shape than any that was ever written, it bears no true seal, and so blocks. */
export const customerCaseOf = ({ _id, openedAt, ...rest }: Stored): SealedCustomerCase => ({
  caseId: _id,
  ...unstamped(rest),
  openedAt: openedAt instanceof Date ? openedAt.getTime() : Number.NaN,
});
