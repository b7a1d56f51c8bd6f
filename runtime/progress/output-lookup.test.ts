import { describe, expect, it } from 'vitest';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import { type Rings, sealed } from '../../ports/seals.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { OutputLookup } from './output-lookup.ts';

const OUTPUT = 'transfer.screened';
const TOPIC_ID = 'transfer.accepted';
const PARTITIONS = 12;

/** The record at this place, as a stage asks for it. */
const asked = (partition: number, offset: number, timestamp = 1_000_000) => {
  const first = { topic: TOPIC_ID, partition, offset, timestamp, key: null, value: null, headers: {} };
  return { topicId: TOPIC_ID, first: first satisfies LogRecord };
};

function setUp() {
  const clock = new ManualClock();
  const log = new MemoryLog({ partitions: PARTITIONS, clock, manual: true });
  /** What screening made of these offsets of the partition. */
  const handled = (partition: number, from: number, to: number, isForged = false) => {
    for (let offset = from; offset < to; offset++) {
      const cause = formatCause({ source: sourceOf('screening', TOPIC_ID), partition, offset, nth: 0 });
      const record = { topic: OUTPUT, partition, key: `${offset}`, value: Buffer.from('x'), headers: {} };
      const { headers, ...rest } = sealed(testRings, record, cause);
      log.append([{ ...rest, headers: isForged ? { ...headers, seal: 'stages.forged' } : headers }]);
    }
  };
  const counts = { seals: 0, reads: 0, records: 0 };
  const rings: Rings = {
    ...testRings,
    get stages() {
      counts.seals++;
      return testRings.stages;
    },
  };
  const whole = log.reader();
  let meanwhile: (() => Promise<void>) | undefined;
  const reader: LogReader = {
    ...whole,
    async read(ranges, onBatch) {
      counts.reads++;
      await meanwhile?.();
      await whole.read(ranges, (batch) => {
        counts.records += batch.records.length;
        return onBatch(batch);
      });
    },
  };
  const lookup = new OutputLookup(reader, { owner: 'screening', writes: [OUTPUT], rings }, clock);
  const during = (wait: typeof meanwhile) => {
    meanwhile = wait;
  };
  return { clock, log, handled, counts, looks: lookup, during };
}

describe('a look at the outputs', () => {
  it('finds what was handled, and nothing else', async () => {
    const { handled, looks: lookup } = setUp();
    handled(3, 0, 20);
    handled(3, 20, 30, true);
    expect(await lookup.wasHandled(asked(3, 19))).toBe(true);
    expect(await lookup.wasHandled(asked(3, 20))).toBe(false);
    expect(await lookup.wasHandled(asked(4, 0))).toBe(false);
    expect(await lookup.wasHandled({ ...asked(3, 0), topicId: 'another' })).toBe(false);
  });

  it('looks at few seals, however many outputs there are', async () => {
    const { handled, counts, looks: lookup } = setUp();
    for (let partition = 0; partition < PARTITIONS; partition++) handled(partition, 0, 200);
    expect(await lookup.wasHandled(asked(0, 200))).toBe(false);
    expect(counts).toMatchObject({ records: 200 * PARTITIONS, seals: PARTITIONS });
  });

  it('is one for all partitions, whatever the times of their records', async () => {
    const { handled, counts, looks: lookup } = setUp();
    for (let partition = 0; partition < PARTITIONS; partition++) handled(partition, 0, 50);
    const all = Array.from({ length: PARTITIONS }, (_, p) => lookup.wasHandled(asked(p, 50, 1_000_000 - p)));
    expect(await Promise.all(all)).toEqual(all.map(() => false));
    // The first knows its own time alone; the second reads for all that wait.
    expect(counts.records).toBeLessThanOrEqual(2 * 50 * PARTITIONS);
  });

  it('sees what somebody else has handled since the one before', async () => {
    const { handled, counts, looks: lookup } = setUp();
    handled(3, 0, 20);
    expect(await lookup.wasHandled(asked(3, 20))).toBe(false);
    handled(3, 20, 25);
    expect(await lookup.wasHandled(asked(3, 20))).toBe(true);
    expect(counts.records).toBe(25);
  });

  it('of a record without a time asks for no time before all times', async () => {
    const { handled, looks: lookup } = setUp();
    handled(3, 0, 20);
    expect(await lookup.wasHandled(asked(3, 7, 0))).toBe(true);
  });
});

describe('a look that takes long', () => {
  it('is waited for as for a dependency, and the next try meets its answer', async () => {
    const { clock, handled, counts, looks: lookup, during } = setUp();
    handled(3, 0, 20);
    const gate = Promise.withResolvers<void>();
    during(() => gate.promise);
    for (let tries = 0; tries < 3; tries++) {
      const look = lookup.wasHandled(asked(3, 20));
      clock.advance(3_000);
      await expect(look).rejects.toMatchObject({
        code: 'LOOKING_AT_OUTPUTS',
        faultClass: 'transient-dependency',
        dependency: 'kafka',
      });
    }
    gate.resolve();
    expect(await lookup.wasHandled(asked(3, 20))).toBe(false);
    expect(counts.reads).toBe(1);
  });

  it('and fails tells who asks next, and is begun again', async () => {
    const { clock, looks: lookup, during } = setUp();
    const gate = Promise.withResolvers<void>();
    during(() => gate.promise);
    const look = lookup.wasHandled(asked(3, 20));
    clock.advance(3_000);
    await expect(look).rejects.toMatchObject({ code: 'LOOKING_AT_OUTPUTS' });
    gate.reject(new Error('away'));
    await expect(lookup.wasHandled(asked(3, 20))).rejects.toThrow('away');
    during(undefined);
    expect(await lookup.wasHandled(asked(3, 20))).toBe(false);
  });

  it('ends with its stage', async () => {
    const { handled, looks: lookup, during } = setUp();
    handled(3, 0, 20);
    during(async () => lookup.stop());
    await expect(lookup.wasHandled(asked(3, 20))).rejects.toMatchObject({ code: 'LOOKING_AT_OUTPUTS' });
    await expect(lookup.wasHandled(asked(4, 20))).rejects.toMatchObject({ code: 'LOOKING_AT_OUTPUTS' });
  });

  it('holds up the records of a stage, and loses none', async () => {
    const clock = new ManualClock();
    let reads = 0;
    class SlowLog extends MemoryLog {
      override reader(): LogReader {
        const whole = super.reader();
        const read: LogReader['read'] = async (ranges, onBatch) => {
          reads++;
          await clock.sleep(20_000);
          await whole.read(ranges, onBatch);
        };
        return { ...whole, read };
      }
    }
    const ids = Array.from({ length: 5 }, (_, i) => `transfer-${i + 1_000}`);
    const screening = {
      name: 'screening',
      edges: topology.screening,
      prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
      decide: ({ value }: { value: ReturnType<typeof accepted> }) => {
        const { envelope, instruction, parties } = value;
        const next = following(envelope, 'transfer.screened');
        return [{ to: 'transfer.screened', value: { envelope: next, instruction, parties, screening: evidence() } }];
      },
    } as unknown as AnyProcessor;
    const ticking = setInterval(() => clock.advance(500), 1);
    const run = await runProcessor(screening, {
      inputs: ids.map((transferId) => input('transfer.accepted', accepted({ transferId, partitions: 1 }))),
      log: new SlowLog({ partitions: 1, clock, manual: true }),
      clock,
    }).finally(() => clearInterval(ticking));
    expect(run.stopped).toBeUndefined();
    expect(run.outputs(OUTPUT).map(({ key }) => key)).toEqual(ids);
    expect(reads).toBe(1);
  });
});
