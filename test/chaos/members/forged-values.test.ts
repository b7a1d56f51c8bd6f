import { expect, it } from 'vitest';
import { contentHashOf } from '../../../processors/hold-content.ts';
import type { ReviewDecided, TransferPriced } from '../../../schemas/types.generated.ts';
import { accepted } from '../../kit/events.ts';
import { altered, MALLORY, madeUp, toMallory } from './forged-values.ts';

const event = accepted({ transferId: 'true-one', partitions: 4 });
const beneficiary = (value: unknown) =>
  (value as { parties: Record<string, { creditor: { account: { value: string } } }> }).parties['corridor.Parties']!
    .creditor.account.value;

it('pays Mallory, and is otherwise as it was', () => {
  const changed = altered('transfer.accepted', event) as typeof event;
  expect(beneficiary(changed)).toBe(MALLORY.account);
  expect({ ...changed, parties: event.parties }).toEqual(event);
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
