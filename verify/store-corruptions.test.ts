// Each corruption of what MongoDB and Redis hold that a check is for is planted in a history in agreement, and found.
import { describe, expect, it } from 'vitest';
import { AT } from '../test/kit/builders.ts';
import { type Corruption, edit, entryOf, expectFound, forget, onlyDocument } from './testing/plant.ts';

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
      limits.buckets.set(bucket, { ...stored, usedMinor: stored.usedMinor - 1n });
    },
    ['COUNTER_DIFFERS'],
  ],
  ['a counter that is lost', 'with-provider', ({ limits }) => limits.buckets.clear(), ['COUNTER_DIFFERS']],
];
describe('a corruption of a store is found', () => {
  it.each(STORES)('%s (%s)', (...corruption) => expectFound(corruption));
});
