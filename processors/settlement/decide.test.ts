// Given a payout update and the claim on its version, settlement emits the end of the transfer.
import { describe, expect, it } from 'vitest';
import { sealRecord } from '../../domain/seals/record-seal.ts';
import type { PayoutStatus, PayoutUpdated } from '../../schemas/types.generated.ts';
import { dispatchedRequests } from '../../services/dispatched-requests.ts';
import {
  AT,
  only,
  payoutRequested,
  payoutUpdated,
  received,
  requestedFrom,
  reservedFrom,
  run,
  summary,
  transferRepriced,
} from '../../test/kit/builders.ts';
import { askedFor, KEYS } from '../../test/kit/keys.ts';
import { memorySettlementClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import type { SettlementInput } from './decide.ts';
import { createSettlement } from './processor.ts';

const requested = payoutRequested();
const sequence = requested.envelope.sequence;
const update = (
  status: PayoutStatus,
  version: number,
  over: Parameters<typeof payoutUpdated>[1] = {},
): SettlementInput => received('payout.updated', payoutUpdated(requested, { status, version, ...over }));
const dispatched = dispatchedRequests(memoryCodec(), KEYS);
const settlement = (claims = memorySettlementClaims(), clock = () => AT, dropped: string[] = []) =>
  createSettlement({ claims, dispatched, clock, onDropped: ({ code }) => dropped.push(code) });

describe('settlement', () => {
  it.each<[PayoutStatus, string]>([
    ['PAID', 'transfer.completed'],
    ['FAILED', 'transfer.rejected'],
    ['RETURNED', 'transfer.returned'],
    ['EXPIRED', 'transfer.requote-requested'],
    ['ACCEPTED', ''],
    ['OUTCOME_UNKNOWN', ''],
    ['UNKNOWN', 'stop STATUS_UNKNOWN'],
  ])('of a payout that is %s is %j', async (status, expected) => {
    const [decision] = await run(settlement(), [update(status, 2)]);
    expect(summary(decision)).toBe(expected);
  });

  it('continues the sequence of the request, and of itself', async () => {
    const [paid, back] = await run(settlement(), [update('PAID', 2), update('RETURNED', 3)]);
    expect(only(paid, 'transfer.completed').envelope).toMatchObject({ sequence: sequence + 1, attempt: 1 });
    expect(only(back, 'transfer.returned').envelope).toMatchObject({ sequence: sequence + 2, attempt: 1 });
  });

  it('carries the reason of the provider', async () => {
    const failed = update('FAILED', 2, { reason: { code: 'AC04', detail: 'closed' } });
    const value = only((await run(settlement(), [failed]))[0], 'transfer.rejected');
    expect(value).toMatchObject({ stage: 'SETTLEMENT', reasons: [{ code: 'AC04' }], payout: { version: 2 } });
    expect(value.reservation).toEqual(requested.reservation);
  });

  it('drops an older version and says so', async () => {
    const dropped: string[] = [];
    const decisions = await run(settlement(undefined, undefined, dropped), [update('PAID', 3), update('FAILED', 2)]);
    expect(decisions.map(summary)).toEqual(['transfer.completed', '']);
    expect(dropped).toEqual(['PAYOUT_VERSION_STALE']);
  });

  it.each<[PayoutStatus, PayoutStatus]>([
    ['PAID', 'FAILED'],
    ['PAID', 'EXPIRED'],
    ['FAILED', 'PAID'],
    ['RETURNED', 'PAID'],
    ['EXPIRED', 'PAID'],
  ])('calls a person when %s is followed by %s', async (first, second) => {
    const decisions = await run(settlement(), [update(first, 2), update(second, 3)]);
    expect(summary(decisions[1])).toBe('dead-letter SETTLEMENT_CONTRADICTION');
  });

  it.each<[PayoutStatus, PayoutStatus]>([
    ['PAID', 'PAID'],
    ['EXPIRED', 'EXPIRED'],
    ['EXPIRED', 'FAILED'],
  ])('drops what says nothing new: %s, then %s', async (first, second) => {
    const decisions = await run(settlement(), [update(first, 2), update(second, 3)]);
    expect(summary(decisions[1])).toBe('');
  });

  it('goes on after a requote with the next attempt, above every sequence before', async () => {
    const claims = memorySettlementClaims();
    const [expired] = await run(settlement(claims), [update('EXPIRED', 2)]);
    const next = requestedFrom(reservedFrom(transferRepriced(only(expired, 'transfer.requote-requested'))));
    const [paid] = await run(settlement(claims), [received('payout.updated', payoutUpdated(next, { version: 3 }))]);
    expect(only(paid, 'transfer.completed').envelope).toMatchObject({
      attempt: 2,
      sequence: next.envelope.sequence + 1,
    });
  });

  it('recognises its own claim after a crash, in the middle of a batch, and emits the same again', async () => {
    const claims = memorySettlementClaims();
    const other = payoutRequested({ transferId: 'another-transfer-1' });
    const batch = [
      update('PAID', 2),
      received('payout.updated', payoutUpdated(other, { version: 2 })),
      update('RETURNED', 3),
    ];
    const wanted = await run(settlement(), batch);
    claims.outages.crashAfter = 1;
    await expect(run(settlement(claims), batch.slice(0, 2))).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    expect(
      await run(
        settlement(claims, () => AT),
        batch,
      ),
    ).toEqual(wanted);
    const later = await run(
      settlement(claims, () => AT + 99_000),
      batch,
    );
    expect(later).toEqual(wanted);
  });

  it('settles once what the relay published twice, in one batch or later', async () => {
    const claims = memorySettlementClaims();
    const again = { ...update('PAID', 2), position: 'payout.updated:3:8' };
    const outputs = await run(settlement(claims), [update('PAID', 2), again]);
    expect(outputs.map((each) => (each as unknown[]).length)).toEqual([1, 0]);
    expect(await run(settlement(claims), [again])).toEqual([[]]);
  });

  it('needs one round trip for first steps', async () => {
    const claims = memorySettlementClaims();
    const batch = Array.from({ length: 40 }, (_, n) =>
      received('payout.updated', payoutUpdated(payoutRequested({ transferId: `transfer-${1_000 + n}` }))),
    );
    await run(settlement(claims), batch);
    expect(claims.outages.calls).toBe(1);
  });
});

describe('a payout that is said to have expired', () => {
  const expired = payoutUpdated(requested, { status: 'EXPIRED' });
  const asked = askedFor(requested);
  const other = payoutRequested({ transferId: 'another-transfer-1' });
  const mallory = { ...requested, instruction: { ...requested.instruction, endToEndId: 'MALLORY' } };
  const value = askedFor(mallory).value;
  const parts = { topic: 'payout.requested', key: requested.envelope.transferId, cause: asked.cause, value };
  const first = (update: PayoutUpdated) => run(settlement(), [received('payout.updated', update)]);

  it('is priced again on what payout dispatch has sealed, whatever else the update says', async () => {
    const [honest] = await first(expired);
    const [made] = await first({ ...expired, requested: mallory });
    expect(made).toEqual(honest);
    expect(only(made, 'transfer.requote-requested').instruction).toEqual(requested.instruction);
  });

  it.each<[string, PayoutUpdated['asked']]>([
    ['of an executor from before', null],
    ['of another transfer', askedFor(other)],
    ['with another value', { ...asked, value }],
    ['with another cause', { ...asked, cause: 'AAAAAAAAAAAA:0:2' }],
    ["under the executor's key", { ...asked, value, seal: sealRecord(KEYS.executor, parts) }],
    ["under the operators' key", { ...asked, value, seal: sealRecord(KEYS.operators, parts) }],
    ['without a seal', { ...asked, seal: '' }],
    ['that is no event', { ...asked, value: Buffer.from('x') }],
  ])('is a dead letter and claims nothing, with a request %s', async (_what, forged) => {
    const claims = memorySettlementClaims();
    const batch = [{ ...expired, asked: forged }, payoutUpdated(requested, { version: 3 })];
    const decisions = await run(
      settlement(claims),
      batch.map((one) => received('payout.updated', one)),
    );
    expect(decisions.map(summary)).toEqual(['dead-letter REQUEST_NOT_SEALED', 'transfer.completed']);
  });
});
