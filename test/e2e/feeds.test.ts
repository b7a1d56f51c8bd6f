// A rate that a feed of another language has sealed, by the example that the docs give, is taken by the product.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { HEADER } from '../../topics/headers.ts';
import { memoryCodec } from '../kit/memory-codec.ts';
import { MemoryLog } from '../kit/memory-log.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../docs/examples/python/rate_seal.py');
const FEED_KEYS = 'new:a-key-of-the-feed-for-this-test-00001,old:a-key-of-the-feed-for-this-test-00000';
const KEY = 'ecb/EUR/USD';
const rate = (value: string): FxRate => ({
  source: 'ecb',
  base: 'EUR',
  quote: 'USD',
  rate: value,
  observedAt: 1_700_000_000_000,
  publishedAt: 1_700_000_000_000,
  rawHash: null,
});

function sealedByPython(value: Buffer): string {
  const env = { ...process.env, CORRIDOR_FEED_KEYS: FEED_KEYS };
  const { status, stdout, stderr } = spawnSync('python3', [EXAMPLE, KEY], { env, input: value, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

it('takes a rate under the seal of the Python example, and no other value under it', async () => {
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: 1 });
  const table = createTable({ topic: 'fx.rates', log, codec, rings: { feeds: keyRing(FEED_KEYS) } });
  const writer = await log.writer();
  const value = codec.encode('fx.rates', rate('1.0815'));
  const headers = { [HEADER.seal]: sealedByPython(value) };
  const record = { topic: 'fx.rates', partition: 0, key: KEY, headers };
  await writer.send([
    { ...record, value },
    { ...record, value: codec.encode('fx.rates', rate('9.9')) },
    { ...record, key: 'ecb/GBP/USD', value },
  ]);
  await table.start();
  expect([...table.entries()]).toEqual([[KEY, rate('1.0815')]]);
  expect(table.health()).toMatchObject({ unproven: 2, lastSkipped: { code: 'SEAL_WRONG' } });
  await table.stop();
});
