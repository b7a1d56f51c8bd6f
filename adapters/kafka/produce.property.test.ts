import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutputRecord } from '../../ports/log.ts';
import { ProducerIdentity, roundsOf } from './produce.ts';

const records = fc.array(
  fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.nat(2), size: fc.nat(300) }).map(
    ({ topic, partition, size }): OutputRecord => ({
      topic,
      partition,
      key: null,
      value: Buffer.alloc(size),
      headers: {},
    }),
  ),
  { maxLength: 200 },
);
const limits = fc.record({
  maxSendRecords: fc.integer({ min: 1, max: 20 }),
  maxSendBytes: fc.integer({ min: 1, max: 2_000 }),
});
const placeOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

describe('rounds', () => {
  test('hold every record once, in order per partition, one chunk a partition, within the limits', () => {
    fc.assert(
      fc.property(records, limits, (given, limit) => {
        const rounds = roundsOf(given, limit);
        const sent = new Map<string, OutputRecord[]>();
        for (const round of rounds) {
          expect(new Set(round.map(placeOf)).size).toBe(round.length);
          for (const chunk of round) {
            const bytes = chunk.messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
            expect(chunk.messages.length).toBeLessThanOrEqual(limit.maxSendRecords);
            expect(chunk.messages.length === 1 || bytes <= limit.maxSendBytes).toBe(true);
            const key = placeOf(chunk);
            sent.set(key, [...(sent.get(key) ?? []), ...(chunk.messages as OutputRecord[])]);
          }
        }
        const wanted = Map.groupBy(given, placeOf);
        expect(sent.size).toBe(wanted.size);
        for (const [key, list] of wanted) expect(sent.get(key)).toEqual(list);
      }),
    );
  });
});

describe('a chunk', () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
  const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
  const worded = fc.array(
    fc.record({
      topic: fc.constantFrom('a', 'b'),
      partition: fc.nat(1),
      key: fc.oneof(text, bytes, fc.constant(null)),
      value: fc.oneof(bytes, fc.constant(null)),
      headers: fc.dictionary(fc.constantFrom('event-id', 'cause', 'seal'), fc.oneof(text, bytes)),
    }),
    { maxLength: 60 },
  );
  const sizeOf = (value: Buffer | string | null) => (value === null ? 0 : Buffer.byteLength(value));
  const exact = ({ key, value, headers }: OutputRecord) =>
    Object.entries(headers).reduce(
      (sum, [name, each]) => sum + 4 + name.length + sizeOf(each),
      24 + sizeOf(key) + sizeOf(value),
    );

  test('takes as many records as its bytes allow, counted exactly', () => {
    fc.assert(
      fc.property(worded, limits, (given, limit) => {
        const inOrder = new Map<string, OutputRecord[][]>();
        for (const round of roundsOf(given, limit)) {
          for (const chunk of round) {
            const chunks = inOrder.get(placeOf(chunk)) ?? [];
            chunks.push(chunk.messages as OutputRecord[]);
            inOrder.set(placeOf(chunk), chunks);
          }
        }
        for (const chunks of inOrder.values()) {
          chunks.forEach((chunk, place) => {
            const bytes = chunk.reduce((sum, record) => sum + exact(record), 0);
            expect(chunk.length === 1 || bytes <= limit.maxSendBytes).toBe(true);
            const next = chunks[place + 1]?.[0];
            if (next === undefined || chunk.length === limit.maxSendRecords) return;
            expect(bytes + exact(next)).toBeGreaterThan(limit.maxSendBytes);
          });
        }
      }),
    );
  });
});

describe('sequences', () => {
  test('begin at 0, count records per partition and begin again after 2^31 - 1', () => {
    const identity = new ProducerIdentity('7', 0);
    const chunk = (partition: number, length: number) => ({ topic: 't', partition, messages: { length } as never });
    expect(identity.sequence(chunk(0, 3))).toBe(0);
    identity.advance(chunk(0, 3));
    identity.advance(chunk(1, 1));
    expect([identity.sequence(chunk(0, 1)), identity.sequence(chunk(1, 1))]).toEqual([3, 1]);
    identity.advance(chunk(0, 2 ** 31 - 4));
    expect(identity.sequence(chunk(0, 1))).toBe(2 ** 31 - 1);
    identity.advance(chunk(0, 2));
    expect(identity.sequence(chunk(0, 1))).toBe(1);
  });
});
