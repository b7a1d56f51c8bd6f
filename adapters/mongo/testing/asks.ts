// Everything that is ever asked of MongoDB, one of each: for tests that hold for all of it.
import type { Db } from 'mongodb';
import { openPayout } from '../../../payouts/decide.ts';
import type { AskedQuote } from '../../../processors/fx-pricing/processor.ts';
import type { CustomerCase } from '../../../screening/rescreening/customer-case.ts';
import { findings } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { assignmentStore } from '../assignments.ts';
import { caseStore } from '../cases.ts';
import { customerCaseStore, rescreenProgress } from '../customer-cases.ts';
import { holdClaims } from '../hold-claims.ts';
import { ensureIndexes, guardedStore, insertOnlyStore } from '../idempotent-store.ts';
import { knownTransfers, openHolds, openPayouts } from '../inbox.ts';
import { intentClaims } from '../intent-claims.ts';
import { listStore } from '../list-versions.ts';
import { payoutLists } from '../payout-lists.ts';
import { payoutOutbox } from '../payout-outbox.ts';
import { mongoPayoutStore } from '../payouts.ts';
import { positionCounts } from '../position-counts.ts';
import { quotes } from '../quotes.ts';
import { replayClaims } from '../replay-claims.ts';
import { exceptionStore } from '../screening-exceptions.ts';
import { settlementClaims } from '../settlement-claims.ts';
import { submissions } from '../submissions.ts';
import { transferEvents } from '../transfer-events.ts';
import { transferViews } from '../transfer-views.ts';
import { verifyStores } from '../verify-stores.ts';

const operators = { operators: KEYS.operators };
const list = { source: 's', versionId: 'v', publishedOn: '', contentHash: 'h', activation: 1 };
const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
const customerCase: CustomerCase = {
  caseId: 'c',
  token: 't',
  source: 's',
  entityId: '9',
  entityHash: 'h',
  versionId: 'v',
  transferId: 't',
  candidate: candidate!,
  openedAt: 0,
  state: 'OPEN',
  decision: null,
};

const samplePositionCount = {
  ...{ topicId: 't', offsets: new Map([[0, 1]]), open: new Map([['GBP', 1n]]), records: 1, unproven: 0 },
  ...{ isWhole: true, countedAt: 0, version: 1 },
};

export const sampleClaim = {
  transferId: 't-1',
  hash: 'v1:a',
  originPosition: 'T:0:1',
  homePartition: 0,
  acceptedAt: 0,
  producerId: null,
};
const sampleSubmission = {
  ...{ transferId: 't-1', producer: 'p', hash: 'v1:a', requestedAt: 0, submittedAt: 0 },
  publishedAt: undefined,
};
export const samplePayout = openPayout(
  { payoutId: 't', provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: 1, requested: new Uint8Array() },
  0,
);
const sampleQuote: AskedQuote = {
  request: {
    ...{ requestId: 'q', producerId: 'p', kind: 'GUARANTEED', side: 'SOURCE', sourceCurrency: 'GBP' },
    ...{ amount: { minor: 1n, currency: 'GBP' }, targetCurrency: 'INR', chargeBearer: 'SLEV' },
    ...{ kycTier: null, fundingMethod: null, declaredTaxes: [] },
  },
  askedAt: 0,
};
const sampleQuoteClaim = { quoteId: 'q', transferId: 't', originPosition: 'T:0:1', claimedAt: 0, seal: 's' };
const refused = { kind: 'refused', at: 0, reason: { code: 'RATE', detail: '' } } as const;
const decision = {
  decision: 'REJECT',
  decidedBy: 'a',
  justification: 'b',
  decidedAt: new Date(0),
  seal: null,
} as const;
const version = {
  source: 's',
  contentHash: 'c'.repeat(64),
  entitiesHash: 'e'.repeat(64),
  counts: { entities: 0, names: 0 },
  report: {},
  entities: [],
};
const head = { ...version, versionId: 'v' } as never;
async function drained(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pages);
}

/** Every method that asks MongoDB. */
export const MONGO_ASKS: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'intent claims: claim': (db) => intentClaims(db).claim([sampleClaim]),
  'intent claims: find': (db) => intentClaims(db).find(['t']),
  'settlement claims: insert': (db) => settlementClaims(db).insert([{ transferId: 't', steps: [] }]),
  'settlement claims: find': (db) => settlementClaims(db).find(['t']),
  'settlement claims: replace': (db) =>
    settlementClaims(db).replace([{ claim: { transferId: 't', steps: [] }, expectedSteps: 0 }]),
  'hold claims: claim': (db) =>
    holdClaims(db).claim([{ holdId: 'h', commandId: 'c', position: 'p', transferId: 't', claimedAt: 0 }]),
  'replay claims: claim': (db) =>
    replayClaims(async () => db).claim([{ deadLetterId: 'd', owner: 'o', replayId: 'r', position: 'p', claimedAt: 0 }]),
  'quotes: ask': (db) => quotes(db).ask(sampleQuote),
  'quotes: open': (db) => quotes(db).open('p', 1),
  'quotes: show': (db) => quotes(db).show('q'),
  'quotes: unanswered': (db) => quotes(db).unanswered(1),
  'quotes: answer': (db) => quotes(db).answer(new Map([['q', refused]])),
  'quotes: find': (db) => quotes(db).find(['q']),
  'quotes: claim': (db) => quotes(db).claim([sampleQuoteClaim]),
  'quotes: indexes': (db) => quotes(db).ensureIndexes(),
  'cases: list': (db) => caseStore(db).list({ limit: 1 }),
  'cases: find': (db) => caseStore(db).find('h'),
  'cases: decide': (db) => caseStore(db).decide('h', 'x', decision),
  'cases: expire': (db) => caseStore(db).expire({ ...decision, decidedAt: new Date(0) }),
  'cases: pending': (db) => caseStore(db).pending(1),
  'cases: markPublished': (db) => caseStore(db).markPublished([{ _id: 'h' } as never]),
  'cases: indexes': (db) => caseStore(db).ensureIndexes(),
  'submissions: claim': (db) => submissions(db).claim([sampleSubmission]),
  'submissions: find': (db) => submissions(db).find(['t-1']),
  'submissions: markPublished': (db) => submissions(db).markPublished(['t-1'], 0),
  'transfer views: find': (db) => transferViews(db, 'transfers').find('t'),
  'transfer views: list': (db) => transferViews(db, 'transfers').list({ state: 'HELD' }, undefined, 1),
  'transfer views: totals': (db) => transferViews(db, 'transfers').totals({ state: 'HELD' }, 1),
  'position counts: find': (db) => positionCounts(db).find(),
  'position counts: keep': (db) => positionCounts(db).keep(samplePositionCount),
  'transfer events: of': (db) => transferEvents(db, 'events').of('t'),
  'customer cases: open': (db) => customerCaseStore(db, operators).open([customerCase]),
  'customer cases: blocked': (db) => customerCaseStore(db, operators).blocked(['t']),
  'customer cases: list': (db) => customerCaseStore(db, operators).list({ limit: 1 }),
  'customer cases: decide': (db) => customerCaseStore(db, operators).decide('c', 's', { state: 'CLEARED' } as never),
  'customer cases: find': (db) => customerCaseStore(db, operators).find('c'),
  'customer cases: indexes': (db) => customerCaseStore(db, operators).ensureIndexes(),
  'progress: covered': (db) => rescreenProgress(db, operators.operators).covered(),
  'progress: lastRunAt': (db) => rescreenProgress(db, operators.operators).lastRunAt(),
  'progress: advance': (db) => rescreenProgress(db, operators.operators).advance([list], 0),
  'lists: save': (db) => listStore(db, operators).save(version as never, 'a', 0),
  'lists: load': (db) => listStore(db, operators).load('v'),
  'lists: head': (db) => listStore(db, operators).head('v'),
  'lists: heads': (db) => listStore(db, operators).heads({ limit: 1 }),
  'lists: active': (db) => listStore(db, operators).active(),
  'lists: current': (db) => listStore(db, operators).current(),
  'lists: activate the first': (db) => listStore(db, operators).activate(head, 0, 'a', 0),
  'lists: activate the next': (db) => listStore(db, operators).activate(head, 1, 'a', 0),
  'lists: markPublished': (db) => listStore(db, operators).markPublished('s', 1),
  'lists: indexes': (db) => listStore(db, operators).ensureIndexes(),
  'exceptions: find': (db) => exceptionStore(db, operators).find(['t']),
  'exceptions: insert': (db) =>
    exceptionStore(db, operators).insert({
      exceptionId: 'e',
      token: 't',
      source: 's',
      entityId: 'i',
      entityHash: 'h',
      expiresAt: 1,
      reason: 'r',
      grantedBy: 'a',
      grantedAt: 0,
      approved: null,
      revoked: null,
    }),
  'exceptions: approve': (db) => exceptionStore(db, operators).approve('e', { at: 0, by: 'b' }),
  'exceptions: waiting': (db) => exceptionStore(db, operators).waiting('e', 0),
  'exceptions: revoke': (db) => exceptionStore(db, operators).revoke('e', { by: 'b', reason: 'r', at: 0 }),
  'exceptions: list': (db) => exceptionStore(db, operators).list({ limit: 1 }),
  'exceptions: indexes': (db) => exceptionStore(db, operators).ensureIndexes(),
  'inbox: hold briefs': (db) => openHolds(db).briefs(1),
  'inbox: holds': (db) => openHolds(db).load(['h']),
  'inbox: alike': (db) => openHolds(db).between({ stage: 'SCREENING', debtorToken: 'd', creditorToken: 'c' }, 1),
  'inbox: payout briefs': (db) => openPayouts(db).briefs(1),
  'inbox: payouts': (db) => openPayouts(db).load(['t']),
  'inbox: unknown payouts': (db) => openPayouts(db).unknownWithoutCase(1),
  'payout lists: in a phase': (db) => payoutLists(db, {}).inPhase('PAID', undefined, 1),
  'inbox: transfers': (db) => knownTransfers(db, 'view').of(['t']),
  'assignments: current': (db) => assignmentStore(db).current(0, 1),
  'assignments: find': (db) => assignmentStore(db).find('c', 0),
  'assignments: assign': (db) => assignmentStore(db).assign({ caseId: 'c', by: 'a', person: 'a', at: 0, until: 1 }),
  'assignments: release': (db) => assignmentStore(db).release('c', 'a'),
  'assignments: indexes': (db) => assignmentStore(db).ensureIndexes(),
  'payouts: insert': (db) => mongoPayoutStore(db).insert([samplePayout]),
  'payouts: apply': (db) => mongoPayoutStore(db).apply([{ from: 0, next: samplePayout }]),
  'payouts: load': (db) => mongoPayoutStore(db).load(['t']),
  'payouts: now': (db) => mongoPayoutStore(db).now(),
  'payouts: overdue': (db) => mongoPayoutStore(db).overdue(1, 1, { provider: 'p', withNew: true }),
  'payouts: countOfOthers': (db) => mongoPayoutStore(db).countOfOthers(1, 1, 'p'),
  'payouts: openCases': (db) => mongoPayoutStore(db).openCases(1),
  'payouts: countByPhase': (db) => mongoPayoutStore(db).countByPhase(),
  'payouts: indexes': (db) => mongoPayoutStore(db).ensureIndexes(),
  'outbox: pending': (db) => payoutOutbox(db).pending(1, 1),
  'outbox: markPublished': (db) => payoutOutbox(db).markPublished([samplePayout]),
  'events: insertOnly': (db) => insertOnlyStore(db, 'events').insertOnly([{ _id: 'e' }]),
  'views: replaceGuarded': (db) => guardedStore(db, 'view').replaceGuarded([{ _id: 'v', version: 1 }]),
  indexes: (db) => ensureIndexes(db, 'c', [{ name: 'a', keys: { a: 1 }, servedQuery: 'none' }]),
  'verify: find': (db) => verifyStores({ db, events: 'e', transfers: 't' }).cases.find(['h']),
  'verify: count': (db) => verifyStores({ db, events: 'e', transfers: 't' }).events.count(),
  'verify: ids': (db) => drained(verifyStores({ db, events: 'e', transfers: 't' }).payouts.ids()),
};
