// The rejection with which each stage ends what operators discard, and what it frees.
import { describe, expect, it } from 'vitest';
import { DISCARD_REASONS } from '../domain/reasons.ts';
import { brokenTransition, STATE_OF_TOPIC, type StageName } from '../domain/transfers/transfer-states.ts';
import type { Stage } from '../schemas/types.generated.ts';
import {
  AT,
  LIMIT_BOOK,
  received,
  requoteRequested,
  reviewDecided,
  transferAccepted,
  transferHeldByLimits,
  transferPriced,
  transferRejected,
  transferRequested,
  transferReserved,
  transferScreened,
} from '../test/kit/builders.ts';
import { KEYS } from '../test/kit/keys.ts';
import { memoryHoldClaims } from '../test/kit/memory-claims.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLedger } from '../test/kit/memory-ledger.ts';
import type { Received } from './contract.ts';
import { discardableOf, rejectionOf } from './discard.ts';
import { type ChainEvent, eventIn } from './lifecycle.ts';
import { createLimits } from './limits/processor.ts';
import { fixedPolicy } from './policies.ts';

const codec = memoryCodec();
const inputs: readonly (readonly [StageName, Received<unknown>])[] = [
  ['SCREENING', received('transfer.accepted', transferAccepted())],
  ['FX_PRICING', received('transfer.screened', transferScreened())],
  ['FX_PRICING', received('transfer.requote-requested', requoteRequested())],
  ['LIMITS', received('transfer.priced', transferPriced())],
  ['LIMITS', received('review.decided', reviewDecided(transferHeldByLimits()))],
  ['PAYOUT_DISPATCH', received('transfer.reserved', transferReserved())],
];

describe('the rejection of a discarded letter', () => {
  it.each(inputs)('of %s is a legal step that its contract takes, with all that was known', (stage, input) => {
    for (const code of DISCARD_REASONS) {
      const { to, value } = rejectionOf(input, { stage, code, occurredAt: 9 });
      expect(to).toBe('transfer.rejected');
      const rejected = value as ReturnType<typeof transferRejected>;
      const before = eventIn(input.topic, input.value) as ChainEvent & { reservation?: unknown };
      expect(rejected).toMatchObject({ stage, payout: null, reasons: [{ code }], instruction: before.instruction });
      expect(rejected.reservation).toEqual(before.reservation ?? null);
      expect(rejected.envelope).toMatchObject({ occurredAt: 9, causationId: input.causationId });
      const at = { stage, attempt: before.envelope.attempt };
      const topic = input.topic === 'review.decided' ? 'transfer.held' : input.topic;
      const from = { ...at, state: STATE_OF_TOPIC[topic]!, sequence: before.envelope.sequence };
      const next = { ...at, state: 'REJECTED' as const, sequence: rejected.envelope.sequence };
      expect(brokenTransition(from, next)).toBeUndefined();
      expect(codec.encode('transfer.rejected', rejected).length).toBeGreaterThan(100);
    }
  });

  it('of an intent names its place, and no transfer', () => {
    const input = received('transfer.requested', transferRequested());
    const { to, value } = rejectionOf(input, { stage: 'INTAKE', code: 'DISC', occurredAt: 9 });
    expect({ to, value }).toMatchObject({
      to: 'intent.rejected',
      value: {
        originPosition: input.originPosition,
        occurredAt: 9,
        reasons: [{ code: 'DISC' }],
        firstOriginPosition: null,
      },
    });
  });

  it('of an intent without a transfer id shows what stands for it, and nothing of what was written', () => {
    const input = received('transfer.requested', transferRequested({ transferId: 'Marjorie Quickfall' }));
    const of = (more: object) => rejectionOf(input, { stage: 'INTAKE', code: 'DISC', occurredAt: 9, ...more }).value;
    expect(of({ shownId: 'token:a' })).toMatchObject({ transferId: 'token:a' });
    expect(of({})).toMatchObject({ transferId: 'token:' });
  });

  it.each([
    ['transfer.priced', () => received('transfer.priced', transferPriced())],
    ['transfer.reserved', () => received('transfer.reserved', transferReserved())],
  ] as const)('of %s frees the limits that were reserved, once', async (_, made) => {
    const ledger = new MemoryLedger();
    const holds = memoryHoldClaims();
    const limits = createLimits({
      keys: KEYS,
      ledger,
      holds,
      rules: fixedPolicy(LIMIT_BOOK),
      clock: () => AT,
    });
    // Reserved before its stage broke.
    await limits.prepare([received('transfer.priced', transferPriced())]);
    expect([...ledger.counters.values()].every(({ used, open }) => used > 0n && open === 1)).toBe(true);
    const input = made();
    const stage: Stage = input.topic === 'transfer.priced' ? 'LIMITS' : 'PAYOUT_DISPATCH';
    const { value } = rejectionOf(input, { stage, code: 'DISC', occurredAt: AT });
    for (let times = 0; times < 2; times++) {
      await limits.prepare([received('transfer.rejected', value as never)]);
      expect([...ledger.counters.values()].every(({ used, open }) => used === 0n && open === 0)).toBe(true);
    }
  });
});

describe('what may be ended', () => {
  const held = transferHeldByLimits();
  const decision = (commandId: string) => {
    const decided = reviewDecided(held);
    return { ...decided, command: { ...decided.command, commandId } };
  };
  const terms = (holds = memoryHoldClaims()) => ({ holds, keys: KEYS, now: AT, stage: 'LIMITS' as const });

  it('of a decision is the hold that it has claimed, and none that another has', async () => {
    const holds = memoryHoldClaims();
    const [first, again, other] = [
      received('review.decided', decision('one'), { position: 'a:0:1' }),
      received('review.decided', decision('one'), { position: 'a:0:1' }),
      received('review.decided', decision('two'), { position: 'a:0:2' }),
    ];
    const ask = (input: typeof first) => discardableOf([input], 'transfer.priced', terms(holds));
    expect(await ask(first)).toEqual([{ kind: 'reject', occurredAt: AT }]);
    // What runs again ends it at the same instant.
    expect(await discardableOf([again], 'transfer.priced', { ...terms(holds), now: AT + 5 })).toEqual([
      { kind: 'reject', occurredAt: AT },
    ]);
    expect(await ask(other)).toEqual([{ kind: 'nothing' }]);
  });

  it('is not what a hold says that no stage has sealed', async () => {
    const forged = { ...decision('one'), held: { ...held, hold: { ...held.hold, seal: 'test.x' } } };
    const [answer] = await discardableOf([received('review.decided', forged)], 'transfer.priced', terms());
    expect(answer).toEqual({ kind: 'nothing' });
  });

  it('is no end of a transfer, which limits has to handle', async () => {
    const input = received('transfer.rejected', transferRejected());
    expect(await discardableOf([input], 'transfer.priced', terms())).toMatchObject([
      { kind: 'dead-letter', cause: { code: 'DISCARD_REFUSED' } },
    ]);
  });
});
