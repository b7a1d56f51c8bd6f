// What stands on a topic and was not made by its issuer changes nothing, whatever it says and wherever it came from.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyRing } from '../domain/seals/seal.ts';
import type { AnyProcessor, Edges } from '../processors/contract.ts';
import { topology } from '../processors/topology.ts';
import { accepted, evidence, following } from '../test/kit/events.ts';
import { type Input, runProcessor } from '../test/kit/harness.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { asIssued, testRings } from '../test/kit/rings.ts';
import { contracts } from '../topics/catalogue.ts';
import { HEADER, RECOVERY_HEADER } from '../topics/headers.ts';
import type { LogRecord, OutputRecord } from './log.ts';
import { type Rings, recoverySealFlaw, ringOf, sealed, sealedRecovery, sealFlaw } from './seals.ts';

const SEALED = Object.values(contracts).filter(({ sealedBy }) => sealedBy !== null);
const STRANGER = keyRing('stages:the-key-of-somebody-else-entirely-0000000');
const record: OutputRecord = {
  topic: 'transfer.priced',
  partition: 0,
  key: 'transfer-1',
  value: Buffer.from('v'),
  headers: {},
};

function asRead(output: OutputRecord, change: Partial<LogRecord> = {}): LogRecord {
  const headers = Object.entries(output.headers).map(([name, text]) => [name, Buffer.from(text)]);
  const { topic, partition, value } = output;
  const key = output.key === null ? null : Buffer.from(output.key);
  return { topic, partition, offset: 0, timestamp: 0, key, value, headers: Object.fromEntries(headers), ...change };
}

describe('the seal of a detour', () => {
  const recoveryTopic = (topic: string): LogRecord =>
    asRead({
      topic,
      partition: 0,
      key: 'transfer-1',
      value: Buffer.from('value'),
      headers: {
        'event-id': 'e-1',
        'source-topic': 'payout.requested',
        'source-topic-id': 't',
        'source-partition': '0',
        'source-offset': '7',
        attempts: '1',
        'dlq-id': 'd-1',
        'replay-count': '1',
        'replay-id': 'r-1',
        'detour-cause': 'AAAAAAAAAAAA:0:7',
      },
    });
  const under = (record: LogRecord, seal: string): LogRecord => ({
    ...record,
    headers: { ...record.headers, 'detour-seal': Buffer.from(seal) },
  });

  // Made before there was a header `dlq-position`. Whoever changes what is sealed makes every record on its way a forgery.
  it.each([
    ['payout-executor.retry.5s', 'stages.vRrp32_ZWLm1TIw7h5G_3i_q4IjI-eNQc5oqBiIvfXg'],
    ['payout-executor.replay', 'operators.J0XYjlne_Ww-bulsB-OvpF32-411c1wQYbkvnZ2YGJ4'],
  ])('on %s holds that an earlier version made', (topic, seal) => {
    const record = under(recoveryTopic(topic), seal);
    expect(recoverySealFlaw(testRings, record)).toBeUndefined();
    const added = { ...record, headers: { ...record.headers, 'dlq-position': Buffer.from('t:0:9') } };
    expect(recoverySealFlaw(testRings, added)).toBe('SEAL_WRONG');
  });

  it('covers every header that its reader goes by', () => {
    const names = Object.values(RECOVERY_HEADER).filter((name) => name !== RECOVERY_HEADER.recoverySeal);
    for (const name of names) {
      const output = { topic: 'intake.retry.5s', partition: 0, key: 'k', value: null, headers: { [name]: 'one' } };
      const good = asRead(sealedRecovery(testRings, output));
      expect({ name, flaw: recoverySealFlaw(testRings, good) }).toEqual({ name, flaw: undefined });
      const other = { ...good, headers: { ...good.headers, [name]: Buffer.from('two') } };
      expect({ name, flaw: recoverySealFlaw(testRings, other) }).toEqual({ name, flaw: 'SEAL_WRONG' });
    }
  });
});

describe('the contracts', () => {
  it('name an issuer for all that somebody acts on, or is told: all but intents and the log of the audit itself', () => {
    for (const { name, kind, sealedBy } of Object.values(contracts)) {
      const isSealed = kind !== 'intent' && name !== 'audit.log' && name !== 'audit.checkpoints';
      expect({ name, isSealed: sealedBy !== null }).toEqual({ name, isSealed });
    }
  });
});

describe('the seal of a record', () => {
  it.each(SEALED.map(({ name }) => name))(
    "%s: is its issuer's alone, and over topic, key, cause and value",
    (topic) => {
      const good = asRead(sealed(testRings, { ...record, topic }, 'cause'));
      expect(sealFlaw(testRings, topic, good)).toBeUndefined();
      expect(sealFlaw(testRings, topic, asRead({ ...record, topic }))).toBe('SEAL_MISSING');
      expect(sealFlaw(testRings, topic, { ...good, key: Buffer.from('transfer-2') })).toBe('SEAL_WRONG');
      expect(sealFlaw(testRings, topic, { ...good, value: Buffer.from('w') })).toBe('SEAL_WRONG');
      expect(sealFlaw(testRings, topic, { ...good, value: null })).toBe('SEAL_WRONG');
      const headers = { ...good.headers, [HEADER.cause]: Buffer.from('another') };
      expect(sealFlaw(testRings, topic, { ...good, headers })).toBe('SEAL_WRONG');
      for (const other of SEALED.filter(({ name }) => name !== topic)) {
        expect(sealFlaw(testRings, other.name, good)).toMatch(/^SEAL_/);
      }
      for (const issuer of Object.keys(testRings) as (keyof typeof testRings)[]) {
        const pretended: Rings = {
          stages: testRings[issuer],
          operators: testRings[issuer],
          executor: testRings[issuer],
          feeds: testRings[issuer],
          audit: testRings[issuer],
          lifecycle: testRings[issuer],
        };
        const flaw = sealFlaw(testRings, topic, asRead(sealed(pretended, { ...record, topic })));
        expect(flaw).toBe(
          SEALED.find(({ name }) => name === topic)!.sealedBy === issuer ? undefined : 'SEAL_KEY_UNKNOWN',
        );
      }
    },
  );

  it('may be missing on what the broker took before there were seals of its issuer; a wrong one is never believed', () => {
    const old = { ...record, topic: 'transfer.lifecycle' };
    const rings = { ...testRings, lifecycle: { ...testRings.lifecycle, unsealedBefore: 1_000 } };
    expect(sealFlaw(rings, old.topic, asRead(old, { timestamp: 999 }))).toBeUndefined();
    expect(sealFlaw(rings, old.topic, asRead(old, { timestamp: 1_000 }))).toBe('SEAL_MISSING');
    const wrong = sealed({ lifecycle: STRANGER }, old);
    expect(sealFlaw(rings, old.topic, asRead(wrong, { timestamp: 999 }))).toBe('SEAL_KEY_UNKNOWN');
    expect(sealFlaw(rings, record.topic, asRead(record, { timestamp: 999 }))).toBe('SEAL_MISSING');
  });

  it('of a key with the right id and another secret is wrong', () => {
    expect(sealFlaw(testRings, record.topic, asRead(sealed({ stages: STRANGER }, record)))).toBe('SEAL_WRONG');
  });

  it('is accepted under every key of the ring, so that keys can be replaced', () => {
    const [old, fresh] = [
      'old:an-old-key-that-was-in-use-until-today-00',
      'new:a-new-key-that-is-in-use-since-today-000',
    ];
    const before = asRead(sealed({ stages: keyRing(old) }, record));
    const after = asRead(sealed({ stages: keyRing(`${fresh},${old}`) }, record));
    expect(sealFlaw({ stages: keyRing(`${fresh},${old}`) }, record.topic, before)).toBeUndefined();
    expect(sealFlaw({ stages: keyRing(`${old},${fresh}`) }, record.topic, after)).toBeUndefined();
    expect(sealFlaw({ stages: keyRing(fresh) }, record.topic, before)).toBe('SEAL_KEY_UNKNOWN');
  });

  it('is never found in anything that is none, and no header throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 60 }), (seal, cause) => {
        const headers = { [HEADER.seal]: Buffer.from(seal), [HEADER.cause]: Buffer.from(cause) };
        expect(sealFlaw(testRings, record.topic, asRead(record, { headers }))).toMatch(/^SEAL_/);
      }),
    );
  });

  it('cannot be made without keys: the missing variable is named', () => {
    expect(() => ringOf({}, 'executor')).toThrow(/^CORRIDOR_EXECUTOR_KEYS is not set/);
  });
});

/** Takes everything that it is given, whatever it is. */
function taking(name: keyof typeof topology) {
  const taken: string[] = [];
  const processor = {
    name,
    edges: topology[name],
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: (received: { topic: string }) => {
      taken.push(received.topic);
      return [];
    },
  } as unknown as AnyProcessor;
  return { processor, taken };
}

const READS = (Object.entries(topology) as [keyof typeof topology, Edges][]).flatMap(([name, { reads }]) =>
  reads.filter(({ sealedBy }) => sealedBy !== null).map(({ name: topic }) => [name, topic] as const),
);

describe('a forged record', () => {
  const forged = (topic: string): Input[] => {
    const bytes = Buffer.from(`forged for ${topic}`);
    const strangers = sealed(
      { stages: STRANGER, operators: STRANGER, executor: STRANGER, feeds: STRANGER },
      { ...record, topic, value: bytes },
    );
    const elsewhere = asIssued({ ...record, topic: SEALED.find(({ name }) => name !== topic)!.name, value: bytes });
    const base = { topic, bytes, key: record.key as string, partition: 0, unsealed: true } as const;
    return [
      base,
      { ...base, headers: strangers.headers as Record<string, string> },
      { ...base, headers: elsewhere.headers as Record<string, string> },
    ];
  };

  it.each(READS)('%s: on %s is one dead letter, decoded by nobody, that marks no transfer', async (name, topic) => {
    const codec = memoryCodec();
    const { processor, taken } = taking(name);
    const run = await runProcessor(processor, { inputs: forged(topic), codec, partitions: 1 });
    expect(taken).toEqual([]);
    expect(run.deadLetters.map(({ code, class: kind }) => `${kind} ${code.replace('KEY_UNKNOWN', 'WRONG')}`)).toEqual([
      'unproven SEAL_MISSING',
      'unproven SEAL_WRONG',
      'unproven SEAL_WRONG',
    ]);
    expect(run.lifecycle).toEqual([]);
    expect(run.stopped).toBeUndefined();
  });

  it.each(READS)('%s: on its retries and replays, as one of %s, is a dead letter too', async (name, topic) => {
    const { processor, taken } = taking(name);
    const headers = {
      [RECOVERY_HEADER.sourceTopic]: topic,
      [RECOVERY_HEADER.sourcePartition]: '0',
      [RECOVERY_HEADER.sourceOffset]: '0',
      [RECOVERY_HEADER.sourceTimestamp]: '0',
    };
    const inputs = [`${name}.retry.5s`, `${name}.retry.60s`, `${name}.replay`].flatMap((recoveryTopic) =>
      forged(topic).map((input) => ({ ...input, topic: recoveryTopic, headers: { ...input.headers, ...headers } })),
    );
    const run = await runProcessor(processor, { inputs, partitions: 1 });
    expect(taken).toEqual([]);
    expect(run.deadLetters.map((letter) => letter.class)).toEqual(inputs.map(() => 'unproven'));
    expect(run.stopped).toBeUndefined();
  });

  it('stops nobody: among them, what was sealed goes through', async () => {
    const { processor, taken } = taking('screening');
    const good = Array.from(
      { length: 200 },
      (_, i): Input => ({
        topic: 'transfer.accepted',
        value: accepted({ transferId: `transfer-${String(i).padStart(4, '0')}`, partitions: 1 }),
      }),
    );
    const inputs = good.flatMap((input) => [input, ...forged('transfer.accepted')]);
    const run = await runProcessor(processor, { inputs, partitions: 1 });
    expect(taken).toHaveLength(200);
    expect(run.deadLetters).toHaveLength(600);
    expect(run.stopped).toBeUndefined();
  });
});

describe('a true record on a retry topic', () => {
  const value = accepted({ transferId: 'transfer-0001', partitions: 1 });
  const screening = {
    name: 'screening',
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value: { envelope, instruction, parties } }: { value: typeof value }) => [
      {
        to: 'transfer.screened',
        value: { envelope: following(envelope, 'transfer.screened'), instruction, parties, screening: evidence() },
      },
    ],
  } as unknown as AnyProcessor;

  it('that its stage did not put there is a dead letter: its seal proves who made it, not where it belongs', async () => {
    const made = asIssued({
      ...record,
      topic: 'transfer.accepted',
      key: 'transfer-0001',
      value: memoryCodec().encode('transfer.accepted', value),
    });
    const headers = {
      ...(made.headers as Record<string, string>),
      [RECOVERY_HEADER.sourceTopic]: 'transfer.accepted',
      [RECOVERY_HEADER.sourcePartition]: '0',
      [RECOVERY_HEADER.sourceOffset]: '12345',
      [RECOVERY_HEADER.sourceTimestamp]: '1',
    };
    const copied: Input = {
      topic: 'screening.retry.5s',
      bytes: made.value,
      key: 'transfer-0001',
      partition: 0,
      headers,
      unsealed: true,
    };
    const run = await runProcessor(screening, { inputs: [copied], partitions: 1 });
    expect(run.outputs('transfer.screened')).toEqual([]);
    expect(run.deadLetters).toMatchObject([{ code: 'SEAL_MISSING', class: 'unproven' }]);
  });
});
