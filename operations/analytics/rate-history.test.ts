// The history of rates: each that its feed sealed is there once, in order, whatever its writer dies of, and nothing of strangers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { type Rings, sealed } from '../../ports/seals.ts';
import { RATE_HISTORY } from '../../processors/topology.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { AT, fxRate } from '../../test/kit/builders.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { type CrashPlan, MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { times } from '../../test/kit/times.ts';
import { fxRates } from '../../topics/boundary.ts';
import { createRateHistory } from './rate-history.ts';

const RATES = fxRates.name;
const HISTORY = 'fx.rate-history';
const codec = memoryCodec();

class World {
  readonly clock = new ManualClock(AT);
  readonly log: MemoryLog;
  readonly passedOver: ErrorCode[] = [];

  constructor(crash?: CrashPlan) {
    this.log = new MemoryLog({ partitions: 1, clock: this.clock, manual: true, ...(crash && { crash }) });
  }

  append(rates: readonly FxRate[], rings: Rings = testRings): void {
    for (const rate of rates) this.write(fxRates.keyOf(rate), codec.encode(RATES, rate), rings);
  }

  write(key: string, value: Buffer | null, rings: Rings | undefined): void {
    const record = { topic: RATES, partition: 0, key, value: value as Buffer, headers: {} };
    this.log.append([rings && value ? sealed(rings, record) : record]);
  }

  async run(maxBatchRecords = 3): Promise<Error | undefined> {
    const handler = createRateHistory({
      ...{ codec, rings: testRings, reader: this.log.reader() },
      onPassedOver: (_, code) => void this.passedOver.push(code),
    });
    const consumer = await this.log.consume({
      ...{ name: RATE_HISTORY, topics: [RATES], delivery: 'exactly-once', maxBatchRecords, lingerMs: 0, handler },
      onFault: () => undefined,
    });
    return consumer.untilIdle(this.clock);
  }

  async history() {
    const decoded = await codec.decode(
      HISTORY,
      this.log.all(HISTORY).map(({ value }) => value),
    );
    return decoded.map((result) => {
      if (!result.ok) throw new Error(result.detail);
      return result.value;
    });
  }
}

const at = (minute: number, rate: string, more: Partial<FxRate> = {}) =>
  fxRate({ observedAt: AT - 86_400_000 + minute * 60_000, rate, ...more });
const RATES_OF_A_DAY = [
  ...[at(0, '125.1'), at(0, '0.0089', { base: 'INR', quote: 'JPY' }), at(5, '125.2'), at(10, '125.3')],
  ...[at(10, '125.31', { source: 'other' }), at(15, '125.2'), at(20, '125.4')],
];
const said = ({ source, base, quote, rate, observedAt }: FxRate) => [source, base, quote, rate, observedAt];

describe('the history of rates', () => {
  it('has each rate once, however its writer dies', async () => {
    const fault = fc.record({
      point: fc.constantFrom('before-handler' as const, 'before-commit' as const, 'after-commit' as const),
      how: fc.constantFrom('crash' as const, 'redeliver' as const),
      at: fc.nat({ max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 4 }), fc.integer({ min: 1, max: 4 }), async (faults, batch) => {
        const left = [...faults];
        let batches = 0;
        const world = new World((point) => {
          if (point === 'before-handler') batches++;
          const next = left.findIndex((each) => each.point === point && each.at <= batches);
          return next === -1 ? undefined : left.splice(next, 1)[0]!.how;
        });
        world.append(RATES_OF_A_DAY);
        for (let runs = 0; runs <= faults.length + 1; runs++) await world.run(batch);
        const history = await world.history();
        expect(history.map(said)).toEqual(RATES_OF_A_DAY.map(said));
        expect(new Set(history.map(({ rateId }) => rateId)).size).toBe(RATES_OF_A_DAY.length);
      }),
      { numRuns: times(60) },
    );
  });

  it('tells the exponents, and keeps what the feed said as it said it', async () => {
    const world = new World();
    world.append([at(0, '0.00890', { base: 'INR', quote: 'JPY', rawHash: 'ab' })]);
    await world.run();
    expect(await world.history()).toMatchObject([
      { rate: '0.00890', rawHash: 'ab', baseExponent: 2, quoteExponent: 0, contractVersion: 5, appendedAt: AT },
    ]);
  });

  it('takes no copy of an earlier rate, also in another process and after the log forgot what was before', async () => {
    const world = new World();
    world.append(RATES_OF_A_DAY);
    await world.run();
    world.append(RATES_OF_A_DAY);
    await world.run();
    expect(await world.history()).toHaveLength(RATES_OF_A_DAY.length);
    world.append([at(25, '125.5')]);
    await world.run();
    expect((await world.history()).at(-1)!.rate).toBe('125.5');
  });

  it('takes no copy of two rates of one instant, nor of two that are dated ahead', async () => {
    const ahead = 2 * 86_400_000 + 60_000;
    for (const two of [
      [at(1, '125.1'), at(1, '125.2')],
      [fxRate({ observedAt: AT + ahead, rate: '125.1' }), fxRate({ observedAt: AT + ahead + 1, rate: '125.2' })],
    ]) {
      const world = new World();
      for (let time = 0; time < 3; time++) {
        world.append(two);
        world.clock.advance(1_000);
        await world.run(1);
      }
      expect((await world.history()).map(said)).toEqual(two.map(said));
    }
  });

  it('goes by what it wrote where nothing of the input is left under a key, or its offset is gone', async () => {
    const world = new World();
    world.append(RATES_OF_A_DAY);
    await world.run();
    // As after compaction: a new topic that has garbage and old copies alone, read from its start.
    const after = new World();
    const written = world.log.all(HISTORY).map(({ key, value, headers }) => ({
      ...{ topic: HISTORY, partition: 0, key: key!.toString('utf8'), value: value! },
      headers: headers as Record<string, Buffer>,
    }));
    after.log.append(written);
    after.write(fxRates.keyOf(at(0, '1')), null, undefined);
    after.append(RATES_OF_A_DAY);
    await after.run();
    expect(await after.history()).toHaveLength(RATES_OF_A_DAY.length);
    after.append([at(25, '125.5')]);
    await after.run();
    expect((await after.history()).at(-1)!.rate).toBe('125.5');
  });

  it('believes no history of a stranger, and none that is dated ahead shuts out a rate', async () => {
    const world = new World();
    const forged = codec.encode(HISTORY, {
      ...{ ...at(900, '1'), rateId: 'x', baseExponent: 2, quoteExponent: 2, contractVersion: 5, appendedAt: null },
    });
    world.log.append([{ topic: HISTORY, partition: 0, key: 'k', value: forged, headers: {} }]);
    world.append([at(1, '125.1')]);
    const running = await world.run();
    expect(running).toBeUndefined();
    expect((await world.history()).map(({ rate }) => rate)).toEqual(['1', '125.1']);
  });

  it('reads nothing from an offset of another topic', async () => {
    const world = new World();
    world.append([at(1, '125.1')]);
    const handler = createRateHistory({
      ...{ codec, rings: testRings, reader: world.log.reader(), onPassedOver: () => undefined },
    });
    const batch = { topic: RATES, topicId: 'new', partition: 0, records: world.log.all(RATES) };
    const refused = await handler({ ...batch, note: 'old 7' });
    expect(refused).toMatchObject({ doneThrough: undefined, outputs: [] });
    expect(refused.then).toMatchObject({ do: 'pause', code: 'OFFSET_OF_ANOTHER_TOPIC' });
    expect(await handler({ ...batch, note: '' })).toMatchObject({ doneThrough: 0, note: 'new 1' });
    expect((await handler({ ...batch, note: '' })).outputs).toHaveLength(1);
  });

  it('passes over what no feed has sealed, what is no rate, and what is taken away', async () => {
    const world = new World();
    const value = codec.encode(RATES, at(1, '9'));
    world.write(fxRates.keyOf(at(1, '9')), value, undefined);
    world.write('sample/GBP/USD', value, testRings);
    world.write(fxRates.keyOf(at(1, '9')), null, undefined);
    world.append([at(1, '-1'), at(1, '9', { base: 'GB' }), at(1, '9', { observedAt: 8_640_000_000_000_000 })]);
    world.append([at(2, '125.1')]);
    await world.run();
    expect((await world.history()).map(({ rate }) => rate)).toEqual(['125.1']);
    expect(world.passedOver).toEqual([
      ...['SEAL_MISSING', 'KEY_MISMATCH'],
      ...['RATE_MALFORMED', 'RATE_MALFORMED', 'RATE_MALFORMED'],
    ]);
  });
});
