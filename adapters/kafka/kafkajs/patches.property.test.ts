// Every replaced piece of kafkajs gives what the shipped one gives, on random input.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { times } from '../../../test/kit/times.ts';
import { crc32c, install as installCrc32c } from './crc32c.ts';
import { decodeBatches, decodeFetchResponse } from './fetch-response.ts';
import { frame } from './framing.ts';
import {
  COMPRESSION,
  Encoder,
  type FetchedMessage,
  type FetchResponse,
  type ProduceRequest,
  type ProduceResponse,
  type WireEncoder,
  type WireRequest,
} from './internals.ts';
import { encodeProduceRequest } from './produce-request.ts';
import { requestDefinition } from './requests.ts';
import { Cursor, varintSize, writeVarint } from './varint.ts';
import { install as installZstd } from './zstd.ts';

const require = createRequire(import.meta.url);
const shippedCrc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
const shippedFrame = require('kafkajs/src/protocol/request') as (input: object) => Promise<{ buffer: Buffer }>;
const shippedDecode = (
  require('kafkajs/src/protocol/requests/fetch/v11/response') as {
    decode(raw: Buffer): Promise<FetchResponse>;
  }
).decode;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(options: object): Promise<WireEncoder>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => WireEncoder;

vi.setConfig({ testTimeout: 120_000 }); // thousands of cases, on a machine that others use too

let takeBack: (() => void)[] = [];
beforeAll(() => {
  takeBack = [installZstd(), installCrc32c()];
});
afterAll(() => {
  for (const undo of takeBack) undo();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_764_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const bytes = (most: number) => fc.uint8Array({ maxLength: most }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'binary', maxLength: 40 });
// The shipped decoder mixes headers that are named like members of every object up with those members.
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((value) => !(value in {}));
const headers = fc.dictionary(name, fc.oneof(text, bytes(200), fc.array(fc.oneof(text, bytes(9)), { maxLength: 3 })), {
  maxKeys: 5,
  noNullPrototype: true,
});
const message = fc.record({
  key: fc.option(fc.oneof(text, bytes(300))),
  value: fc.option(fc.oneof(text, bytes(9_000))),
  headers,
});
const compression = fc.constantFrom(...Object.values(COMPRESSION));
const int31 = fc.nat();

describe('produce request', () => {
  const partition = fc.record({
    partition: fc.nat(1_000),
    firstSequence: int31,
    messages: fc.array(message, { minLength: 1, maxLength: 70 }),
  });
  const request = fc.record({
    acks: fc.constantFrom(-1, 1),
    timeout: fc.nat(60_000),
    compression,
    transactionalId: fc.option(text, { nil: undefined }),
    producerId: fc.bigInt(-1n, 2n ** 62n).map(String),
    producerEpoch: fc.nat(32_767),
    topicData: fc.array(fc.record({ topic: name, partitions: fc.array(partition, { minLength: 1, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  });

  test('is the same bytes', async () => {
    const shipped = requestDefinition<ProduceRequest, ProduceResponse>('Produce').protocol({ version: 7 });
    await fc.assert(
      fc.asyncProperty(request, async (options) => {
        const ours = await encodeProduceRequest(options);
        const theirs = await shipped(options).request.encode();
        expect(ours.buffer.equals(theirs.buffer)).toBe(true);
        expect(ours.size()).toBe(theirs.size());
      }),
      { numRuns: times(300) },
    );
  });
});

describe('framing', () => {
  test('is the same bytes', async () => {
    const body = fc.oneof(
      bytes(2_000).map((content) => new Encoder().writeBuffer(content)),
      fc.array(message, { minLength: 1, maxLength: 5 }).map((messages) => ({ messages })),
    );
    await fc.assert(
      fc.asyncProperty(body, int31, fc.nat(50), text, async (given, correlationId, api, clientId) => {
        const encoded =
          'messages' in given
            ? await encodeProduceRequest({
                acks: -1,
                timeout: 1,
                compression: 0,
                transactionalId: null,
                producerId: '1',
                producerEpoch: 0,
                topicData: [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: given.messages }] }],
              })
            : given;
        const request: WireRequest = { apiKey: api, apiVersion: 7, apiName: 'Any', encode: async () => encoded };
        const theirs = await shippedFrame({ correlationId, clientId, request });
        expect(frame(request, encoded, correlationId, clientId).equals(theirs.buffer)).toBe(true);
      }),
    );
  });
});

describe('crc32c', () => {
  test('is the same number', () => {
    fc.assert(fc.property(bytes(5_000), (content) => crc32c(content) === shippedCrc32c(content)));
  });
});

describe('variable-length integers', () => {
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  test('come back as they were written, in the size announced', () => {
    fc.assert(
      fc.property(int32, (value) => {
        const target = Buffer.alloc(5);
        const size = writeVarint(target, value, 0);
        expect(size).toBe(varintSize(value));
        expect(new Cursor(target).varint()).toBe(value);
      }),
    );
  });

  test('of 64 bits are read as kafkajs writes them', () => {
    const encoder = (value: number) =>
      (new Encoder() as WireEncoder & { writeVarLong(n: number): WireEncoder }).writeVarLong(value);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const half = Math.trunc(value / 2) + 0; // zigzag doubles it; half of -1 would be -0
        expect(new Cursor(encoder(half).buffer).varlong()).toBe(half);
      }),
    );
  });
});

describe('fetch response', () => {
  interface Batch {
    readonly firstOffset: number;
    readonly attributes: number;
    readonly codec: number;
    readonly producerId: number;
    readonly gap: number;
    readonly firstTimestamp: number;
    readonly messages: readonly { key: Buffer | null; value: Buffer | null; headers: object; delta: number }[];
  }
  const record = fc.record({
    key: fc.option(bytes(50)),
    value: fc.option(bytes(500)),
    headers: fc.dictionary(name, bytes(20), { maxKeys: 4, noNullPrototype: true }),
    delta: fc.integer({ min: -100_000, max: 10_000_000_000 }),
  });
  const batch = fc.record({
    firstOffset: fc.nat(2 ** 40),
    attributes: fc.constantFrom(0, 0x08, 0x10, 0x30, 0x18),
    codec: compression,
    producerId: fc.integer({ min: -1, max: 2 ** 40 }),
    gap: fc.nat(3),
    firstTimestamp: fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
    messages: fc.array(record, { minLength: 1, maxLength: 20 }),
  });

  /** A batch as a broker would give it: with offsets, flags and a checksum to match. */
  async function encodeBatch(given: Batch): Promise<Buffer> {
    const { firstOffset, attributes, codec, producerId, gap, firstTimestamp, messages } = given;
    const encoded = await RecordBatch({
      compression: codec,
      firstOffset,
      firstTimestamp,
      maxTimestamp: firstTimestamp + 77,
      producerId,
      lastOffsetDelta: messages.length - 1 + gap,
      records: messages.map(({ key, value, headers: named, delta }, index) =>
        encodeRecord({ key, value, headers: named, offsetDelta: index, timestampDelta: delta }),
      ),
    });
    const content = Buffer.from(encoded.buffer);
    content.writeInt16BE(attributes | codec, 21);
    content.writeUInt32BE(crc32c(content.subarray(21)), 17);
    return content;
  }

  async function respond(batches: readonly Batch[], cut: number): Promise<Buffer> {
    const all = Buffer.concat(await Promise.all(batches.map(encodeBatch)));
    // kafkajs itself crashes (RangeError) on less than the 17 bytes that it looks at first.
    const records = all.subarray(0, Math.max(17, all.length - cut));
    const aborted = [new Encoder().writeInt64(7).writeInt64(11), new Encoder().writeInt64(2 ** 40).writeInt64(3)];
    const partition = (batchBytes: Buffer) =>
      new Encoder()
        .writeInt32(5)
        .writeInt16(0)
        .writeInt64(2 ** 45)
        .writeInt64(2 ** 44)
        .writeInt64(1)
        .writeArray(aborted, 'object')
        .writeInt32(-1)
        .writeBytes(batchBytes);
    const partitions = [partition(records), partition(Buffer.alloc(0))];
    const topic = new Encoder().writeString('tópico').writeArray(partitions, 'object');
    return new Encoder().writeInt32(3).writeInt16(0).writeInt32(9).writeArray([topic], 'object').buffer;
  }

  const seen = (messages: readonly FetchedMessage[]) =>
    messages.map(({ offset, timestamp, key, value, headers: named, isControlRecord, batchContext }) => ({
      offset: Number(offset),
      timestamp: Number(timestamp),
      key,
      value,
      headers: Object.fromEntries(Object.entries(named).map(([header, content]) => [header, content ?? undefined])),
      isControlRecord,
      firstOffset: Number(batchContext.firstOffset),
      lastOffsetDelta: batchContext.lastOffsetDelta,
      producerId: batchContext.producerId,
      inTransaction: batchContext.inTransaction,
    }));
  const comparable = ({ responses }: FetchResponse) =>
    responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(
        ({ partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, messages }) => ({
          partition,
          errorCode,
          highWatermark,
          lastStableOffset,
          abortedTransactions,
          messages: seen(messages),
        }),
      ),
    }));

  test('has the same content, also when the last batch is cut short', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), fc.nat(200), async (batches, cut) => {
        // As in a log: each begins behind the one before.
        const rising = batches.map((given, nth) => ({ ...given, firstOffset: given.firstOffset + nth * 2 ** 41 }));
        const raw = await respond(rising, cut);
        const ours = await decodeFetchResponse(raw);
        expect(comparable(ours)).toEqual(comparable(await shippedDecode(raw)));
        expect(ours.clientSideThrottleTime).toBe(3);
      }),
      { numRuns: times(200) },
    );
  });

  test('keeps headers that are named like members of every object', async () => {
    const named = Object.fromEntries(['valueOf', 'constructor', '__proto__'].map((each) => [each, Buffer.from(each)]));
    // As a literal would not, this has a member of its own by that name.
    const message = { key: null, value: Buffer.from('x'), headers: named, delta: 0 };
    const [given] = fc.sample(batch, 1);
    const raw = await respond([{ ...given!, messages: [message] }], 0);
    const { responses } = await decodeFetchResponse(raw);
    const { headers } = responses[0]!.partitions[0]!.messages[0]!;
    expect(Object.entries(headers)).toEqual(Object.entries(named));
  });

  test('says where to fetch next, past records that compaction took', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async (given) => {
        const { responses } = await decodeFetchResponse(await respond([given], 0));
        expect(responses[0]!.partitions[0]!.messages.nextOffset).toBe(
          given.firstOffset + given.messages.length + given.gap,
        );
      }),
    );
  });

  test('tells a batch of which a bit has changed as one record, and gives its neighbours', async () => {
    await fc.assert(
      fc.asyncProperty(batch, fc.nat(), fc.nat(7), async (given, at, bit) => {
        const [before, after] = [given, { ...given, firstOffset: given.firstOffset + 100 }];
        const spoiled = await encodeBatch({ ...given, firstOffset: given.firstOffset + 50 });
        spoiled[21 + (at % (spoiled.length - 21))]! ^= 1 << bit;
        const bytes = Buffer.concat([await encodeBatch(before), spoiled, await encodeBatch(after)]);
        const records = await decodeBatches(bytes);
        expect(records.unreadable).toBe(true);
        expect(records.filter(({ unreadable }) => unreadable)).toMatchObject([
          {
            offset: given.firstOffset + 99,
            value: null,
            unreadable: { code: 'BATCH_CORRUPT', firstOffset: given.firstOffset + 50, bytes: spoiled },
          },
        ]);
        expect(records).toHaveLength(2 * given.messages.length + 1);
        expect(records.nextOffset).toBe(given.firstOffset + 100 + given.messages.length + given.gap);
      }),
    );
  });
});
