// A stored payout is paid on only while two seals hold: the executor's over all of it, payout dispatch's over what it asked for.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sealRecord } from '../domain/seals/record-seal.ts';
import { keyRing } from '../domain/seals/seal.ts';
import { closeCase } from '../operations/cases/payouts/decide.ts';
import { dispatchedOf } from '../processors/settlement/dispatched.ts';
import { dispatchedRequests } from '../services/dispatched-requests.ts';
import { KEYS } from '../test/kit/keys.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { asDispatched, payoutRequestedFor, received } from '../test/kit/payouts/requested.ts';
import { openCase } from './changes.ts';
import { expire, openPayout } from './decide.ts';
import type { Payout } from './payout.ts';
import { payoutUpdated } from './payout-updated.ts';
import { isAskedFor, isSealedPayout, isTrulyClosed, sealPayout } from './seal.ts';

const stages = keyRing('test:a-key-of-stages-for-this-test-00000');
const executor = keyRing('test:a-key-of-the-executor-for-this-test');
const cause = 'AAAAAAAAAAAA:3:42';
const requested = new Uint8Array([0, 0, 0, 0, 7, 1, 2, 3]);
const proof = { cause, seal: sealRecord(stages, { topic: 'payout.requested', key: 't-1', cause, value: requested }) };
const payout: Payout = openPayout(
  { payoutId: 't-1', provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: 9, requested, proof },
  1,
);

it('what payout dispatch has sealed was asked for; anything else was not', () => {
  expect(isAskedFor(stages, payout)).toBe(true);
  expect(isAskedFor(executor, payout)).toBe(false);
  const others: fc.Arbitrary<Partial<Payout>> = fc.oneof(
    fc.record({ payoutId: fc.string() }),
    fc.record({ requested: fc.uint8Array() }),
    fc.record({ proof: fc.oneof(fc.constant(null), fc.constant(undefined as never)) }),
    fc.record({ proof: fc.record({ cause: fc.string(), seal: fc.constant(proof.seal) }) }),
    fc.record({ proof: fc.record({ cause: fc.constant(cause), seal: fc.string() }) }),
  );
  fc.assert(
    fc.property(others, (other) => {
      const changed = { ...payout, ...other };
      fc.pre(JSON.stringify(changed) !== JSON.stringify(payout));
      return !isAskedFor(stages, changed);
    }),
  );
});

it('the executor seals the proof with the rest', () => {
  const seal = sealPayout(executor, payout);
  expect(isSealedPayout(executor, payout, seal)).toBe(true);
  expect(isSealedPayout(executor, { ...payout, proof: { ...proof, cause: 'other' } }, seal)).toBe(false);
  expect(isSealedPayout(executor, { ...payout, proof: null }, seal)).toBe(false);
});

it('a case is closed by a person with the keys of operators, or by itself where it does', () => {
  const operators = keyRing('test:a-key-of-operators-for-this-test-00');
  const open = openCase({ ...payout, phase: 'PAID' }, 'CONTRADICTION', 'detail', 5);
  const closing = { number: 1, by: 'amara', reason: 'ticket 4711', operators };
  const closed = closeCase(open, closing, 9);
  expect(isTrulyClosed(operators, open)).toBe(true);
  expect(isTrulyClosed(operators, closed)).toBe(true);
  // Whoever has the executor's keys alone closes none.
  expect(isTrulyClosed(operators, closeCase(open, { ...closing, operators: executor }, 9))).toBe(false);
  const [one] = closed.cases;
  const others = [
    { ...one!, closing: { by: 'amara', reason: 'ticket 4711' } },
    { ...one!, code: 'ATTEMPTS_DIED' as const },
    { ...one!, attemptKey: 't-1:9' },
    { ...one!, openedAt: 6 },
    { ...one!, closedAt: 10 },
    { ...one!, closing: { ...one!.closing!, by: 'bela' } },
    { ...one!, closing: { ...one!.closing!, reason: 'other' } },
  ];
  for (const other of others) expect(isTrulyClosed(operators, { ...closed, cases: [other] })).toBe(false);
  expect(isTrulyClosed(operators, { ...closed, cases: [open.cases[0]!, one!] }), 'another number').toBe(false);
  expect(isTrulyClosed(operators, { ...closed, payoutId: 't-2' })).toBe(false);
  expect(isTrulyClosed(operators, { ...closed, cases: [{ ...open.cases[0]!, code: 'NO_PROOF', closedAt: 9 }] })).toBe(
    true,
  );
});

const T0 = 1_800_000_000_000;

it('what has expired carries the request as payout dispatch sealed it, and settlement believes it', async () => {
  const codec = memoryCodec();
  const event = payoutRequestedFor({ transferId: 't-1', now: T0, expiresAt: T0 + 1 });
  const value = codec.encode('payout.requested', event);
  const { sealed } = asDispatched(received(event), KEYS.stages, value);
  const { cause, seal } = sealed!;
  const request = { provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: T0 + 1, requested: value };
  const opened = openPayout({ payoutId: 't-1', ...request, proof: { cause, seal } }, T0);
  const expired = expire(opened, T0 + 2);
  const update = payoutUpdated(expired, expired.updates[0]!, event);
  // As it stands in the log.
  const [read] = await codec.decode('payout.updated', [codec.encode('payout.updated', update)]);
  const proven = await dispatchedOf([read!.ok ? read!.value : update], dispatchedRequests(codec, KEYS));
  expect(proven).toEqual([event]);
  expect(payoutUpdated({ ...expired, proof: null }, expired.updates[0]!, event).asked).toBeNull();
});
