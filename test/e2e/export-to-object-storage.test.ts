// From the chain to a bucket: an export that is killed again and again, and one that goes on though another has taken over. What the
// manifests name is each record of the log, once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { s3Store } from '../../adapters/object-storage/s3-store.ts';
import { seeded } from '../../samples/random.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { type ObjectStorageServer, startObjectStorage, TEST_CREDENTIALS } from '../kit/object-storage/server.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const BUCKET = 'corridor-exports';
const TARGET = `s3://${BUCKET}/analytics/day`;
const TOPIC = 'transfer.lifecycle';
const KILLS = 12;

const servers = useOwnStack('bucket', { ephemeral: true });
let bucket: ObjectStorageServer;
let pipeline: TestPipeline;
let env: NodeJS.ProcessEnv;
let ids: readonly string[];

beforeAll(async () => {
  bucket = await startObjectStorage(BUCKET);
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(100, 8128);
  await pipeline.settled();
  env = { ...pipeline.env, ...bucket.env };
  ids = await idsInLog();
}, 900_000);
afterAll(async () => {
  await pipeline?.close();
  await bucket?.stop();
});

async function idsInLog(): Promise<readonly string[]> {
  const { log, codec } = pipeline.connections;
  await codec.load([TOPIC]);
  const values = (await readTopic(log, TOPIC)).map(({ value }) => value);
  const results = await codec.decode(TOPIC, values);
  return results.flatMap((result) => (result.ok ? [(result.value as TransferLifecycle).eventId] : [])).toSorted();
}

/** Ids of the rows in the files that the manifests name, and keys that none names. */
async function inBucket(): Promise<{ readonly rows: readonly string[]; readonly strays: readonly string[] }> {
  const store = s3Store(BUCKET, { endpoint: bucket.url, region: 'us-east-1', credentials: TEST_CREDENTIALS });
  const named: string[] = [];
  for (const key of await store.list(`analytics/day/_manifests/${TOPIC}-`)) {
    const { chunks } = JSON.parse((await store.get(key))!.bytes.toString()) as {
      readonly chunks: readonly { readonly files: readonly { readonly name: string }[] }[];
    };
    named.push(...chunks.flatMap(({ files }) => files.map(({ name }) => `analytics/day/${name}`)));
  }
  const rows: string[] = [];
  for (const key of named) {
    const { buffer, byteOffset, length } = (await store.get(key))!.bytes;
    const file = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
    rows.push(...(await parquetReadObjects({ file })).map(({ eventId }) => String(eventId)));
  }
  const strays = (await store.list(`analytics/day/${TOPIC}/`)).filter((key) => !named.includes(key));
  store.close();
  return { rows: rows.toSorted(), strays };
}

it('has each record once after it was killed again and again', async () => {
  const random = seeded(31);
  for (let kill = 0; kill < KILLS; kill++) {
    const args = [`${import.meta.dirname}/../../cli/main.ts`, 'analytics', 'export', TARGET];
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), 800 + random.below(5_000));
    await once(child, 'close');
    clearTimeout(timer);
  }
  const { code, stderr } = await runCorridor(['analytics', 'export', TARGET], env);
  expect(code, stderr).toBe(0);
  expect(ids.length).toBeGreaterThan(300);
  expect(await inBucket()).toEqual({ rows: ids, strays: [] });
});

it('adds nothing where nothing is new, and what is new where two run at once', async () => {
  const again = await runCorridor(['analytics', 'export', TARGET, '--json'], env);
  expect(again.code, again.stderr).toBe(0);
  for (const { rows } of JSON.parse(again.stdout) as { rows: number }[]) expect(rows).toBe(0);
  await pipeline.feed(60, 496);
  await pipeline.settled();
  const both = await Promise.all([1, 2].map(() => runCorridor(['analytics', 'export', TARGET], env)));
  for (const { code, stderr } of both) if (code !== 0) expect(stderr).toContain('EXPORT_BUSY');
  const last = await runCorridor(['analytics', 'export', TARGET], env);
  expect(last.code, last.stderr).toBe(0);
  expect(await inBucket()).toEqual({ rows: await idsInLog(), strays: [] });
});

it('refuses a format other than that of the bucket, and a target that is none', async () => {
  const other = await runCorridor(['analytics', 'export', TARGET, '--format', 'csv'], env);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('EXPORT_OF_ANOTHER');
  const none = await runCorridor(['analytics', 'export', 's3://Not_A_Bucket/x'], env);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('OPTION_INVALID');
});

it('a process that exports by itself adds what is new, period after period, and goes on after a kill', async () => {
  await pipeline.stop();
  const sink = { ...bucket.env, CORRIDOR_ANALYTICS_EXPORT_TO: TARGET, CORRIDOR_ANALYTICS_EXPORT_EVERY_MS: '2000' };
  const settings = { ...sink, CORRIDOR_ANALYTICS_CLOCK_TOLERANCE_MS: '1000' };
  const until = async (wanted: readonly string[]) => {
    for (;;) {
      const { rows } = await inBucket().catch(() => ({ rows: [] }));
      if (rows.length === wanted.length) return expect(rows).toEqual(wanted);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  for (const seed of [8, 13]) {
    await pipeline.start();
    await pipeline.startMore([['--sinks', 'parquet']], settings);
    await pipeline.feed(30, seed);
    await pipeline.settled();
    await until(await idsInLog());
    await pipeline.kill();
  }
  expect((await runCorridor(['run', '--sinks', 'parquet'], env)).stderr).toContain('EXPORT_TARGET_MISSING');
});
