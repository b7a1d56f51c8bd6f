// What becomes of ids that a registry does not know, by the state of the registry.
import type { Type } from 'avsc';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordType } from '../../schemas/avro-types.ts';
import { selfContained } from '../../schemas/load.ts';
import type { Answer } from './call.ts';
import { CONFIRM_UNKNOWN_MS, createWriterSchemas, type WrittenTopic } from './writer-schemas.ts';

const OWN = 7;
const schemaOf = (record: string) => ({ status: 200, body: { schema: JSON.stringify(selfContained(record)) } });

let now: number;
let asked: number[];
let ownAnswer: { status: number; body: unknown };
let onSleep: () => void;
let schemas: Map<number, Type | 'not-avro'>;
const writers = createWriterSchemas({
  find: async (id) => {
    asked.push(id);
    return schemas.get(id);
  },
  call: async () => ownAnswer as Answer,
  now: () => now,
  sleep: async (ms) => {
    now += ms;
    onSleep();
  },
});
const topicOf = (external: boolean): WrittenTopic => ({
  id: OWN,
  type: recordType('FxRate'),
  external,
  readable: new Map(),
  refused: new Map(),
  missedSince: new Map(),
});
const codes = async (topic: WrittenTopic, ...ids: number[]) =>
  [...(await writers.of(topic, new Set(ids))).values()].map((writer) =>
    'refuse' in writer ? writer.refuse.code : 'reads',
  );
const incomplete = { code: 'REGISTRY_INCOMPLETE', faultClass: 'transient-dependency', dependency: 'registry' };

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  onSleep = () => undefined;
  schemas = new Map();
  ownAnswer = schemaOf('corridor.FxRate');
});

describe('an id that the registry does not know', () => {
  it('is the record alone on an intent, at once', async () => {
    expect(await codes(topicOf(true), 99)).toEqual(['UNKNOWN_SCHEMA_ID']);
  });

  it('is the record alone on a topic of our own, once it has stayed unknown', async () => {
    const before = now;
    expect(await codes(topicOf(false), 99, 100)).toEqual(['UNKNOWN_SCHEMA_ID', 'UNKNOWN_SCHEMA_ID']);
    expect(now - before).toBe(CONFIRM_UNKNOWN_MS);
    expect(asked).toEqual([99, 100, 99, 100]);
  });

  it('is read when the registry lagged, and knows it when asked again', async () => {
    onSleep = () => schemas.set(99, recordType('FxRate'));
    expect(await codes(topicOf(false), 99)).toEqual(['NEWER_SCHEMA']);
  });

  it('is never the record when the registry turns out to be incomplete meanwhile', async () => {
    onSleep = () => {
      ownAnswer = { status: 404, body: {} };
    };
    await expect(codes(topicOf(false), 99)).rejects.toMatchObject(incomplete);
  });

  it.each([
    ['was restored empty, or is loading', { status: 404, body: {} }],
    ['gives our id to another schema', schemaOf('corridor.TransferPriced')],
    ['answers rubbish', { status: 200, body: 'hello' }],
  ])('is never the record when the registry %s', async (_, answer) => {
    ownAnswer = answer;
    for (const external of [true, false]) {
      const topic = topicOf(external);
      for (let hour = 0; hour < 3; hour++, now += 3_600_000) {
        await expect(codes(topic, 99)).rejects.toMatchObject(incomplete);
      }
    }
  });

  it('costs one request in ten seconds, however often it comes', async () => {
    const topic = topicOf(true);
    for (let second = 0; second < 30; second++, now += 1_000) await codes(topic, 99, 99, 99);
    expect(asked).toEqual([99, 99, 99]);
  });

  it('is not asked for when it can be none, and a flood of others is forgotten again', async () => {
    const topic = topicOf(true);
    expect(await codes(topic, 0, -5)).toEqual(['UNKNOWN_SCHEMA_ID', 'UNKNOWN_SCHEMA_ID']);
    expect(asked).toEqual([]);
    const flood = Array.from({ length: 5_000 }, (_, n) => 1_000 + n);
    expect((await codes(topic, ...flood)).length).toBe(5_000);
    expect(topic.refused.size).toBeLessThanOrEqual(2_001);
  });
});

describe('an id that the registry knows', () => {
  it('stops a topic of our own when it is a newer schema of its record', async () => {
    schemas.set(99, recordType('FxRate'));
    expect(await codes(topicOf(false), 99)).toEqual(['NEWER_SCHEMA']);
  });

  it('is the record alone when it is a schema of another record, or no Avro', async () => {
    schemas.set(98, recordType('TransferPriced')).set(99, 'not-avro');
    expect(await codes(topicOf(false), 98, 99)).toEqual(['FOREIGN_SCHEMA', 'FOREIGN_SCHEMA']);
    expect(await codes(topicOf(true), 98, 99)).toEqual(['UNRESOLVABLE_SCHEMA', 'FOREIGN_SCHEMA']);
  });
});
