// The whole pipeline over a real server behind a proxy that answers as the primary of a replica set, through everything that
// happens to one: no transfer is a dead letter for it, none is lost or paid twice, and no process ends.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MongoProxy } from '../kit/mongo-proxy.ts';
import { inTrouble, MONGO_TROUBLES, untilMet } from '../kit/mongo-troubles.ts';
import { primaryAddress } from '../kit/mongo-uri.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { expectUnharmed } from '../kit/pipeline-checks.ts';

/** Of both times that were reported: reads failed for four seconds, writes for three. */
const LASTS_MS: Readonly<Record<string, number>> = {
  'reads before a majority is known (134)': 4_000,
  'writes that are temporarily unavailable (365)': 3_000,
};
const FED_IN_EACH = 26;

const servers = useOwnStack('mongo');
let proxy: MongoProxy | undefined;
let pipeline: TestPipeline | undefined;

beforeAll(async () => {
  const client = new MongoClient(servers.urls.mongoUri);
  proxy = await MongoProxy.start({ upstream: await primaryAddress(client) });
  await client.close();
}, 300_000);
afterAll(async () => {
  await pipeline?.close();
  await proxy?.close();
}, 120_000);

it('comes through all of them', async () => {
  pipeline = await TestPipeline.create({ urls: { ...servers.urls, mongoUri: proxy!.uri() } });
  await pipeline.start();
  const met: Record<string, number> = {};
  for (const [seed, name] of Object.keys(MONGO_TROUBLES).entries()) {
    met[name] = await inTrouble(proxy!, name, async () => {
      await pipeline!.feed(FED_IN_EACH, 100 + seed);
      await untilMet(proxy!, LASTS_MS[name] ?? 1_500, 3);
    });
  }
  expect(Object.values(met).every((times) => times >= 3)).toBe(true);
  await pipeline.settled();
  await expectUnharmed(pipeline, 1);
}, 900_000);
