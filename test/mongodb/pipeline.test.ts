// The whole pipeline over a genuine replica set whose primary steps down, and is killed, in the middle of a run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { deadLettersByClass, runVerify } from '../kit/pipeline-checks.ts';
import { kill, start } from './members.ts';
import { ReplicaSet } from './replica-set.ts';

const FED_IN_EACH = 100;
/** Slowly enough for what happens to the set to happen meanwhile, records a second. */
const RATE = 20;

const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-mongo-set-'));
let set: ReplicaSet;
let stack: LocalStack | undefined;
let pipeline: TestPipeline | undefined;

beforeAll(async () => {
  set = await ReplicaSet.connect();
  // Everything but MongoDB, which the environment names.
  stack = await startStack({ stateDir });
}, 300_000);
afterAll(async () => {
  await pipeline?.close();
  await stack?.stop();
  await set?.close();
  rmSync(stateDir, { recursive: true, force: true });
}, 120_000);

it('loses nothing and pays nothing twice', async () => {
  pipeline = await TestPipeline.create({ urls: stack!.urls });
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

  const { undecodable: _, ...others } = await deadLettersByClass(pipeline);
  expect(others).toEqual({});
  const verified = await runVerify(pipeline);
  expect(verified, verified.said).toMatchObject({ code: 0 });
  expect(await pipeline.stop()).toEqual([0]);
}, 900_000);
