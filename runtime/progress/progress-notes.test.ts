// A record whose cause was handled before changes nothing; one whose cause was not is never taken for one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogAdmin, LogReader } from '../../ports/log.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { append, input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf } from '../../test/kit/replay.ts';
import { testRings } from '../../test/kit/rings.ts';
import { formatCause, parseCause, sourceOf } from '../../topics/cause.ts';
import { ProgressNote } from './progress-notes.ts';
import { applyResume, planResume } from './resume.ts';

const source = sourceOf('intake', 'transfer.requested');
const cause = (offset: number, nth = 0, partition = 0) => ({ source, partition, offset, nth });

describe('marks', () => {
  it('know what is not above them, for each source and partition by itself', () => {
    const marks = new ProgressNote();
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
        const marks = new ProgressNote();
        for (const each of places) marks.raise({ source, ...each });
        expect(ProgressNote.from(marks.text()).text()).toBe(marks.text());
        for (const each of places) expect(parseCause(formatCause({ source, ...each }))).toEqual({ source, ...each });
      }),
    );
    expect(ProgressNote.from('a note of another program').text()).toBe('');
  });

  it('fit what a broker takes: the longest untouched are forgotten first', () => {
    const marks = new ProgressNote();
    for (let partition = 0; partition < 500; partition++) marks.raise(cause(9_007_199_254_740_991, 0, partition));
    expect(marks.text().length).toBeLessThanOrEqual(4_000);
    const kept = ProgressNote.from(marks.text());
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
  async function handled() {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    const feed = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const value = accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 });
        append(log, codec, input('transfer.accepted', value));
      }
    };
    feed(0, 20);
    const common = { inputs: [], clock, codec, log };
    await runProcessor(screening, common);
    const resume = async () => {
      const options = { app: log.app, processor: 'screening', rings: testRings } as const;
      return planResume(await log.admin(), log.reader(), options);
    };
    return { log, feed, common, resume, screened: () => log.records('transfer.screened', 0) };
  }

  it('stops before the first record that it had decided, and decides none of it', async () => {
    const { log, common, screened } = await handled();
    log.forget('corridor.screening');
    const again = await runProcessor(screening, common);
    expect(again.stopped?.code).toBe('OFFSET_LOST');
    expect(screened()).toHaveLength(20);
    expect(log.committed('corridor.screening', 'transfer.accepted', 0)).toBeUndefined();
  });

  it('goes on where its outputs prove that it was, once the operator says so; a copy is still a repeat', async () => {
    const { log, feed, common, resume, screened } = await handled();
    expect((await resume()).filter(({ proven }) => proven)).toEqual([]);
    log.forget('corridor.screening');
    const due = await resume();
    expect(due.filter(({ proven }) => proven)).toMatchObject([{ topic: 'transfer.accepted', offset: 20 }]);
    await (await log.admin()).setOffsets('corridor.screening', due);
    feed(20, 25);
    const again = await runProcessor(screening, common);
    expect(again.stopped).toBeUndefined();
    const keys = screened().map(({ key }) => String(key));
    expect(keys).toHaveLength(25);
    expect(new Set(keys).size).toBe(25);
  });

  it('is not stopped by a backlog that it never saw, nor by what somebody else wrote', async () => {
    const { log, common, screened } = await handled();
    const output = screened().at(-1)!;
    const forged = {
      ...copyOf(output),
      headers: { cause: formatCause({ ...parseCause(String(output.headers['cause']))!, offset: 99 }) },
    };
    log.forget('corridor.screening');
    const empty = new MemoryLog({ partitions: 1, clock: log.clock, manual: true });
    empty.append(log.records('transfer.accepted', 0).map(copyOf));
    empty.append([forged]);
    const first = await runProcessor(screening, { ...common, log: empty });
    expect(first.stopped).toBeUndefined();
    expect(empty.records('transfer.screened', 0)).toHaveLength(21);
  });
});

describe('a plan to resume', () => {
  const GROUP = 'corridor.screening';
  const PLACE = { topic: 'transfer.accepted', partition: 0 };
  const OPTIONS = { app: 'corridor', processor: 'screening', rings: testRings } as const;

  function stage() {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    let fed = 0;
    const feed = (count: number) => {
      for (const last = fed + count; fed < last; fed++) {
        const value = accepted({ transferId: `transfer-${fed + 1_000}`, partitions: 1 });
        append(log, codec, input('transfer.accepted', value));
      }
    };
    const work = () => runProcessor(screening, { inputs: [], clock, codec, log });
    const plan = async (reader: LogReader = log.reader(), admin?: LogAdmin) =>
      (await planResume(admin ?? (await log.admin()), reader, OPTIONS)).filter(({ topic }) => topic === PLACE.topic);
    const set = async (offset: number, note: string) =>
      (await log.admin()).setOffsets(GROUP, [{ ...PLACE, offset, note }]);
    const committed = () => log.committed(GROUP, PLACE.topic, 0);
    const screened = () => log.records('transfer.screened', 0).map(({ key }) => String(key));
    return { log, feed, work, plan, set, committed, screened };
  }

  it('takes no stage that works beside it for one that lost its offsets', async () => {
    const { log, feed, work, plan, set, committed, screened } = stage();
    await set(0, '');
    feed(10);
    const whole = log.reader();
    let isWorked = false;
    const beside: LogReader = {
      ...whole,
      async read(ranges, onBatch) {
        if (isWorked) return whole.read(ranges, onBatch);
        isWorked = true;
        await work();
        await whole.read(await whole.offsets(ranges.map(({ topic }) => topic)), onBatch);
        feed(10);
        await work();
      },
    };
    const admin = await log.admin();
    const strict: LogAdmin = {
      ...admin,
      committed: async (group, topics, options) => {
        expect(options?.evenUnstable ?? false).toBe(false);
        return admin.committed(group, topics);
      },
    };
    const due = await plan(beside, strict);
    expect(due).toEqual([]);
    await applyResume(admin, OPTIONS, due);
    await work();
    expect(committed()).toBe(20);
    expect(screened()).toHaveLength(20);
  });

  it('finds an offset that was set back with its note', async () => {
    const { log, feed, work, plan, set } = stage();
    feed(20);
    await work();
    expect(await plan()).toEqual([]);
    await set(5, log.note(GROUP, PLACE.topic, 0));
    expect(await plan()).toMatchObject([{ committed: 5, offset: 20, proven: true }]);
  });

  it.each([
    ['offset', 4, ''],
    ['note', 3, 'somebody'],
  ])('sets nothing whose %s has changed since', async (_, offset, note) => {
    const { log, feed, work, plan, set, committed } = stage();
    feed(20);
    await work();
    await set(3, '');
    const due = await plan();
    expect(due).toMatchObject([{ committed: 3, offset: 20 }]);
    await set(offset, note);
    expect(await applyResume(await log.admin(), OPTIONS, due)).toEqual([]);
    expect(committed()).toBe(offset);
    await set(3, '');
    expect(await applyResume(await log.admin(), OPTIONS, due)).toEqual(due);
    expect(committed()).toBe(20);
    expect((await work()).stopped).toBeUndefined();
  });

  it('is refused where the log ends before what the outputs prove', async () => {
    const { log, feed, work, plan, set } = stage();
    feed(20);
    await work();
    await set(3, '');
    const whole = log.reader();
    const endingAt = (end: number): LogReader => ({
      ...whole,
      offsets: async (topics) =>
        (await whole.offsets(topics)).map((range) =>
          range.topic === PLACE.topic ? { ...range, to: Math.min(range.to, end) } : range,
        ),
    });
    await expect(plan(endingAt(19))).rejects.toMatchObject({ code: 'OFFSET_BEYOND_LOG', faultClass: 'fatal' });
    expect(await plan(endingAt(20))).toMatchObject([{ offset: 20 }]);
  });
});

describe('an offset of a topic that was made again', () => {
  it('is not gone on from, should a broker keep it', async () => {
    const clock = new ManualClock();
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1, clock, manual: true });
    const common = { inputs: [], clock, codec, log };
    const feed = () => {
      for (let i = 0; i < 5; i++) {
        const value = accepted({ transferId: `transfer-${i + 1_000}`, partitions: 1 });
        append(log, codec, input('transfer.accepted', value));
      }
    };
    feed();
    await runProcessor(screening, common);
    const note = log.note('corridor.screening', 'transfer.accepted', 0);
    log.remake('transfer.accepted');
    const place = { topic: 'transfer.accepted', partition: 0 };
    await (await log.admin()).setOffsets('corridor.screening', [{ ...place, offset: 2, note }]);
    feed();
    expect((await runProcessor(screening, common)).stopped?.code).toBe('OFFSET_OF_ANOTHER_TOPIC');
    const options = { app: log.app, processor: 'screening', rings: testRings } as const;
    const due = await planResume(await log.admin(), log.reader(), options);
    expect(due.find(({ topic }) => topic === place.topic)).toMatchObject({ committed: 2, offset: 0, proven: false });
    await (await log.admin()).setOffsets('corridor.screening', due);
    expect((await runProcessor(screening, common)).stopped).toBeUndefined();
    expect(log.records('transfer.screened', 0)).toHaveLength(10);
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
