// What a host of a stage does when it is not the records: dependencies, schemas, the breaker.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { accepted } from '../../test/kit/events.ts';
import { runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { clearing, idOf, ids, inOne, inputsOf, sorted } from './testing/clearing.ts';

describe('bytes that do not decode', () => {
  it('become dead letters at once, raw, and mark nothing', async () => {
    const rubbish = [Buffer.from('rubbish'), Buffer.alloc(0), null, Buffer.from([0, 0, 0, 0, 2, 1])];
    const inputs = [
      ...inputsOf(['transfer-0000']),
      ...rubbish.map((bytes) => ({ topic: 'transfer.accepted', bytes })),
      ...inputsOf(['transfer-0001']),
    ];
    const codec = memoryCodec();
    const accept = codec.encode('transfer.accepted', accepted({}));
    rubbish[3] = Buffer.concat([accept.subarray(0, 5), Buffer.from([1, 2])]);
    inputs[4] = { topic: 'transfer.accepted', bytes: rubbish[3] };
    const run = await runProcessor(clearing(), { inputs, codec, partitions: 1 });
    expect(run.deadLetters.map(({ code }) => code)).toEqual([
      'NOT_AVRO',
      'EMPTY_VALUE',
      'EMPTY_VALUE',
      'UNDECODABLE_AVRO',
    ]);
    expect(run.deadLetters.every((letter) => letter.class === 'undecodable')).toBe(true);
    expect(run.deadLetters.map(({ record }) => record.value)).toEqual(rubbish);
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0001']);
    expect(run.lifecycle.map(({ state }) => state)).toEqual(['SCREENED', 'SCREENED']);
  });

  it('are dead letters when the registry does not know their schema: nobody could ever deploy a reader', async () => {
    const garbage = Buffer.from('\x00garbage', 'latin1');
    const inputs = [
      ...inputsOf(['transfer-0000']),
      { topic: 'transfer.accepted', bytes: garbage },
      ...inputsOf(['transfer-0001']),
    ];
    const run = await runProcessor(clearing(), { inputs, partitions: 1 });
    expect(run.stopped).toBeUndefined();
    expect(run.deadLetters).toMatchObject([{ code: 'UNKNOWN_SCHEMA_ID', class: 'undecodable' }]);
    expect(run.deadLetters[0]!.record.value).toEqual(garbage);
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0001']);
  });

  it('stop the processor when a newer program wrote them, after what came before', async () => {
    const codec = memoryCodec();
    const newer = Buffer.concat([Buffer.from([0, 0, 0, 3, 231]), Buffer.from('…')]);
    codec.newerIds.add(999);
    const inputs = [
      ...inputsOf(['transfer-0000']),
      { topic: 'transfer.accepted', bytes: newer },
      ...inputsOf(['transfer-0001']),
    ];
    const run = await runProcessor(clearing(), { inputs, codec, partitions: 1 });
    expect(run.stopped?.code).toBe('NEWER_SCHEMA');
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000']);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(1);
    expect(run.deadLetters).toEqual([]);
  });
});

describe('a dependency that is down', () => {
  const down = () =>
    new CodedError('MONGO_UNAVAILABLE', 'no primary', { faultClass: 'transient-dependency', dependency: 'mongo' });

  it('pauses the partition, longer each time, and nothing moves aside', async () => {
    let failures = 6;
    const processor = clearing({
      prepare: () => {
        if (failures-- > 0) throw down();
      },
    });
    const run = await runProcessor(processor, inOne(ids(5)));
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(5));
    expect(run.deadLetters).toEqual([]);
    expect(run.retries('5s')).toEqual([]);
    const waited = run.clock.now() - new ManualClock().now();
    expect(waited).toBeGreaterThanOrEqual((200 + 400 + 800 + 1_600 + 3_200 + 6_400) / 2);
    expect(run.health.troubles).toEqual([]);
  });

  it('is named by health for as long as it lasts', async () => {
    const processor = clearing({
      prepare: () => {
        throw down();
      },
    });
    const run = await runProcessor(processor, { ...inOne(ids(5)), maxVirtualMs: 60_000 });
    expect(run.health.troubles).toMatchObject([{ dependency: 'mongo', code: 'MONGO_UNAVAILABLE' }]);
    const paused = run.health.partitions.find(({ topic }) => topic === 'transfer.accepted')!.paused;
    expect(paused?.code).toBe('MONGO_UNAVAILABLE');
    expect(run.log.commits.get('screening')).toBeUndefined();
  });

  it('is named by health when it is the log itself', async () => {
    const log = new MemoryLog({ clock: new ManualClock(), manual: true });
    log.away = { code: 'KAFKA_UNAVAILABLE', detail: 'waiting for the broker' };
    const run = await runProcessor(clearing(), { inputs: [], log });
    expect(run.health.troubles).toMatchObject([{ dependency: 'kafka', code: 'KAFKA_UNAVAILABLE' }]);
  });

  it('is waited for when it is the registry', async () => {
    const codec = memoryCodec();
    const inputs = inputsOf(ids(2));
    let failures = 3;
    const decode = codec.decode.bind(codec);
    codec.decode = (topic, values) => {
      if (failures-- > 0) codec.down = true;
      const result = decode(topic, values);
      codec.down = false;
      return result;
    };
    const run = await runProcessor(clearing(), { inputs, codec, partitions: 1 });
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(2));
    expect(run.deadLetters).toEqual([]);
  });

  it('stops the processor when the fault is fatal', async () => {
    const processor = clearing({
      prepare: () => {
        throw new CodedError('MONGO_UNAUTHORISED', 'wrong password', { faultClass: 'fatal', dependency: 'mongo' });
      },
    });
    const run = await runProcessor(processor, inOne(ids(3)));
    expect(run.stopped?.code).toBe('MONGO_UNAUTHORISED');
    expect(run.log.commits.get('screening')).toBeUndefined();
  });
});

describe('the dead-letter breaker', () => {
  it('stops the processor before a run of dead letters is written', async () => {
    const processor = clearing({
      decide: (received) => {
        if (idOf(received) < 'transfer-0010') return undefined;
        throw new Error('a bug in the last release');
      },
    });
    const run = await runProcessor(processor, inOne(ids(200)));
    expect(run.stopped?.code).toBe('DLQ_BREAKER_OPEN');
    expect(run.deadLetters).toEqual([]);
    expect(run.outputs('transfer.screened')).toHaveLength(10);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(10);
  });

  it('stops it at a ratio, too', async () => {
    const processor = clearing({
      decide: (received) => {
        if (Number(idOf(received).slice(-1)) % 2 === 0) return undefined;
        throw new Error('every second record');
      },
    });
    const run = await runProcessor(processor, { ...inOne(ids(1_000)), maxBatchRecords: 50 });
    expect(run.stopped?.code).toBe('DLQ_BREAKER_OPEN');
    expect(run.deadLetters).toHaveLength(100);
  });
});
