// The whole pipeline over a genuine replica set whose primary steps down, and is killed, in the middle of a run.
import { afterAll, beforeAll, it } from 'vitest';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { expectUnharmed } from '../kit/pipeline-checks.ts';
import { kill, start } from './members.ts';
import { ReplicaSet } from './replica-set.ts';

const FED_IN_EACH = 100;
/** Slowly enough for what happens to the set to happen meanwhile, records a second. */
const RATE = 20;

// Everything but MongoDB, which the environment names.
const servers = useOwnStack('mongo-set');
let set: ReplicaSet;
let pipeline: TestPipeline | undefined;

beforeAll(async () => {
  set = await ReplicaSet.connect();
}, 300_000);
afterAll(async () => {
  await pipeline?.close();
  await set?.close();
}, 120_000);

it('loses nothing and pays nothing twice', async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  const troubles = [
    () => set.stepDown(),
    async () => {
      const primary = await set.primary();
      await kill(primary);
      await set.settled([primary]);
      await start(primary);
    },
  ];
  for (const [seed, trouble] of troubles.entries()) {
    await set.settled();
    await Promise.all([pipeline.feed(FED_IN_EACH, seed + 1, { rate: RATE }), trouble()]);
  }
  await pipeline.settled();
  await expectUnharmed(pipeline, 1);
}, 900_000);
