// Makes a fixture: `node bin/run.mjs test/stores/make-fixture.ts VERSION` runs the pipeline of this checkout on servers of its
// own, lets transfers come to every end and some stay under way, has persons decide, and writes down what all stores hold
// (test/stores/VERSION). Everything is made up, and sealed under the keys of development.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { publish } from '../../cli/publish.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import { goodIntent, listedSender } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import { DEFAULT_MIX, type Mix, sampleFeed } from '../../samples/sample.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { parseOfac } from '../../screening/lists/ofac.ts';
import { activationPublisher } from '../../services/screening.ts';
import { spawnSimulator } from '../../simulator/process.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';
import { replayOf } from '../kit/replay.ts';
import { dumpLog, dumpMongo, dumpRedis, dumpSchemas } from './dump.ts';
import { COLLECTIONS_FOLDER, FILES } from './form.ts';

const HOUR_MS = 3_600_000;
const NOWHERE = 'http://127.0.0.1:1';
const LISTS = path.resolve(import.meta.dirname, '../../screening/lists/sample');
const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
/** Comes onto the list when the transfer of that name is paid. */
const LATE_NAME = 'Zoltan Quillfeather';
const LATE_ENTITY = `9999,"QUILLFEATHER, Zoltan","individual","CORRIDOR-SAMPLE",${'-0- ,'.repeat(7)}"DOB 1970."\r\n`;
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const MIX: Mix = {
  ...NOTHING,
  held: 250,
  overLimit: 90,
  providerFails: 90,
  returned: 90,
  invalid: 90,
  undecodable: 90,
};
const KINDS = Object.values(MIX).filter((share) => share > 0).length + 1;
const COUNT = 12;

const folder = path.join(import.meta.dirname, process.argv[2] ?? '');
if (folder === import.meta.dirname) throw new Error('usage: make-fixture.ts VERSION');
const scratch = mkdtempSync(path.join(tmpdir(), 'corridor-fixture-'));
const say = (line: string) => console.error(line);

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  say(`waiting for ${what}`);
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(200);
  }
}

/** A feed of every kind, with at least three that are held, so that one each is approved, rejected and left. */
function seedOfAll(): number {
  const options = {
    count: COUNT,
    runId: 'fixture',
    now: 0,
    listedNames: ['x'],
    mix: MIX,
    encode: () => Buffer.alloc(8),
  };
  for (let seed = 1; ; seed++) {
    const ends = [...sampleFeed({ ...options, seed })].map(({ expected }) => expected);
    if (new Set(ends).size >= KINDS - 1 && ends.filter((end) => end === 'HELD').length === 3) return seed;
  }
}

function corridor(env: NodeJS.ProcessEnv, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`corridor ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const intentOf = (id: string, seed: number): TransferRequested =>
  goodIntent(seeded(seed), { transferId: id, customerId: `${id}-c`, beneficiaryId: `${id}-b` }, Date.now());

async function send({ connections }: TestPipeline, intents: readonly TransferRequested[]): Promise<void> {
  const { log, codec, config } = connections;
  const writer = await log.writer('fixture');
  const records = intents.map((intent) => ({
    key: intent.transferId,
    value: codec.encode('transfer.requested', intent),
  }));
  await publish(records, { writer, chainPartitions: config.kafka.chainPartitions });
  await writer.close();
}

const stateOf = async ({ connections }: TestPipeline, id: string): Promise<unknown> =>
  (await (await connections.db()).collection<{ _id: string; state: string }>('transfers').findOne({ _id: id }))?.state;

/** A second version of the sample list, with one more person. */
async function activateLater({ connections }: TestPipeline): Promise<void> {
  const read = (file: string) => readFileSync(path.join(LISTS, file));
  const sdn = Buffer.concat([Buffer.from(LATE_ENTITY), read('sdn.csv')]);
  const list = await parseOfac({ sdn, alt: read('alt.csv') }, { source: 'CORRIDOR', publicationDate: '2026-11-21' });
  const store = listStore(await connections.db(), connections.config.keys);
  const { versionId } = await importVersion(store, list, { by: 'amara', now: Date.now() });
  const { publish: tell, lastOf, close } = await activationPublisher(connections);
  await activateVersion(store, tell, versionId, { by: 'bela', now: Date.now(), lastOf });
  await close();
}

async function endedTransfers(pipeline: TestPipeline): Promise<void> {
  await pipeline.start();
  pipeline.books.fed({ account: 'late-on-the-list', expected: 'COMPLETED' } as never);
  await send(pipeline, [listedSender(intentOf('late-on-the-list', 1), LATE_NAME)]);
  const hasEnded = async () => (await stateOf(pipeline, 'late-on-the-list')) === 'COMPLETED' || undefined;
  await until('the transfer of a name that comes onto the list later', hasEnded);
  await pipeline.feed(COUNT, seedOfAll(), { mix: MIX });
  await pipeline.settled();
}

async function decisions(pipeline: TestPipeline): Promise<void> {
  const { connections, env } = pipeline;
  const run = (...args: readonly string[]) => corridor(env, ...args);
  const db = await connections.db();
  const [first, second, third] = await until('three cases', async () => {
    const cases = JSON.parse(run('cases', 'list', '--json')) as { case: string; transfer: string }[];
    return cases.length === 3 ? cases : undefined;
  });
  const evidence = (id: string) => (JSON.parse(run('cases', 'show', id)) as { evidenceHash: string }).evidenceHash;
  const decide = (id: string, verdict: string) =>
    run('cases', 'decide', id, verdict, '--reason', 'checked', '--evidence', evidence(id), '--by', 'amara');
  decide(first!.case, '--approve');
  decide(second!.case, '--reject');
  await until('both decisions', async () => {
    const states = await Promise.all([stateOf(pipeline, first!.transfer), stateOf(pipeline, second!.transfer)]);
    return states.join() === 'COMPLETED,REJECTED' || undefined;
  });
  await db.collection<{ _id: string }>('cases').updateOne({ _id: third!.case }, { $set: { reasons: [] } });
  run('cases', 'restore', third!.case, '--reason', 'changed in the database', '--by', 'amara');

  await activateLater(pipeline);
  const customer = await until('a case about a customer', async () => {
    const cases = JSON.parse(run('customers', 'list', '--json')) as { case: string }[];
    return cases[0];
  });
  run(
    'customers',
    'decide',
    customer.case,
    '--confirm',
    '--code',
    'TRUE_MATCH',
    '--reason',
    'it is the listed person',
    '--by',
    'amara',
  );

  const ask = () => {
    const args = ['--entity', 'CORRIDOR:9001', '--token', 'token-of-nobody', '--days', '366', '--reason', 'born later'];
    const [asked] = JSON.parse(run('exceptions', 'add', ...args, '--by', 'amara', '--json')) as {
      exceptionId: string;
    }[];
    return asked!.exceptionId;
  };
  ask();
  const [approved, revoked] = [ask(), ask()];
  for (const id of [approved, revoked]) run('exceptions', 'approve', id, '--by', 'bela');
  run('exceptions', 'revoke', revoked, '--reason', 'it is after all', '--by', 'cem');

  const { log, config } = connections;
  const [letter] = await readTopic(log, 'intake.dlq');
  const writer = await log.writer('fixture');
  await writer.send([replayOf(letter!, { owner: 'intake', replayId: 'replay-1', rings: config.keys as never })]);
  await writer.close();
  await until('the replayed letter', async () => (await readTopic(log, 'intake.dlq')).length > 1 || undefined);
}

/** One payout each that the provider has taken, of which nobody knows, and that waits to be begun. */
async function payoutsUnderWay(pipeline: TestPipeline, ledgerFile: string): Promise<void> {
  const { connections } = pipeline;
  const { keys } = connections.config;
  const store = mongoPayoutStore(await connections.db(), { ring: keys.executor });
  const reaches = (id: string, phase: string) =>
    until(`${id} to be ${phase}`, async () => (await store.load([id]))[0]?.phase === phase || undefined);
  const slow = await spawnSimulator({ ledgerFile, delayMs: HOUR_MS });
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const silence = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const steps = [
    ['taken-by-the-provider', slow.url, 'ACCEPTED'],
    ['of-unknown-outcome', silence, 'OUTCOME_UNKNOWN'],
    ['waiting-to-be-sent', NOWHERE, 'NEW'],
  ] as const;
  for (const [place, [id, url, phase]] of steps.entries()) {
    await pipeline.stop();
    await pipeline.start({ CORRIDOR_PROVIDER_URL: url, CORRIDOR_PROVIDER_REQUEST_TIMEOUT_MS: '1000' });
    await send(pipeline, [intentOf(id, 10 + place)]);
    await reaches(id, phase);
  }
  await until('the outbox to be published', async () => {
    const filter = { unpublishedSince: { $exists: true } };
    return (await (await connections.db()).collection('payouts').countDocuments(filter)) === 0 || undefined;
  });
  await slow.stop();
  silent.close();
}

function write(file: string, text: string): void {
  const target = path.join(folder, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}
const lines = (rows: Iterable<unknown>) => [...rows].map((row) => `${JSON.stringify(row)}\n`).join('');

async function writeAll(stack: LocalStack, { connections }: TestPipeline): Promise<void> {
  const { log, config } = connections;
  const { records, ...topics } = await dumpLog(log, config.appName);
  const redis = new Redis(stack.urls.redisLimitsUrl);
  write(FILES.redis, lines(await dumpRedis(redis, limitsNamespace(config.appName))));
  redis.disconnect();
  for (const [name, documents] of await dumpMongo(await connections.db())) {
    write(path.join(COLLECTIONS_FOLDER, `${name}.ndjson`), documents.map((document) => `${document}\n`).join(''));
  }
  write(FILES.topics, `${JSON.stringify(topics)}\n`);
  write(FILES.records, lines(records));
  write(FILES.schemas, lines(await dumpSchemas(stack.urls.registryUrl)));
  write(FILES.about, `${JSON.stringify({ version: process.argv[2], madeAt: Date.now() })}\n`);
}

const stack = await startStack({ stateDir: path.join(scratch, 'stack'), ephemeral: true, onProgress: say });
let pipeline: TestPipeline | undefined;
try {
  const env = { CORRIDOR_MONGO_DATABASE: 'corridor', CORRIDOR_CHAIN_PARTITIONS: '1' };
  pipeline = await TestPipeline.create({ urls: stack.urls, env });
  await endedTransfers(pipeline);
  await decisions(pipeline);
  const ledgerFile = path.join(scratch, 'ledger.ndjson');
  copyFileSync(pipeline.ledgerFile, ledgerFile);
  await payoutsUnderWay(pipeline, ledgerFile);
  await pipeline.stop();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const checkpoint = path.join(folder, FILES.checkpoint);
  say(corridor(pipeline.env, 'verify', '--provider-ledger', ledgerFile, '--checkpoint', checkpoint));
  copyFileSync(ledgerFile, path.join(folder, FILES.provider));
  await writeAll(stack, pipeline);
} finally {
  await pipeline?.close();
  await stack.stop();
  rmSync(scratch, { recursive: true, force: true });
}
