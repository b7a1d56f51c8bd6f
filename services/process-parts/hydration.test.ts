import { expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, PartitionRange } from '../../ports/log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { HEADER } from '../../topics/headers.ts';
import { hydrationHost, ledgerReader } from './hydration.ts';

const admin = async () => ({
  describeTopics: async () => [{ name: 'transfer.reserved', topicId: 'of-now' }],
  close: async () => undefined,
});

it.each([
  ['of this log', 'of-now', 150, 100, undefined],
  ['of before topics had ids in it', null, 150, 100, undefined],
  ['that is ahead of the log', 'of-now', 50, 0, 777],
  ['of a topic that was made anew, and is longer by now', 'of-before', 150, 0, 777],
])('a snapshot %s is taken for what it is', async (_, topicId, end, from, since) => {
  const asked: (readonly PartitionRange[])[] = [];
  const reader: Partial<LogReader> = {
    offsets: async () => [{ topic: 'transfer.reserved', partition: 0, from: 0, to: end }],
    read: async (ranges) => void asked.push(ranges),
  };
  const head = { positions: [{ topic: 'transfer.reserved', partition: 0, offset: 100, topicId }], missingSince: null };
  const snapshots = { latest: async () => head, entriesOf: async () => undefined } as never;
  const log = { reader: () => reader, admin } as never;
  const codec = { load: async () => undefined } as never;
  const missing = await ledgerReader({ log, codec, rings: testRings, snapshots, clock: () => 777 })(() => undefined, {
    ...{ resume: false, restore: () => undefined },
  });
  expect(asked[0]![0]!.from).toBe(from);
  // What it knew of before is gone: nobody takes that for a log in which there never was anything.
  expect(missing).toBe(since);
});

it.each([
  ['under a key that was taken away: what was before is not whole', 'a-key-of-before', 500, 500],
  ['under such a key, dated ahead of us', 'a-key-of-before', 9_000, 777],
  ['by nobody: it is left out, and nothing is missing', undefined, 500, undefined],
])('an event that is sealed %s', async (_, keyId, timestamp, since) => {
  const headers = keyId === undefined ? {} : { [HEADER.seal]: Buffer.from(`${keyId}.${'0'.repeat(64)}`) };
  const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers, timestamp, offset: 0 };
  const reader: Partial<LogReader> = {
    offsets: async () => [{ topic: 'transfer.reserved', partition: 0, from: 0, to: 1 }],
    async read(_ranges, onBatch) {
      await onBatch({ topic: 'transfer.reserved', partition: 0, records: [record as never] });
    },
  };
  const log = { reader: () => reader, admin } as never;
  const codec = { load: async () => undefined, decode: async (_topic: string, values: unknown[]) => values } as never;
  const read = ledgerReader({ log, codec, rings: testRings, clock: () => 777 });
  expect(await read(() => expect.unreachable(), { resume: false })).toBe(since);
});

it('a pass that breaks off is read again, so that no reservation is left out', async () => {
  let end = 2;
  let down = false;
  const asked: (readonly PartitionRange[])[] = [];
  const reader: Partial<LogReader> = {
    offsets: async () => [{ topic: 'transfer.reserved', partition: 0, from: 0, to: end }],
    read: async (ranges) => {
      asked.push(ranges);
      if (down) throw new Error('the broker is away');
    },
  };
  const log = { reader: () => reader, admin } as never;
  const read = ledgerReader({ log, codec: { load: async () => undefined } as never, rings: testRings });

  await read(() => undefined, { resume: false });
  end = 5;
  down = true;
  await expect(read(() => undefined, { resume: true })).rejects.toThrow('away');
  down = false;
  await read(() => undefined, { resume: true });
  await read(() => undefined, { resume: true });
  expect(asked.map(([range]) => [range!.from, range!.to])).toEqual([
    [0, 2],
    [2, 5],
    [2, 5],
    [5, 5],
  ]);
});

it('a pass whose last step fails is read again, and another process goes on from where one has ended', async () => {
  const asked: (readonly PartitionRange[])[] = [];
  const reader: Partial<LogReader> = {
    offsets: async () => [{ topic: 'transfer.reserved', partition: 0, from: 0, to: 5 }],
    read: async (ranges) => void asked.push(ranges),
  };
  const parts = {
    log: { reader: () => reader, admin },
    codec: { load: async () => undefined },
    rings: testRings,
  } as never;
  const read = ledgerReader(parts);
  const away = () => Promise.reject(new Error('Redis is away'));
  await expect(read(() => undefined, { resume: true, atEnd: away })).rejects.toThrow('Redis is away');
  await read(() => undefined, { resume: true });
  const other = ledgerReader(parts);
  other.resumeAt(read.place());
  await other(() => undefined, { resume: true });
  expect(asked.map(([range]) => range!.from)).toEqual([0, 0, 5]);
});

it('stops the process when the ledger may be evicted from', async () => {
  const refused = new CodedError('REDIS_MAY_EVICT', 'set noeviction', { faultClass: 'fatal' });
  const host = hydrationHost({
    ledger: { form: () => 1, status: () => Promise.reject(refused) } as never,
    log: {} as never,
    codec: {} as never,
    rings: testRings,
    rules: () => [],
    ready: async () => undefined,
    logger: {} as never,
    transactionTimeoutMs: 1,
  });
  await host.start();
  await expect(host.failed).rejects.toBe(refused);
  expect(host.health().state).toBe('failed');
  await host.stop(0);
});
