import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Log } from '../../ports/log.ts';
import { sealed } from '../../ports/seals.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { append, input } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { createTable } from './table.ts';

const rate = (base: string, value: string): FxRate => ({
  source: 'sample',
  base,
  quote: 'INR',
  rate: value,
  observedAt: 1,
  publishedAt: 2,
  rawHash: null,
});

function setUp() {
  const clock = new ManualClock();
  const log = new MemoryLog({ partitions: 1, clock });
  const codec = memoryCodec();
  const publish = (base: string, value: string) =>
    append(log, codec, input('fx.rates', rate(base, value), { partition: 0 }));
  const erase = (key: string) => append(log, codec, { topic: 'fx.rates', key, bytes: null, partition: 0 });
  const table = createTable({ topic: 'fx.rates', log, codec, rings: testRings, clock });
  return { clock, log, codec, publish, erase, table };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a followed table', () => {
  it('holds the latest value of each key once it has started', async () => {
    const { publish, table } = setUp();
    publish('GBP', '110');
    publish('EUR', '95');
    publish('GBP', '111');
    await table.start();
    expect(table.get('sample/GBP/INR')?.rate).toBe('111');
    expect([...table.entries()].map(([key]) => key).sort()).toEqual(['sample/EUR/INR', 'sample/GBP/INR']);
    expect(table.get('sample/USD/INR')).toBeUndefined();
  });

  it('follows: changes, tombstones, and a version that rises with each', async () => {
    const { publish, erase, table } = setUp();
    publish('GBP', '110');
    await table.start();
    const before = table.version;
    publish('GBP', '112');
    erase('sample/GBP/INR');
    publish('EUR', '96');
    await settled();
    expect(table.version).toBe(before + 3);
    expect(table.get('sample/GBP/INR')).toBeUndefined();
    expect(table.get('sample/EUR/INR')?.rate).toBe('96');
  });

  it('starts when it is asked again after the log was not there', async () => {
    const { log, codec, publish } = setUp();
    publish('GBP', '110');
    let away = true;
    const flaky: Log = Object.assign(Object.create(log) as Log, {
      reader: () => {
        if (!away) return log.reader();
        const caughtUp = Promise.reject(new Error('no broker'));
        return {
          ...log.reader(),
          follow: () => ({ caughtUp, currentAt: () => undefined, stop: async () => undefined }),
        };
      },
    });
    const table = createTable({ topic: 'fx.rates', log: flaky, codec, rings: testRings });
    await expect(table.start()).rejects.toThrow('no broker');
    away = false;
    await table.start();
    expect(table.get('sample/GBP/INR')?.rate).toBe('110');
    await table.stop();
  });

  it('is current once it holds all there is, and not while a batch is being taken in', async () => {
    const { log, codec, publish } = setUp();
    publish('GBP', '110');
    let stuck = Promise.withResolvers<void>();
    stuck.resolve();
    const slow: Codec = Object.assign(Object.create(codec) as Codec, {
      decode: async (...asked: Parameters<Codec['decode']>) => {
        await stuck.promise;
        return codec.decode(...asked);
      },
    });
    const table = createTable({ topic: 'fx.rates', log, codec: slow, rings: testRings });
    expect(table.currentAt()).toBeUndefined();
    await table.start();
    expect(table.currentAt()).toBeGreaterThan(0);
    stuck = Promise.withResolvers<void>();
    publish('GBP', '111');
    await settled();
    expect(table.currentAt()).toBeUndefined();
    stuck.resolve();
    await settled();
    expect([table.get('sample/GBP/INR')?.rate, table.currentAt()]).toEqual(['111', expect.any(Number)]);
    await table.stop();
  });

  it('says how stale it is', async () => {
    const { clock, publish, table } = setUp();
    await table.start();
    expect(table.health()).toEqual({
      name: 'fx.rates',
      entries: 0,
      caughtUp: true,
      newestAt: undefined,
      undecodable: 0,
      unproven: 0,
    });
    publish('GBP', '110');
    await settled();
    expect(table.newestAt).toBe(clock.now());
  });

  it('keeps the last good value of a key when a record of it does not decode', async () => {
    const { log, codec, publish, table } = setUp();
    publish('GBP', '110');
    append(log, codec, { topic: 'fx.rates', key: 'sample/GBP/INR', bytes: Buffer.from('rubbish'), partition: 0 });
    await table.start();
    expect(table.get('sample/GBP/INR')?.rate).toBe('110');
    expect(table.health().undecodable).toBe(1);
  });

  it('skips a record whose schema nobody knows, says so, and takes in what comes after it', async () => {
    const { log, codec, publish, table } = setUp();
    publish('GBP', '110');
    const garbage = Buffer.from('\x00garbage', 'latin1');
    append(log, codec, { topic: 'fx.rates', key: 'sample/GBP/INR', bytes: garbage, partition: 0 });
    await table.start();
    expect(table.get('sample/GBP/INR')?.rate).toBe('110');
    expect(table.health()).toMatchObject({ undecodable: 1, lastSkipped: { code: 'UNKNOWN_SCHEMA_ID' } });
    publish('GBP', '111');
    await settled();
    expect(table.get('sample/GBP/INR')?.rate).toBe('111');
  });

  it('passes over a copy of an earlier record, and one that was dated ahead shuts nobody out', async () => {
    const { clock, log, codec, table } = setUp();
    const at = (observedAt: number, value: string) => ({ ...rate('GBP', value), observedAt });
    const now = clock.now();
    const publish = (value: FxRate) => append(log, codec, input('fx.rates', value, { partition: 0 }));
    publish(at(now - 20, '110'));
    publish(at(now - 10, '111'));
    publish(at(now - 20, '110'));
    await table.start();
    expect(table.get('sample/GBP/INR')?.rate).toBe('111');
    expect(table.health()).toMatchObject({ outdated: 1, lastSkipped: { code: 'RECORD_OUTDATED' } });
    const { version } = table;
    publish(at(now - 15, '99'));
    await settled();
    expect(table.version).toBe(version);
    publish(at(now + 86_400_000, '112'));
    clock.advance(5);
    publish(at(now + 4, '113'));
    await settled();
    expect(table.get('sample/GBP/INR')?.rate).toBe('113');
  });

  it('believes a key that names a source of that source alone, and nothing that stands under the key of another', async () => {
    const { log, codec, clock } = setUp();
    const secret = 'a-secret-of-at-least-32-characters-0';
    const feeds = keyRing(`bank@1:${secret}1,any:${secret}2`);
    const rings = { ...testRings, feeds };
    const ringOf = (currentId: string) => ({ ...testRings, feeds: { ...feeds, currentId } });
    const write = (source: string, id: string, key = `${source}/GBP/INR`) => {
      const value = codec.encode('fx.rates', { ...rate('GBP', '1'), source });
      log.append([sealed(ringOf(id), { topic: 'fx.rates', partition: 0, key, value, headers: {} })], clock.now());
    };
    write('bank', 'bank@1');
    write('ecb', 'bank@1');
    write('ecb', 'bank@1', 'bank/EUR/INR');
    write('other', 'any');
    const table = createTable({ topic: 'fx.rates', log, codec, rings, clock });
    await table.start();
    expect([...table.entries()].map(([key, { source }]) => `${key} by ${source}`)).toEqual([
      'bank/GBP/INR by bank',
      'other/GBP/INR by other',
    ]);
    expect(table.health()).toMatchObject({ unproven: 1, undecodable: 1, lastSkipped: { code: 'KEY_MISMATCH' } });
    await table.stop();
  });

  it('does not go back to the list version that a copied activation names', async () => {
    const { clock, log, codec } = setUp();
    const activated = (activation: number, entities: number) => {
      const list = { source: 'OFAC', versionId: `OFAC-${activation}`, publishedOn: '', contentHash: 'h', activation };
      return { list, entities, names: 1, activatedAt: clock.now(), activatedBy: 'a' };
    };
    const lists = createTable({ topic: 'screening.list-activated', log, codec, rings: testRings, clock });
    for (const activation of [1, 2, 1])
      append(log, codec, input('screening.list-activated', activated(activation, activation), { partition: 0 }));
    await lists.start();
    expect(lists.get('OFAC')?.list.activation).toBe(2);
    expect(lists.health().outdated).toBe(1);
  });

  it('fails when a newer program wrote to it', async () => {
    const { log, codec, table } = setUp();
    codec.newerIds.add(999);
    append(log, codec, { topic: 'fx.rates', key: 'x', bytes: Buffer.from([0, 0, 0, 3, 231, 1]), partition: 0 });
    await expect(table.start()).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
    await expect(table.failed).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
  });

  it('waits while the registry is away', async () => {
    const { clock, codec, publish, table } = setUp();
    await table.start();
    codec.down = true;
    publish('GBP', '110');
    await settled();
    expect(table.get('sample/GBP/INR')).toBeUndefined();
    codec.down = false;
    clock.advance(60_000);
    await settled();
    expect(table.get('sample/GBP/INR')?.rate).toBe('110');
  });

  it('is only made of compacted topics', () => {
    const { log, codec } = setUp();
    expect(() => createTable({ topic: 'transfer.priced', log, codec, rings: testRings })).toThrow('not compacted');
  });

  it('keeps the first record of a key where that is what counts', async () => {
    const { clock, log, codec } = setUp();
    const version = (content: string) => ({
      ...{ kind: 'limits', version: 1, content, contentHash: '', validFrom: 0, activatedAt: 0 },
      ...{ askedBy: 'a', approvedBy: 'b', approvalId: 'c', reason: 'r' },
    });
    const publish = (content: string) =>
      append(log, codec, input('policy.versions', version(content), { partition: 0 }));
    const table = createTable({ topic: 'policy.versions', log, codec, rings: testRings, clock });
    publish('one');
    publish('another');
    append(log, codec, { topic: 'policy.versions', key: 'limits/1', bytes: null, partition: 0 });
    await table.start();
    expect(table.get('limits/1')?.content).toBe('one');
    expect(table.health()).toMatchObject({ entries: 1, outdated: 2 });
    expect(table.version).toBe(1);
  });
});
