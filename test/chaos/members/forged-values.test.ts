import { expect, it } from 'vitest';
import { contentHashOf } from '../../../processors/hold-content.ts';
import { recordType } from '../../../schemas/avro-types.ts';
import { shapeOf } from '../../../schemas/shape.ts';
import type { ReviewDecided, TransferPriced } from '../../../schemas/types.generated.ts';
import { contracts } from '../../../topics/catalogue.ts';
import { DAY_MS } from '../../../topics/contract.ts';
import { accepted } from '../../kit/events.ts';
import { altered, MALLORY, madeUp, toMallory } from './forged-values.ts';

const fieldsOf = (record: string) => (shapeOf(recordType(record)).fields ?? []).map(({ name }) => name);
const event = accepted({ transferId: 'true-one', partitions: 4 });
const beneficiary = (value: unknown) =>
  (value as { parties: Record<string, { creditor: { account: { value: string } } }> }).parties['corridor.Parties']!
    .creditor.account.value;

it('pays Mallory, and is otherwise as it was', () => {
  const changed = altered('transfer.accepted', event) as typeof event;
  expect(beneficiary(changed)).toBe(MALLORY.account);
  expect({ ...changed, parties: event.parties }).toEqual(event);
});

it('knows every sealed topic: those without a party at the top have a forgery of their own', () => {
  const withoutParties = Object.values(contracts)
    .filter(({ sealedBy, record }) => sealedBy !== null && !fieldsOf(record).includes('parties'))
    .map(({ name }) => name);
  expect(withoutParties.sort()).toEqual([
    'analytics.watermark',
    'audit.entries',
    'fx.accepted-rates',
    'fx.jumps-accepted',
    'fx.position',
    'fx.rate-history',
    'fx.rates',
    'intent.duplicated',
    'intent.rejected',
    'limits.snapshots',
    'payout.attempts',
    'payout.updated',
    'policy.versions',
    'reference.versions',
    'review.decided',
    'runtime.controls',
    'screening.exception-revoked',
    'screening.list-activated',
    'transfer.lifecycle',
    'transfer.money',
    'transfer.state',
  ]);
  const claim = { payoutId: 'true-one', attempt: 2, claimId: 'c', startedAt: 1 };
  expect(altered('payout.attempts', claim)).toEqual({ ...claim, attempt: 3 });
  const movement = { movementId: 'm', transferId: 'true-one', minor: 5n };
  expect(altered('transfer.money', movement)).toEqual({ ...movement, minor: -5n });
  expect(altered('analytics.watermark', { completeUntil: 1 })).toEqual({ completeUntil: 1 + DAY_MS });
  const event = { eventId: 'e', transferId: 'true-one', sequence: 3, state: 'PRICED' };
  expect(altered('transfer.lifecycle', event)).toEqual({ ...event, sequence: 4, state: 'REJECTED' });
  for (const topic of ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated'] as const) {
    const made = madeUp(topic, event);
    expect(made.value).toMatchObject({ transferId: made.key });
    expect(made.key).not.toBe('true-one');
  }
  const { key, value } = madeUp('payout.attempts', claim);
  expect(value).toMatchObject({ payoutId: key, attempt: 3 });
  expect(key).not.toBe('true-one');
});

it('of a transfer that nobody made stands under an id of its own', () => {
  const { key, value } = madeUp('transfer.priced', event);
  expect(key).not.toBe('true-one');
  expect((value as TransferPriced).envelope.transferId).toBe(key);
  expect(beneficiary(value)).toBe(MALLORY.account);
});

it('a decision is bound to what is made up as well as a stranger can', () => {
  const hold = { holdId: 'h', stage: 'SCREENING', reasons: [], evidenceHash: 'x', expiresAt: 1, seal: null };
  const held = { ...event, screening: null, price: null, reservation: null, hold } as never;
  const command = { commandId: 'c', transferId: 'true-one', issuedBy: 'amara' };
  const { key, value } = madeUp('review.decided', { command, held, decision: 'REJECT' });
  const decided = value as ReviewDecided;
  expect([decided.command.transferId, decided.held.envelope.transferId]).toEqual([key, key]);
  expect(decided.decision).toBe('APPROVE');
  expect(decided.evidenceHash).toBe(contentHashOf(decided.held));
  expect(decided.holdId).toBe(decided.held.hold.holdId);
  expect(toMallory(decided.held)).toEqual(decided.held);
});
