// Each corruption of what MongoDB and Redis hold that a check is for is planted in a history in agreement, and found.
import { describe, expect, it } from 'vitest';
import { sealPayout } from '../payouts/seal.ts';
import { AT } from '../test/kit/builders.ts';
import { KEYS } from '../test/kit/keys.ts';
import { History } from './testing/history.ts';
import { type Corruption, edit, entryOf, expectFound, forget, onlyDocument } from './testing/plant.ts';
import { verify } from './verify.ts';

const STORES: readonly Corruption[] = [
  ['an event that is not stored', 'completed', ({ stores }) => forget(stores.events), ['DOCUMENT_MISSING']],
  [
    'an event that is stored otherwise',
    'completed',
    ({ stores }) => edit(stores.events, { debtorToken: 'other' } as never),
    ['DOCUMENT_DIFFERS'],
  ],
  [
    'a rejected intent that is stored otherwise',
    'intent-rejected',
    ({ stores }) => edit(stores.events, { reasons: [] } as never),
    ['DOCUMENT_DIFFERS'],
  ],
  [
    'an event that nobody wrote',
    'completed',
    ({ stores }) => stores.events.put({ ...onlyDocument(stores.events)[1], _id: 'other' }),
    ['DOCUMENTS_OVER'],
  ],
  ['a transfer that is not in the view', 'completed', ({ stores }) => forget(stores.transfers), ['DOCUMENT_MISSING']],
  [
    'a transfer that the view shows as it was',
    'completed',
    ({ stores }) => edit(stores.transfers, { version: 4 }),
    ['DOCUMENT_BEHIND'],
  ],
  [
    'a transfer that the view shows as it will be',
    'completed',
    ({ stores }) => edit(stores.transfers, { version: 40 }),
    ['DOCUMENT_AHEAD'],
  ],
  [
    'a transfer that the view shows otherwise',
    'completed',
    ({ stores }) => edit(stores.transfers, { state: 'REJECTED' }),
    ['DOCUMENT_DIFFERS'],
  ],
  [
    'a transfer in the view that nobody asked for',
    'completed',
    ({ stores }) => stores.transfers.put({ ...onlyDocument(stores.transfers)[1], _id: 'stranger-1' }),
    ['STRANGER_STORED'],
  ],
  ['a hold without a case', 'held', ({ stores }) => forget(stores.cases), ['CASE_MISSING']],
  [
    'a case that shows something else',
    'held',
    ({ stores }) => edit(stores.cases, { evidenceHash: 'other' }),
    ['CASE_DIFFERS'],
  ],
  [
    'a decision that the log does not have',
    'held',
    ({ stores }) =>
      edit(stores.cases, {
        state: 'DECIDED',
        decision: { decision: 'APPROVE', decidedBy: 'x', decidedAt: new Date(AT), justification: '', seal: null },
      }),
    ['DECISION_NOT_IN_LOG'],
  ],
  [
    'a decision that was another one',
    'approved',
    ({ stores }) =>
      edit(stores.cases, {
        decision: { decision: 'REJECT', decidedBy: 'x', decidedAt: new Date(AT), justification: '', seal: null },
      }),
    ['DECISION_DIFFERS'],
  ],
  ['a payout that is not stored', 'completed', ({ stores }) => forget(stores.payouts), ['PAYOUT_MISSING']],
  [
    'a payout outcome that never reached the log',
    'with-provider',
    ({ stores }) => edit(stores.payouts, { updates: [{ version: 1, status: 'PAID' } as never], publishedVersion: 1 }),
    ['UPDATE_NOT_IN_LOG'],
  ],
  [
    'a payout outcome that is none',
    'completed',
    ({ stores }) => {
      const [, payout] = onlyDocument(stores.payouts);
      edit(stores.payouts, { updates: [{ ...payout.updates[0]!, status: 'PAIDx' as never }] });
    },
    ['UPDATE_DIFFERS'],
  ],
  [
    'a payout outcome that is another one in the log',
    'completed',
    ({ stores }) => {
      const [, payout] = onlyDocument(stores.payouts);
      edit(stores.payouts, { updates: [{ ...payout.updates[0]!, status: 'FAILED' }] });
    },
    ['UPDATE_DIFFERS'],
  ],
  [
    'a payout that would go to somebody else',
    'with-provider',
    (history) => {
      const [, payout] = onlyDocument(history.stores.payouts);
      const { value } = entryOf(history, 'payout.requested');
      const other = structuredClone(value);
      other.parties['corridor.Parties'].creditor.account.value = 'IN00OTHER0000001';
      edit(history.stores.payouts, { requested: history.codec.encode('payout.requested', other) });
      expect(payout.requested).toEqual(history.codec.encode('payout.requested', value));
    },
    ['REQUEST_DIFFERS'],
  ],
  [
    'a payout whose price is good for longer',
    'with-provider',
    ({ stores }) => edit(stores.payouts, { priceExpiresAt: onlyDocument(stores.payouts)[1].priceExpiresAt + 60_000 }),
    ['REQUEST_DIFFERS'],
  ],
  [
    'a payout that holds nothing readable',
    'with-provider',
    ({ stores }) => edit(stores.payouts, { requested: Buffer.from('no Avro') }),
    ['REQUEST_UNREADABLE'],
  ],
  [
    'an attempt that counts as dead while the provider has it',
    'with-provider',
    ({ stores }) => {
      const { attempts } = onlyDocument(stores.payouts)[1];
      edit(stores.payouts, { attempts: [{ ...attempts[0]!, end: { how: 'expired', at: AT, code: null } }] });
    },
    ['PAYOUT_FLAWED'],
  ],
  [
    'a payout that is in another state',
    'completed',
    ({ stores }) => edit(stores.payouts, { phase: 'FAILED' }),
    ['PAYOUT_DIFFERS'],
  ],
  [
    'a payout that nobody asked for',
    'completed',
    ({ stores }) => stores.payouts.put({ ...onlyDocument(stores.payouts)[1], payoutId: 'stranger-1' }),
    ['STRANGER_STORED'],
  ],
  ['an id that nobody claimed', 'completed', ({ stores }) => forget(stores.intentClaims), ['CLAIM_MISSING']],
  [
    'an id that another input claimed',
    'completed',
    ({ stores }) => edit(stores.intentClaims, { originPosition: 'transfer.requested:0:77' }),
    ['CLAIM_DIFFERS'],
  ],
  [
    'a claim of another payload',
    'completed',
    ({ stores }) => edit(stores.intentClaims, { hash: 'v1:00' }),
    ['CLAIM_DIFFERS'],
  ],
  [
    'a settlement that was not claimed',
    'completed',
    ({ stores }) => forget(stores.settlementClaims),
    ['CLAIM_MISSING'],
  ],
  [
    'a settlement that was claimed as something else',
    'completed',
    ({ stores }) => {
      const [, claim] = onlyDocument(stores.settlementClaims);
      edit(stores.settlementClaims, { steps: [{ ...claim.steps[0]!, end: 'rejected' }] });
    },
    ['CLAIM_DIFFERS'],
  ],
  [
    'a hold that was resumed by another decision',
    'approved',
    ({ stores }) => edit(stores.holdClaims, { commandId: 'other' }),
    ['CLAIM_DIFFERS'],
  ],
  ['a reservation that is lost', 'with-provider', ({ limits }) => limits.reservations.clear(), ['RESERVATION_MISSING']],
  [
    'a reservation that was released too early',
    'with-provider',
    ({ limits }) => {
      const [id, stored] = [...limits.reservations][0]!;
      limits.reservations.set(id, { ...stored, state: 'released', uses: [] });
    },
    ['RESERVATION_DIFFERS'],
  ],
  [
    'a counter that counts something else',
    'completed',
    ({ limits }) => {
      const [bucket, stored] = [...limits.buckets][0]!;
      limits.buckets.set(bucket, { ...stored, usedMinor: stored.usedMinor! - 1n });
    },
    ['COUNTER_DIFFERS'],
  ],
  ['a counter that is lost', 'with-provider', ({ limits }) => limits.buckets.clear(), ['COUNTER_DIFFERS']],
];
const SEALS: readonly Corruption[] = [
  [
    'a payout that somebody else wrote',
    'with-provider',
    ({ stores }) => edit(stores.payouts, { polls: 7 }),
    ['PAYOUT_NOT_SEALED'],
  ],
  [
    'a payout that bears no seal',
    'completed',
    ({ stores }) => edit(stores.payouts, { seal: 'test.x' }),
    ['PAYOUT_NOT_SEALED'],
  ],
  [
    'a payout that the executor’s keys have sealed, and payout dispatch never asked for',
    'with-provider',
    (history) => {
      const [, payout] = onlyDocument(history.stores.payouts);
      const other = structuredClone(entryOf(history, 'payout.requested').value);
      other.parties['corridor.Parties'].creditor.account.value = 'IN00OTHER0000001';
      const changed = { ...payout, requested: history.codec.encode('payout.requested', other) };
      edit(history.stores.payouts, { ...changed, seal: sealPayout(KEYS.executor, changed) });
    },
    ['PAYOUT_NOT_ASKED_FOR', 'REQUEST_DIFFERS'],
  ],
  [
    'a case that the executor’s keys have closed, and no person',
    'completed',
    ({ stores }) => {
      const [, payout] = onlyDocument(stores.payouts);
      const opened = { code: 'CONTRADICTION', detail: 'd', attemptKey: 'k', openedAt: AT } as const;
      const closed = { ...opened, closedAt: AT, closing: { by: 'amara', reason: 'checked', seal: 'test.x' } };
      const changed = { ...payout, cases: [closed] };
      edit(stores.payouts, { ...changed, seal: sealPayout(KEYS.executor, changed) });
    },
    ['CLOSING_NOT_SEALED'],
  ],
];

describe('a document without a true seal is found', () => {
  it.each(SEALS)('%s (%s)', (...corruption) => expectFound(corruption, { keys: KEYS }));

  it('a decision beside transfers that nobody made', async () => {
    const documents = [
      { kind: 'exception', id: 'a', flaw: undefined },
      { kind: 'customer case', id: 'b', flaw: 'CUSTOMER_DECISION_NOT_SEALED' },
    ] as const;
    const history = new History();
    history.tell('completed');
    history.fillStores();
    const all = async function* () {
      yield documents;
    };
    const report = await verify({ ...history.sources(), sealed: { all } }, { settleMs: 0 });
    expect(report.codes).toEqual({ CUSTOMER_DECISION_NOT_SEALED: 1 });
  });
});

describe('a corruption of a store is found', () => {
  it.each(STORES)('%s (%s)', (...corruption) => expectFound(corruption));
});
