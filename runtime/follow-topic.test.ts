import { expect, it } from 'vitest';
import { systemClock } from '../ports/clock.ts';
import type { ConsumerFault, Log, RecordBatch } from '../ports/log.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { followTopic } from './follow-topic.ts';

type Hooks = { readonly batch: () => void; readonly fault: (fault: ConsumerFault) => void };

/** A log whose reader never gets to the end of the topic, and says and gives what the test has it say and give. */
function silentLog(during: (hooks: Hooks) => void) {
  const counts = { begun: 0, stopped: 0 };
  const log: Log = new MemoryLog({ partitions: 1 });
  const reader: ReturnType<Log['reader']> = {
    ...log.reader(),
    follow(_topics, onBatch, options) {
      counts.begun++;
      const batch: RecordBatch = { topic: 'fx.rates', partition: 0, records: [] };
      during({ batch: () => onBatch(batch), fault: (fault) => options?.onFault?.(fault) });
      const never = new Promise<void>(() => {});
      return { caughtUp: never, currentAt: () => undefined, stop: async () => void counts.stopped++ };
    },
  };
  return { counts, log: Object.assign(Object.create(log), { reader: () => reader }) as Log };
}

function followed(during: (hooks: Hooks) => void, looked = () => {}) {
  const { log, counts } = silentLog(during);
  const faults: string[] = [];
  let looks = 0;
  const clock = {
    ...systemClock,
    sleep: async () => {
      looks++;
      looked();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const onFault = ({ code }: ConsumerFault) => void faults.push(code);
  const follower = followTopic({ topic: 'fx.rates', log, codec: memoryCodec(), clock, take: async () => {}, onFault });
  return { follower, counts, faults, looks: () => looks };
}

it('does not wait for ever for a topic that gives nothing and says nothing', async () => {
  const { follower, counts, looks } = followed(() => {});
  await expect(follower.start()).rejects.toMatchObject({
    code: 'READ_STALLED',
    faultClass: 'transient-dependency',
    dependency: 'kafka',
    message: expect.stringContaining('READ right'),
  });
  expect(looks()).toBe(60);
  // The next start follows anew.
  await expect(follower.start()).rejects.toMatchObject({ code: 'READ_STALLED' });
  expect(counts).toEqual({ begun: 2, stopped: 2 });
});

it('says what the log said last', async () => {
  const { follower, faults } = followed(({ fault }) =>
    fault({ code: 'KAFKA_UNAVAILABLE', detail: 'the broker is away', severity: 'transient' }),
  );
  await expect(follower.start()).rejects.toMatchObject({
    code: 'READ_STALLED',
    message: expect.stringContaining('KAFKA_UNAVAILABLE, the broker is away'),
  });
  expect(faults).toEqual(['KAFKA_UNAVAILABLE']);
});

it('ends at once, with its code, on what never passes: no right to read the topic', async () => {
  const { follower, looks } = followed(({ fault }) =>
    fault({ code: 'KAFKA_UNAUTHORIZED', detail: 'not allowed to read', severity: 'fatal' }),
  );
  await expect(follower.start()).rejects.toMatchObject({ code: 'KAFKA_UNAUTHORIZED', faultClass: 'fatal' });
  expect(looks()).toBe(0);
});

it('waits as long as something comes', async () => {
  let give = () => {};
  let looked = 0;
  const { follower, looks } = followed(
    ({ batch }) => {
      give = batch;
    },
    () => {
      if (++looked % 50 === 0 && looked <= 500) give();
    },
  );
  await expect(follower.start()).rejects.toMatchObject({ code: 'READ_STALLED' });
  expect(looks()).toBeGreaterThan(550);
});

it('is stopped while it starts, and begins no more once it was stopped', async () => {
  const { follower, counts } = followed(() => {});
  const starting = follower.start();
  const stopping = follower.stop();
  await expect(starting).rejects.toMatchObject({ code: 'STOPPING' });
  await stopping;
  await expect(follower.start()).rejects.toMatchObject({ code: 'STOPPING' });
  expect(counts.begun).toBe(counts.stopped);
});

it('is stopped in the middle of a topic that has no end', async () => {
  const { follower, counts } = followed(({ batch }) => batch());
  const starting = follower.start();
  starting.catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  await follower.stop();
  await expect(starting).rejects.toMatchObject({ code: 'STOPPING' });
  expect(counts.begun).toBe(1);
  expect(counts.stopped).toBeGreaterThanOrEqual(1);
});
