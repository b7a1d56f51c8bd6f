// A record whose cause was handled before changes nothing; one whose cause was not is never taken for one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topology } from '../processors/topology.ts';
import { accepted, evidence, following } from '../test/kit/events.ts';
import { append, input, runProcessor } from '../test/kit/harness.ts';
import { ManualClock } from '../test/kit/manual-clock.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { formatCause, parseCause, sourceOf } from './cause.ts';
import { Marks } from './marks.ts';
import type { LogRecord, OutputRecord } from './ports/log.ts';
import type { AnyProcessor } from './processor-host.ts';

const source = sourceOf('intake', 'transfer.requested');
const cause = (offset: number, nth = 0, partition = 0) => ({ source, partition, offset, nth });

describe('marks', () => {
  it('know what is not above them, for each source and partition by itself', () => {
    const marks = new Marks();
    marks.raise(cause(7, 1));
    expect([cause(6), cause(7), cause(7, 1)].map((each) => marks.isNew(each))).toEqual([false, false, false]);
    expect([cause(7, 2), cause(8), cause(1, 0, 1)].map((each) => marks.isNew(each))).toEqual([true, true, true]);
    expect(marks.isNew({ ...cause(1), source: sourceOf('intake', 'made-anew') })).toBe(true);
    expect(marks.isNew({ ...cause(1), source: sourceOf('limits', 'transfer.requested') })).toBe(true);
  });

  it('are the same again from their note; a note of somebody else is none', () => {
    const place = fc.record({ partition: fc.nat(200), offset: fc.nat(), nth: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 60 }), (places) => {
        const marks = new Marks();
        for (const each of places) marks.raise({ source, ...each });
        expect(Marks.from(marks.note()).note()).toBe(marks.note());
        for (const each of places) expect(parseCause(formatCause({ source, ...each }))).toEqual({ source, ...each });
      }),
    );
    expect(Marks.from('a note of another program').note()).toBe('');
  });

  it('fit what a broker takes: the longest untouched are forgotten first', () => {
    const marks = new Marks();
    for (let partition = 0; partition < 500; partition++) marks.raise(cause(9_007_199_254_740_991, 0, partition));
    expect(marks.note().length).toBeLessThanOrEqual(4_000);
    const kept = Marks.from(marks.note());
    expect(kept.isNew(cause(1, 0, 499))).toBe(false);
    expect(kept.isNew(cause(1, 0, 0))).toBe(true);
  });
});

const screening = {
  name: 'screening',
  edges: topology.screening,
  prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
  decide: ({ value }: { value: ReturnType<typeof accepted> }) => [
    {
      to: 'transfer.screened',
      value: {
        envelope: following(value.envelope, 'transfer.screened'),
        instruction: value.instruction,
        parties: value.parties,
        screening: evidence(),
      },
    },
  ],
} as unknown as AnyProcessor;
const pricing = { ...screening, name: 'fx-pricing', edges: topology['fx-pricing'], decide: () => [] } as AnyProcessor;

const copyOf = ({ topic, partition, key, value, headers }: LogRecord): OutputRecord => ({
  topic,
  partition,
  key: key!.toString(),
  value,
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text!.toString()])),
});

describe('a copy of an old event', () => {
  it('is a dead letter that marks no transfer, across restarts of the stage; what is new goes through', async () => {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    const common = { inputs: [], clock, codec, log, maxBatchRecords: 7 };
    const feed = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        append(
          log,
          codec,
          input('transfer.accepted', accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 })),
        );
      }
    };
    feed(0, 20);
    await runProcessor(screening, common);
    const seen: string[] = [];
    const counting = {
      ...pricing,
      decide: ({ value }: { value: ReturnType<typeof accepted> }) => {
        seen.push(value.envelope.transferId);
        return [];
      },
    } as unknown as AnyProcessor;
    await runProcessor(counting, common);
    expect(seen).toHaveLength(20);
    log.append(log.records('transfer.screened', 0).slice(3, 9).map(copyOf));
    feed(20, 30);
    await runProcessor(screening, common);
    const run = await runProcessor(counting, common);
    expect(seen).toHaveLength(30);
    expect(new Set(seen).size).toBe(30);
    expect(run.deadLetters.map(({ code, class: kind }) => `${kind} ${code}`)).toEqual(
      Array(6).fill('repeated EVENT_REPEATED'),
    );
    expect(run.lifecycle.filter(({ state }) => state === 'DEAD_LETTERED')).toEqual([]);
    expect(run.stopped).toBeUndefined();
  });

  it('is never taken for one when records run again after crashes: each goes through exactly once', async () => {
    const points = ['before-handler', 'before-commit', 'after-commit'] as const;
    const schedule = fc.array(fc.constantFrom(...points, 'redeliver'), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(schedule, fc.integer({ min: 1, max: 9 }), async (crashes, maxBatchRecords) => {
        const clock = new ManualClock();
        const codec = memoryCodec();
        const log = new MemoryLog({ partitions: 1, clock, manual: true });
        for (let i = 0; i < 25; i++) {
          append(
            log,
            codec,
            input('transfer.accepted', accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 })),
          );
        }
        const left = [...crashes];
        const crash = (point: string) => {
          if (left[0] === 'redeliver' && point === 'before-commit') return left.shift() && ('redeliver' as const);
          return left[0] === point ? left.shift() && ('crash' as const) : undefined;
        };
        const first = await runProcessor(screening, { inputs: [], clock, codec, log, maxBatchRecords, crash });
        expect(first.deadLetters).toEqual([]);
        left.push(...crashes);
        const second = await runProcessor(pricing, { inputs: [], clock, codec, log, maxBatchRecords, crash });
        expect(second.deadLetters).toEqual([]);
        expect(log.committed('corridor.fx-pricing', 'transfer.screened', 0)).toBe(25);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a stage whose offsets were lost', () => {
  it('writes everything again, and the next stage takes none of it', async () => {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    for (let i = 0; i < 20; i++) {
      append(log, codec, input('transfer.accepted', accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 })));
    }
    const common = { inputs: [], clock, codec, log };
    await runProcessor(screening, common);
    await runProcessor(pricing, common);
    log.forget('corridor.screening');
    await runProcessor(screening, common);
    expect(log.records('transfer.screened', 0)).toHaveLength(40);
    const run = await runProcessor(pricing, common);
    expect(run.deadLetters.map(({ code }) => code)).toEqual(Array(20).fill('EVENT_REPEATED'));
  });
});

describe('what the breaker takes back', () => {
  it('is handled when the stage goes on, and passes for no repeat', async () => {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    for (let i = 0; i < 60; i++) {
      append(log, codec, input('transfer.accepted', accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 })));
    }
    const common = { inputs: [], clock, codec, log };
    await runProcessor(screening, common);
    const broken = { ...pricing, decide: () => ({ kind: 'dead-letter', cause: { code: 'BROKEN', detail: 'a bug' } }) };
    const first = await runProcessor(broken as unknown as AnyProcessor, common);
    expect(first.stopped?.code).toBe('DLQ_BREAKER_OPEN');
    const seen: string[] = [];
    const mended = {
      ...pricing,
      decide: ({ value }: { value: ReturnType<typeof accepted> }) => {
        seen.push(value.envelope.transferId);
        return [];
      },
    } as unknown as AnyProcessor;
    const second = await runProcessor(mended, common);
    expect(second.deadLetters.filter(({ code }) => code === 'EVENT_REPEATED')).toEqual([]);
    expect(seen.length + first.deadLetters.length).toBe(60);
  });
});
