import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { Decision, EmittedTo, Processor, ReceivedFrom } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import type { TransferAccepted } from '../../schemas/types.generated.ts';
import { accepted, evidence, following, reviewDecided } from '../../test/kit/events.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { sourceOf } from '../../topics/cause.ts';

type Screening = Topology['screening'];
type In = ReceivedFrom<Screening['reads']>;
type Out = EmittedTo<Screening['writes']>;

interface Behaviour {
  readonly decide?: (received: In) => Decision<Out> | undefined;
  readonly prepare?: (batch: readonly In[]) => void | Promise<void>;
}

/** Clears everybody, unless a test says otherwise. */
function clearing({ decide, prepare }: Behaviour = {}): Processor<Screening, undefined> {
  return {
    name: 'screening',
    edges: topology.screening,
    async prepare(batch) {
      await prepare?.(batch);
      return batch.map(() => undefined);
    },
    decide: (received) => decide?.(received) ?? cleared(received),
  };
}

function cleared(received: In): Decision<Out> {
  const before: TransferAccepted = received.topic === 'transfer.accepted' ? received.value : received.value.held;
  const { instruction, parties } = before;
  const envelope = following(before.envelope, 'transfer.screened');
  const value = {
    instruction,
    parties,
    envelope: { ...envelope, causationId: received.causationId },
    screening: evidence(),
  };
  return [{ to: 'transfer.screened', value }];
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => `transfer-${String(i).padStart(4, '0')}`);
const inputsOf = (transferIds: readonly string[]) =>
  transferIds.map((transferId) => input('transfer.accepted', accepted({ transferId, partitions: 1 })));
const inOne = (transferIds: readonly string[]) => ({ inputs: inputsOf(transferIds), partitions: 1 });
const idOf = (received: In) =>
  received.topic === 'transfer.accepted' ? received.value.envelope.transferId : received.value.command.transferId;
const sorted = (values: readonly { value: { envelope: { transferId: string } } }[]) =>
  values.map(({ value }) => value.envelope.transferId).sort();

describe('what goes straight through', () => {
  it('comes out once, on its partition, keyed, with headers and a lifecycle record', async () => {
    const origin = {
      headers: { 'origin-position': 'T:1:7', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    };
    const made = accepted({ transferId: 'transfer-0001' });
    const event = { ...made, instruction: { ...made.instruction, originPosition: 'T:1:7' } };
    const run = await runProcessor(clearing(), { inputs: [input('transfer.accepted', event, origin)] });
    const [out, ...others] = run.outputs('transfer.screened');
    expect(others).toEqual([]);
    expect(out!.key).toBe('transfer-0001');
    expect(out!.partition).toBe(event.envelope.homePartition);
    expect(out!.value.envelope.causationId).toBe(event.envelope.eventId);
    expect(out!.headers).toEqual({
      'event-id': out!.value.envelope.eventId,
      'event-type': 'TransferScreened',
      'origin-position': 'T:1:7',
      traceparent: origin.headers.traceparent,
      cause: `${sourceOf('screening', 'transfer.accepted')}:${out!.partition}:0`,
      seal: expect.stringMatching(/^stages\.[\w-]{43}$/),
    });
    expect(run.lifecycle).toMatchObject([
      {
        eventId: out!.value.envelope.eventId,
        state: 'SCREENED',
        stage: 'SCREENING',
        sequence: 2,
        screeningOutcome: 'CLEAR',
      },
    ]);
    expect(run.deadLetters).toEqual([]);
  });

  it('takes the origin and the cause of a command from what it carries', async () => {
    const command = reviewDecided({ transferId: 'transfer-0009' });
    const run = await runProcessor(clearing(), { inputs: [input('review.decided', command)] });
    const [out] = run.outputs('transfer.screened');
    expect(out!.headers['origin-position']).toBe(command.held.instruction.originPosition);
    expect(out!.value.envelope.causationId).toBe(command.command.commandId);
  });

  it('prepares once per batch and keeps the order of each partition', async () => {
    const sizes: number[] = [];
    const processor = clearing({ prepare: (batch) => void sizes.push(batch.length) });
    const run = await runProcessor(processor, { ...inOne(ids(40)), maxBatchRecords: 16 });
    expect(sizes).toEqual([16, 16, 8]);
    expect(run.outputs('transfer.screened').map(({ value }) => value.envelope.transferId)).toEqual(ids(40));
  });
});

describe('a record that breaks the code', () => {
  it('in decide: it alone becomes a dead letter, byte for byte, and its transfer is marked in the same commit', async () => {
    const processor = clearing({
      decide: (received) => {
        if (idOf(received) === 'transfer-0003') throw new TypeError('cannot read Ada Example of undefined');
        return undefined;
      },
    });
    const { inputs } = inOne(ids(6));
    const run = await runProcessor(processor, inOne(ids(6)));
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(6).filter((id) => id !== 'transfer-0003'));
    const [letter, ...others] = run.deadLetters;
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ code: 'UNEXPECTED_ERROR', class: 'poison' });
    expect(letter!.record.value).toEqual(run.codec.encode('transfer.accepted', inputs[3]!.value as TransferAccepted));
    expect(letter!.headers).toMatchObject({
      'source-topic': 'transfer.accepted',
      'source-partition': '0',
      'source-offset': '3',
      'source-group': 'corridor.screening',
      attempts: '1',
      'replay-count': '0',
    });
    expect(JSON.stringify(letter!.headers)).not.toContain('Ada');
    expect(letter!.headers['dlq-error-stack']).toContain('processor-host.test.ts');
    const marks = run.lifecycle.filter(({ state }) => state === 'DEAD_LETTERED');
    expect(marks).toMatchObject([
      { transferId: 'transfer-0003', sequence: 1, stage: 'SCREENING', reasonCodes: ['UNEXPECTED_ERROR'] },
    ]);
    expect(run.log.commits.get('screening')).toBe(1);
  });

  it('in prepare: the batch is halved until the guilty record is alone', async () => {
    const guilty = new Set(['transfer-0005', 'transfer-0011']);
    const sizes: number[] = [];
    const processor = clearing({
      prepare: (batch) => {
        sizes.push(batch.length);
        if (batch.some((received) => guilty.has(idOf(received)))) throw new RangeError('no');
      },
    });
    const run = await runProcessor(processor, inOne(ids(16)));
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(16).filter((id) => !guilty.has(id)));
    expect(run.deadLetters.map(({ headers }) => headers['source-offset'])).toEqual(['5', '11']);
    // Then each of the two is tried alone twice more.
    expect(sizes).toEqual([16, 8, 4, 4, 2, 1, 1, 2, 8, 4, 2, 2, 1, 1, 4, 1, 1, 1, 1]);
    expect(run.log.commits.get('screening')).toBe(1);
  });

  it('by emitting what its schema refuses', async () => {
    const processor = clearing({
      decide: (received) => [{ ...(cleared(received) as Out[])[0]!, value: { envelope: {} } } as never],
    });
    const run = await runProcessor(processor, inOne(ids(1)));
    expect(run.deadLetters).toMatchObject([{ code: 'TRANSFER_MISMATCH' }]);
  });

  it('by emitting to a topic that it does not declare', async () => {
    const processor = clearing({ decide: () => [{ to: 'transfer.completed', value: {} } as never] });
    const run = await runProcessor(processor, inOne(ids(1)));
    expect(run.deadLetters).toMatchObject([{ code: 'ROUTE_NOT_DECLARED', class: 'poison' }]);
    expect(run.outputs('transfer.completed')).toEqual([]);
  });

  it('by standing on another partition than its home', async () => {
    const misplaced = input('transfer.accepted', accepted({ transferId: 'transfer-0001' }), { partition: 0 });
    expect(accepted({ transferId: 'transfer-0001' }).envelope.homePartition).not.toBe(0);
    const prepared: In[] = [];
    const run = await runProcessor(clearing({ prepare: (batch) => void prepared.push(...batch) }), {
      inputs: [misplaced],
    });
    expect(prepared).toEqual([]);
    expect(run.deadLetters).toMatchObject([{ code: 'HOME_PARTITION_MISMATCH', class: 'poison' }]);
    expect(run.outputs('transfer.screened')).toEqual([]);
  });
});

describe('a record whose outputs the broker refuses', () => {
  it('is found by trying smaller parts of the batch, and becomes a dead letter; its neighbours go through', async () => {
    const guilty = new Set(['transfer-0003', 'transfer-0012']);
    const clock = new ManualClock();
    const log = new MemoryLog({
      partitions: 1,
      clock,
      manual: true,
      refuses: ({ topic, key }) =>
        topic === 'transfer.screened' && guilty.has(String(key)) ? 'RECORD_TOO_LARGE' : undefined,
    });
    const run = await runProcessor(clearing(), { ...inOne(ids(16)), clock, log });
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(16).filter((id) => !guilty.has(id)));
    expect(run.deadLetters.map(({ code, class: kind, record }) => `${code} ${kind} ${record.key}`)).toEqual([
      'RECORD_TOO_LARGE poison transfer-0003',
      'RECORD_TOO_LARGE poison transfer-0012',
    ]);
  });
});

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

describe('dispositions of one record', () => {
  const cause = { code: 'RATE_MISSING', detail: 'not there' } as const;

  it('retry: through both tiers by time, then dead letter, with origin and append time kept', async () => {
    const seen: { at: number; appendedAt: number; origin: string }[] = [];
    const clock = new ManualClock();
    const processor = clearing({
      decide: (received) => {
        if (idOf(received) !== 'transfer-0001') return undefined;
        seen.push({ at: clock.now(), appendedAt: received.appendedAt, origin: received.originPosition });
        return { kind: 'retry', cause };
      },
    });
    const startedAt = clock.now();
    const run = await runProcessor(processor, { ...inOne(ids(3)), clock, retry: [2, 2] });
    expect(seen.map(({ at }) => at - startedAt)).toEqual([0, 5_000, 10_000, 70_000, 130_000]);
    expect(new Set(seen.map(({ appendedAt }) => appendedAt))).toEqual(new Set([startedAt]));
    expect(new Set(seen.map(({ origin }) => origin)).size).toBe(1);
    expect([run.retries('5s').length, run.retries('60s').length]).toEqual([2, 2]);
    expect(run.deadLetters).toMatchObject([
      { code: 'RATE_MISSING', class: 'exhausted', headers: { attempts: '5', 'first-failed-at': String(startedAt) } },
    ]);
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0002']);
  });

  it('retry: headers do not grow from one attempt to the next', async () => {
    const processor = clearing({ decide: () => ({ kind: 'retry', cause }) });
    const run = await runProcessor(processor, { ...inOne(ids(1)), retry: [3, 3] });
    const sizes = [...run.retries('5s'), ...run.retries('60s')].map((record) => Object.keys(record.headers).length);
    expect(new Set(sizes).size).toBe(1);
  });

  it('wait: comes back until it is answered, and uses up no attempt', async () => {
    const clock = new ManualClock();
    const openAt = clock.now() + 300_000;
    const attempts: number[] = [];
    const processor = clearing({
      decide: () => {
        attempts.push(clock.now());
        return clock.now() < openAt ? { kind: 'wait', untilMs: openAt, cause } : undefined;
      },
    });
    const run = await runProcessor(processor, { ...inOne(ids(1)), clock, retry: [1, 1] });
    expect(attempts.length).toBeGreaterThan(3);
    expect(run.outputs('transfer.screened')).toHaveLength(1);
    expect(run.deadLetters).toEqual([]);
    expect(
      [...run.retries('60s'), ...run.retries('5s')].every(({ headers }) => String(headers['attempts']) === '0'),
    ).toBe(true);
  });

  it('wait: no longer than asked for', async () => {
    const clock = new ManualClock();
    const startedAt = clock.now();
    const seen: number[] = [];
    const processor = clearing({
      decide: () => {
        seen.push(clock.now() - startedAt);
        return seen.length === 1 ? { kind: 'wait', untilMs: startedAt + 1_500, cause } : undefined;
      },
    });
    await runProcessor(processor, { ...inOne(ids(1)), clock });
    expect(seen).toEqual([0, 1_500]);
  });

  it('dead-letter: as the stage says', async () => {
    const processor = clearing({ decide: () => ({ kind: 'dead-letter', cause }) });
    const run = await runProcessor(processor, inOne(ids(2)));
    expect(run.deadLetters).toMatchObject([
      { code: 'RATE_MISSING', class: 'refused' },
      { code: 'RATE_MISSING', class: 'refused' },
    ]);
  });

  it('stop: what came before is committed, the record is not passed', async () => {
    const processor = clearing({
      decide: (received) => (idOf(received) === 'transfer-0002' ? { kind: 'stop', cause } : undefined),
    });
    const run = await runProcessor(processor, inOne(ids(4)));
    expect(run.stopped?.code).toBe('RATE_MISSING');
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0001']);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(2);
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

describe('replays', () => {
  it('are decoded by the contract that they came from, and keep origin and time', async () => {
    const failing = clearing({ decide: () => ({ kind: 'dead-letter', cause: { code: 'ID_CONFLICT', detail: 'x' } }) });
    const first = await runProcessor(failing, inOne(ids(1)));
    const [letter] = first.deadLetters;
    const { headers, record } = letter!;
    const replay = {
      topic: 'screening.replay',
      bytes: record.value,
      key: record.key!.toString(),
      partition: 0,
      headers: { ...headers, 'replay-count': '1', 'replay-id': 'r-1', attempts: '0' },
    };
    const seen: In[] = [];
    const run = await runProcessor(clearing({ decide: (received) => void seen.push(received) as undefined }), {
      inputs: [replay],
      partitions: 1,
    });
    expect(run.outputs('transfer.screened')).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      topic: 'transfer.accepted',
      originPosition: headers['origin-position'],
      appendedAt: Number(headers['source-timestamp']),
    });

    const again = await runProcessor(failing, { inputs: [replay], partitions: 1 });
    expect(again.deadLetters[0]!.headers).toMatchObject({ 'replay-count': '1', 'replay-id': 'r-1' });
    expect(again.deadLetters[0]!.headers['dlq-id']).not.toBe(headers['dlq-id']);
  });

  it('that do not say where they come from are dead letters', async () => {
    const run = await runProcessor(clearing(), { inputs: [{ topic: 'screening.replay', bytes: Buffer.from('x') }] });
    expect(run.deadLetters).toMatchObject([{ code: 'SOURCE_UNKNOWN', class: 'undecodable' }]);
  });

  it('of a topic that the processor does not read are dead letters', async () => {
    const foreign = {
      topic: 'screening.replay',
      bytes: Buffer.from('x'),
      headers: {
        'source-topic': 'payout.requested',
        'source-partition': '0',
        'source-offset': '1',
        'source-timestamp': '1',
      },
    };
    const run = await runProcessor(clearing(), { inputs: [foreign] });
    expect(run.deadLetters).toMatchObject([{ code: 'SOURCE_UNKNOWN' }]);
  });
});

describe('crashes', () => {
  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    '%s: each input comes out once',
    async (point) => {
      let crashes = 3;
      const run = await runProcessor(clearing(), {
        inputs: ids(60).map((transferId) => input('transfer.accepted', accepted({ transferId }))),
        maxBatchRecords: 7,
        crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined),
      });
      expect(run.crashes).toBe(3);
      expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(60));
      expect(run.lifecycle).toHaveLength(60);
    },
  );
});
