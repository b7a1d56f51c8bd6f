// Cases about customers in MongoDB: customer_cases { _id, token, source, entityId, …, state, decision }; and how far
// customers are screened: screening_progress { _id: source, list, at }.
import type { Db, Document } from 'mongodb';
import type {
  BlockingEntity,
  CustomerCase,
  CustomerCases,
  CustomerDecision,
} from '../../processors/screening/rescreen/customer-case.ts';
import type { RescreenProgress } from '../../processors/screening/rescreen/rescreen.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { ListReference } from '../../schemas/types.generated.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { mongoFault } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

const CASES = 'customer_cases';
const PROGRESS = 'screening_progress';
const BLOCKING = ['OPEN', 'CONFIRMED'] as const;

type Stored = Omit<CustomerCase, 'caseId' | 'openedAt'> & { _id: string; openedAt: Date };

export interface CustomerCaseStore extends CustomerCases {
  ensureIndexes(): Promise<void>;
  list(filter: { readonly state?: CustomerCase['state']; readonly limit: number }): Promise<readonly CustomerCase[]>;
  /** Decides an open case, once. @throws CodedError CASE_UNKNOWN, CASE_NOT_OPEN */
  decide(caseId: string, decision: CustomerDecision): Promise<CustomerCase>;
}

export function customerCaseStore(db: Db): CustomerCaseStore {
  const collection = db.collection<Stored>(CASES, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, CASES, [
        { name: 'token_state', keys: { token: 1, state: 1 }, servedQuery: 'cases that block a payout (the gate)' },
        { name: 'state_openedAt', keys: { state: 1, openedAt: 1 }, servedQuery: 'the open cases, oldest first' },
      ]),
    async open(cases) {
      const documents = cases.map(({ caseId, openedAt, ...rest }) => ({
        _id: caseId,
        ...rest,
        openedAt: new Date(openedAt),
      }));
      const taken = await insertFree(collection as never, documents);
      return cases.length - taken.size;
    },
    async blocked(tokens) {
      const filter = { token: { $in: [...tokens] }, state: { $in: [...BLOCKING] } };
      const fields = { token: 1, source: 1, entityId: 1, entityHash: 1 };
      const found = await guarded(collection.find(filter).project<BlockingEntity & Stored>(fields).toArray());
      return Map.groupBy(found, ({ token }) => token);
    },
    async list({ state, limit }) {
      const filter = state === undefined ? {} : { state };
      return (await guarded(collection.find(filter).sort({ openedAt: 1 }).limit(limit).toArray())).map(fromStore);
    },
    async decide(caseId, decision) {
      const filter = { _id: caseId, state: 'OPEN' as const };
      const change = { $set: { state: decision.state, decision } };
      const decided = await guarded(collection.findOneAndUpdate(filter, change, { returnDocument: 'after' }));
      if (decided) return fromStore(decided as Stored);
      const found = await guarded(collection.findOne({ _id: caseId }));
      if (!found) throw new CodedError('CASE_UNKNOWN', `there is no customer case ${caseId}`);
      throw new CodedError(
        'CASE_NOT_OPEN',
        `customer case ${caseId} is ${found.state} by ${found.decision?.by ?? '-'}`,
      );
    },
  };
}

export interface StoredProgress extends RescreenProgress {
  /** When the last run began that raised what is covered, ms; undefined when none did. */
  lastRunAt(): Promise<number | undefined>;
}

export function rescreenProgress(db: Db): StoredProgress {
  const collection = db.collection<Document & { _id: string; list: ListReference; at: Date }>(PROGRESS, MAJORITY);
  return {
    covered: async () => (await guarded(collection.find({}).toArray())).map(({ list }) => list),
    async lastRunAt() {
      const [last] = await guarded(collection.find({}).sort({ at: -1 }).limit(1).toArray());
      return last?.at.getTime();
    },
    async advance(lists, startedAt) {
      for (const list of lists) {
        const document = { _id: list.source, list, at: new Date(startedAt) };
        const taken = await insertFree(collection as never, [document]);
        if (taken.size === 0) continue;
        const filter = { _id: list.source, 'list.activation': { $lt: list.activation } };
        await guarded(collection.updateOne(filter, { $set: { list, at: new Date(startedAt) } }));
      }
    },
  };
}

const guarded = <T>(run: Promise<T>): Promise<T> =>
  run.catch((error: unknown) => {
    throw mongoFault(error);
  });

const fromStore = ({ _id, openedAt, ...rest }: Stored): CustomerCase => ({
  caseId: _id,
  ...rest,
  openedAt: openedAt.getTime(),
});
