import { describe, expect, it } from 'vitest';
import { consumers } from '../processors/topology.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxRates, payoutAttempts, payoutUpdated, transferLifecycle } from '../topics/boundary.ts';
import { contractOf } from '../topics/catalogue.ts';
import type { LogRecord, OutputRecord } from './log.ts';
import { recordMaker } from './records.ts';
import { sealFlaw } from './seals.ts';

const claim = { payoutId: 't-1', attempt: 1, startedAt: 1_700_000_000_000, claimId: 'c-1', token: null, earlier: [] };
const terms = { partition: 0 };

async function makerFor<const Name extends 'payout.updated' | 'payout.attempts' | 'fx.rates'>(
  writes: readonly { readonly name: Name }[],
) {
  const codec = memoryCodec();
  await codec.load([payoutAttempts.name, fxRates.name]);
  return recordMaker({ owner: 'payout-executor', writes, codec, rings: testRings });
}

function asRead({ topic, partition, key, value, headers }: OutputRecord): LogRecord {
  const read = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  return {
    topic,
    partition,
    offset: 0,
    timestamp: 0,
    key: Buffer.from(key!),
    value,
    headers: Object.fromEntries(read),
  };
}

describe('a record', () => {
  it('has the key, the headers and the seal that its contract names', async () => {
    const make = await makerFor([payoutAttempts]);
    const made = make(payoutAttempts.name, claim, {
      partition: 3,
      eventId: 'e-1',
      originPosition: 'o:0:1',
      traceparent: 'trace',
      cause: 'cause',
    });
    const { seal, ...headers } = made.headers as Record<string, string>;
    expect(headers).toEqual({
      'event-id': 'e-1',
      'event-type': 'PayoutAttemptClaimed',
      'origin-position': 'o:0:1',
      traceparent: 'trace',
      cause: 'cause',
    });
    expect(made).toMatchObject({ topic: 'payout.attempts', partition: 3, key: payoutAttempts.keyOf(claim as never) });
    expect(seal).not.toBe('');
    expect(sealFlaw(testRings, payoutAttempts.name, asRead(made))).toBeUndefined();
  });

  it('has no headers but its seal where nothing else is known', async () => {
    const make = await makerFor([payoutAttempts]);
    expect(Object.keys(make(payoutAttempts.name, claim, terms).headers)).toEqual(['seal']);
  });

  it('is not made for a topic that its writer does not declare', async () => {
    const executor = await makerFor(consumers['payout-executor'].writes);
    expect(executor(payoutAttempts.name, claim, terms).topic).toBe('payout.attempts');
    const rate = { source: 's', base: 'EUR', quote: 'INR', rate: '90', observedAt: 1, publishedAt: 1, rawHash: null };
    // @ts-expect-error a topic that is not declared does not compile
    expect(() => executor(fxRates.name, rate, terms)).toThrow(expect.objectContaining({ code: 'ROUTE_NOT_DECLARED' }));
    // @ts-expect-error nor does one that every sink reads
    expect(() => executor(transferLifecycle.name, {}, terms)).toThrow(/payout-executor does not declare/);
  });

  it('has a maker only where there are keys to seal it with', () => {
    const options = { owner: 'payout-executor', codec: memoryCodec(), rings: { stages: testRings.stages } };
    for (const contract of [payoutAttempts, payoutUpdated]) {
      const make = () => recordMaker({ ...options, writes: [contract] });
      expect(contractOf(contract.name)?.sealedBy).toBe('executor');
      expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });
});
