// Rates on their way into the log: under a key that speaks for their source, once.
import { expect, it } from 'vitest';
import { keyRing } from '../domain/seals/seal.ts';
import { createTable } from '../runtime/hosts/table.ts';
import { fxRate } from '../test/kit/builders.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxRates } from '../topics/boundary.ts';
import { publishRates } from './rates.ts';

const SECRET = 'a-secret-of-at-least-32-characters-0';

it('writes what is newer, under the key of the source alone, and the same again not at all', async () => {
  const [log, codec] = [new MemoryLog({ partitions: 1 }), memoryCodec()];
  const feeds = keyRing(`bank@1:${SECRET}1,ecb@1:${SECRET}2`);
  const parts = { log, codec, config: { keys: { ...testRings, feeds } as never } };
  const rates = [fxRate({ source: 'ecb' }), fxRate({ source: 'ecb', base: 'EUR' })];
  expect(await publishRates(parts, 'ecb', rates)).toEqual(rates);
  expect(await publishRates(parts, 'ecb', rates)).toEqual([]);
  const later = fxRate({ source: 'ecb', rate: '126', observedAt: rates[0]!.observedAt + 1 });
  expect(await publishRates(parts, 'ecb', [...rates, later])).toEqual([later]);
  await expect(publishRates(parts, 'other', [fxRate({ source: 'other' })])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });

  // Who has the key of the ECB alone believes all of it.
  const rings = { ...testRings, feeds: keyRing(`ecb@1:${SECRET}2`) };
  const table = createTable({ topic: fxRates.name, log, codec, rings });
  await table.start();
  expect([...table.entries()].map(([key, { rate }]) => `${key} ${rate}`).sort()).toEqual([
    'ecb/EUR/INR 125.2579',
    'ecb/GBP/INR 126',
  ]);
  expect(table.health()).toMatchObject({ unproven: 0, undecodable: 0 });
  await table.stop();
});
