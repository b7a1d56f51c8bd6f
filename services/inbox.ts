// The inbox with its adapters.
import { assignmentStore } from '../adapters/mongo/assignments.ts';
import { caseNotes } from '../adapters/mongo/case-notes.ts';
import { caseStore } from '../adapters/mongo/cases.ts';
import { customerCaseStore } from '../adapters/mongo/customer-cases.ts';
import { knownTransfers, openHolds, openPayouts } from '../adapters/mongo/inbox.ts';
import { type MongoPayoutStore, mongoPayoutStore } from '../adapters/mongo/payouts.ts';
import { corridorBook } from '../domain/corridors/corridors.ts';
import type { Assignments } from '../operations/cases/assignments/ports.ts';
import type { DecidingStores } from '../operations/cases/inbox/decide.ts';
import type { CasePolicy } from '../operations/cases/inbox/policy.ts';
import type { InboxSources } from '../operations/cases/inbox/ports.ts';
import type { CaseNotes } from '../operations/cases/notes/notes.ts';
import { forgedDetail } from '../payouts/outbox.ts';
import { requestCodec } from '../payouts/request-codec.ts';
import { CodedError } from '../ports/fault.ts';
import { hasRing, type Rings, ringOf } from '../ports/seals.ts';
import { readClaims } from './attempt-claims.ts';
import { casePolicy, corridors } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { TRANSFERS } from './process-parts/sinks.ts';

export interface Inbox {
  readonly sources: InboxSources;
  readonly assignments: Assignments;
  /** For decisions: of payouts, only what the executor has sealed is there, and what is written is sealed as it does. */
  readonly deciding: DecidingStores;
  readonly notes: CaseNotes;
  readonly policy: CasePolicy;
}

/** Everything that people who work on cases need. */
export async function openInbox(connections: Connections): Promise<Inbox> {
  const db = await connections.db();
  const { keys } = connections.config;
  const holds = caseStore(db);
  const customers = customerCaseStore(db, keys);
  const assignments = assignmentStore(db);
  const notes = caseNotes(db);
  await Promise.all([assignments.ensureIndexes(), notes.ensureIndexes()]);
  const policy = casePolicy(connections.config);
  const book = corridorBook(corridors(connections.config));
  const onForged = (payoutId: string) => {
    throw new CodedError('PAYOUT_FORGED', forgedDetail(payoutId), { faultClass: 'invalid-request' });
  };
  const sources: InboxSources = {
    holds: { ...openHolds(db), find: holds.find },
    payouts: openPayouts(db),
    customers,
    transfers: knownTransfers(db, TRANSFERS),
    assignments,
    requests: requestCodec(connections.codec),
    corridors: book,
    operators: keys.operators,
  };
  const payouts = hasRing(keys, 'executor')
    ? {
        ...only(mongoPayoutStore(db, { ring: keys.executor, operators: keys.operators, onForged })),
        claims: () => readClaims(connections),
      }
    : readOnly(sources.payouts, keys);
  const deciding = { holds, customers, payouts, closesPayouts: hasRing(keys, 'executor'), policy, corridors: book };
  return { sources, assignments, deciding, notes, policy };
}

const only = ({ load, apply }: Pick<MongoPayoutStore, 'load' | 'apply'>): DecidingStores['payouts'] => ({
  load,
  apply,
});

/** Payouts are changed under the executor's seal: whoever has not got its key reads them, unproven, and changes none. */
const readOnly = (payouts: Pick<InboxSources['payouts'], 'load'>, keys: Rings): DecidingStores['payouts'] => ({
  load: payouts.load,
  apply: async () => ringOf(keys, 'executor') as never,
});
