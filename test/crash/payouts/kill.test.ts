// Payout executors that are killed at failpoints, at random and stopped like zombies, over a provider that answers wrongly,
// late or not at all and pays every submit it takes, however often the same key comes. Its ledger is the witness.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { FOLLOW_PARENT, followed } from '../../../infra/local/follow-parent.ts';
import type { FaultPlanInput } from '../../../simulator/injected-faults.ts';
import { readLedger } from '../../../simulator/ledger.ts';
import { type SimulatorProcess, spawnSimulator } from '../../../simulator/process.ts';
import type { WorkerReport, WorkerSettings } from './worker.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const PAID_ACCOUNT = '50100012345678';
const REFUSED_ACCOUNT = '50100012990204';
const FAILED_ACCOUNT = '50100012990101';
const stack = inject('stack');

/** Every kind of answer that leaves the outcome open, at each call. */
const FAULTS: FaultPlanInput = {
  rules: [
    { id: 'submit-timeout-before', on: 'submit', kind: 'timeout-before', probability: 0.03 },
    { id: 'submit-timeout-after', on: 'submit', kind: 'timeout-after', probability: 0.03 },
    { id: 'submit-reset-before', on: 'submit', kind: 'reset-before', probability: 0.03 },
    { id: 'submit-reset-after', on: 'submit', kind: 'reset-after', probability: 0.03 },
    { id: 'submit-error-before', on: 'submit', kind: 'error-before', probability: 0.03 },
    { id: 'submit-error-after', on: 'submit', kind: 'error-after', probability: 0.03 },
    { id: 'submit-late', on: 'submit', kind: 'late', ms: 4_000, probability: 0.03 },
    { id: 'submit-malformed', on: 'submit', kind: 'malformed', probability: 0.02 },
    { id: 'submit-lag', on: 'submit', kind: 'lag', ms: 2_000, probability: 0.03 },
    { id: 'submit-429', on: 'submit', kind: 'rate-limit', retryAfterSeconds: 0, probability: 0.02 },
    { id: 'query-reset', on: 'query', kind: 'reset-before', probability: 0.1 },
    { id: 'query-error', on: 'query', kind: 'error-before', probability: 0.1 },
    { id: 'cancel-reset-after', on: 'cancel', kind: 'reset-after', probability: 0.1 },
    { id: 'cancel-error-before', on: 'cancel', kind: 'error-before', probability: 0.1 },
  ],
};

let directory: string;
let database: string;
let simulator: SimulatorProcess | undefined;
const children = new Set<ChildProcess>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'corridor-payouts-'));
  database = `payouts_${randomUUID().slice(0, 8)}`;
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await simulator?.kill();
  simulator = undefined;
  const client = await MongoClient.connect(stack.mongoUri);
  await client.db(database).dropDatabase();
  await client.close();
  rmSync(directory, { recursive: true, force: true });
});

const ledgerFile = () => join(directory, 'provider.ndjson');

async function provider(faults: FaultPlanInput, port = 0): Promise<SimulatorProcess> {
  const options = { ledgerFile: ledgerFile(), port, duplicateProtection: false, delayMs: 30, faults };
  simulator = await spawnSimulator(options);
  return simulator;
}

function settingsFor(providerUrl: string, count: number, more: Partial<WorkerSettings> = {}): string {
  const now = Date.now();
  const transfers = Array.from({ length: count }, (_, index) => ({
    transferId: `${database}-${index}`,
    account: index % 20 === 7 ? REFUSED_ACCOUNT : index % 20 === 13 ? FAILED_ACCOUNT : PAID_ACCOUNT,
  }));
  const settings: WorkerSettings = {
    mongoUri: stack.mongoUri,
    database,
    redisUrl: stack.redisQueueUrl,
    queue: database,
    providerUrl,
    logFile: join(directory, 'log.ndjson'),
    transfers,
    now,
    priceExpiresAt: now + 1_800_000,
    policy: {
      leaseMs: 2_500,
      cancelAfterMs: 1_500,
      retryFirstMs: 50,
      retryMaxMs: 500,
      pollFirstMs: 50,
      pollMaxMs: 500,
    },
    batch: 100,
    maxInFlight: 32,
    submitTimeoutMs: 1_000,
    ...more,
  };
  const file = join(directory, `settings-${randomUUID().slice(0, 4)}.json`);
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

interface Run {
  readonly child: ChildProcess;
  /** The worker's report when it came to its end, else undefined. */
  readonly ended: Promise<WorkerReport | undefined>;
}

function start(settingsFile: string, failpoints = ''): Run {
  const child = spawn(process.execPath, [...FOLLOW_PARENT, WORKER, settingsFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: followed({
      ...process.env,
      CORRIDOR_FAILPOINTS: failpoints,
      CORRIDOR_FAILPOINT_LOG: join(directory, 'failpoints'),
    }),
  });
  children.add(child);
  let out = '';
  let errors = '';
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    errors = (errors + data.toString()).slice(-4_000);
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    children.delete(child);
    if (signal === 'SIGKILL') return undefined;
    if (code !== 0) throw new Error(`the worker ended with ${code}: ${errors}`);
    return JSON.parse(out) as WorkerReport;
  });
  return { child, ended };
}

/** What the provider has: executions per transfer, and submits per key. */
async function witness(): Promise<{ executions: Map<string, number>; submits: Map<string, number>; faults: number }> {
  const executions = new Map<string, number>();
  const submits = new Map<string, number>();
  let faults = 0;
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for await (const record of readLedger(ledgerFile())) {
    if (record.kind === 'execution') add(executions, record.transferId ?? record.key);
    if (record.kind === 'submit') add(submits, record.key);
    if ('fault' in record && record.fault) faults++;
  }
  return { executions, submits, faults };
}

function published(): Map<string, Set<string>> {
  const byTransfer = new Map<string, Set<string>>();
  for (const line of readFileSync(join(directory, 'log.ndjson'), 'utf8').trim().split('\n')) {
    const { key, eventId } = JSON.parse(line) as { key: string; eventId: string };
    byTransfer.set(key, (byTransfer.get(key) ?? new Set()).add(eventId));
  }
  return byTransfer;
}

async function checkWitness(settingsFile: string, report: WorkerReport | undefined): Promise<void> {
  const { transfers } = JSON.parse(readFileSync(settingsFile, 'utf8')) as WorkerSettings;
  const { executions, submits } = await witness();
  const outcomes = published();
  expect([...submits].filter(([, count]) => count > 1)).toEqual([]);
  for (const { transferId, account } of transfers) {
    expect(executions.get(transferId) ?? 0, transferId).toBe(account === PAID_ACCOUNT ? 1 : 0);
    // One outcome each, however often it was published.
    expect(outcomes.get(transferId)?.size, transferId).toBe(1);
  }
  const paid = transfers.filter(({ account }) => account === PAID_ACCOUNT).length;
  expect(report?.byPhase).toEqual({ PAID: paid, FAILED: transfers.length - paid });
}

const FAILPOINTS = [
  'payout.after-insert=kill@40',
  'payout.after-cas-submitting=kill@60',
  'payout.after-submit=kill@90',
  'payout.after-outcome-write=kill@50',
  'payout.after-lease-given-up=kill@10',
  'payout.after-query=kill@30',
  'payout.after-cancel=kill@5',
  'payout.after-publish=kill@2',
];

describe('payout executors under fire', () => {
  it('pay 500 transfers once each, killed between every two side effects', async () => {
    const { url } = await provider(FAULTS);
    const settings = settingsFor(url, 500);
    const hit: string[] = [];
    for (const point of FAILPOINTS) {
      const report = await start(settings, point).ended;
      if (report === undefined) hit.push(point);
    }
    const report = await start(settings).ended;
    await checkWitness(settings, report);
    expect((await witness()).faults).toBeGreaterThan(0);
    // Most points come up again and again while there is work left; the first ones always do.
    expect(hit.length).toBeGreaterThanOrEqual(6);
  });

  it('pay once each when two of them share the work and are killed and stopped at random', async () => {
    const { url } = await provider(FAULTS);
    const settings = settingsFor(url, 500);
    const stays = start(settings);
    for (let round = 0; round < 4; round++) {
      const dies = start(settings);
      await sleep(700 + 150 * round);
      // Longer than a lease: what it was about to send, others have closed meanwhile.
      const stopped = round % 2 === 0;
      if (stopped) stays.child.kill('SIGSTOP');
      await sleep(stopped ? 3_500 : 200);
      dies.child.kill('SIGKILL');
      await dies.ended;
      if (stopped) stays.child.kill('SIGCONT');
    }
    await checkWitness(settings, await stays.ended);
  });

  it('wait while the provider is killed and away, and go on when it is back', async () => {
    const first = await provider({});
    const settings = settingsFor(first.url, 500);
    const worker = start(settings);
    await sleep(1_200);
    await first.kill();
    await sleep(3_000);
    await provider({}, Number(new URL(first.url).port));
    await checkWitness(settings, await worker.ended);
  });

  it('need no timer: without Redis the sweeper wakes payouts up', async () => {
    const { url } = await provider(FAULTS);
    const settings = settingsFor(url, 100, { redisUrl: 'redis://127.0.0.1:1' });
    await checkWitness(settings, await start(settings).ended);
  });

  /** Submits take effect long after the worker has given them up, and whoever asks is told a time hours ahead. */
  const CLOCK_AHEAD = {
    rules: [
      { id: 'late', on: 'submit', kind: 'late', ms: 4_000, limit: 20 },
      { id: 'ahead', on: 'query', kind: 'clock', aheadMs: 19_800_000, limit: 400 },
    ],
  } as const satisfies FaultPlanInput;

  it('pay once each while the provider answers queries with a clock that is hours ahead', async () => {
    const { url } = await provider(CLOCK_AHEAD);
    const settings = settingsFor(url, 60);
    const report = await start(settings).ended;
    await checkWitness(settings, report);
    expect(report?.events['clock doubtful']).toBeGreaterThan(0);
  });

  it('negative control: without our own clock, they pay twice', async () => {
    // Some take effect so late that a slow machine too has asked, and begun anew, before they do.
    const later = { id: 'later', on: 'submit', kind: 'late', ms: 60_000, limit: 20 } as const;
    const { url } = await provider({ rules: [...CLOCK_AHEAD.rules, later] });
    const policy = { leaseMs: 2_500, cancelAfterMs: 1_500, retryFirstMs: 50, retryMaxMs: 500, pollFirstMs: 50 };
    const settings = settingsFor(url, 60, { policy: { ...policy, unsafe: { noOwnClock: true } } });
    start(settings);
    const twice = async () => [...(await witness()).executions.values()].some((count) => count > 1);
    while (!(await twice())) await sleep(100);
  });

  it('negative control: without the compare-and-set, the witness sees transfers paid twice', async () => {
    const { url } = await provider({});
    const settings = settingsFor(url, 200, { noCompareAndSet: true });
    await start(settings, 'payout.after-outcome-write=kill@60').ended;
    const ended = start(settings).ended.then(() => 'ended');
    const isTwice = async () => {
      const { executions, submits } = await witness();
      return [executions, submits].map((counts) => [...counts.values()].some((count) => count > 1));
    };
    // Whatever it stores may be written over, so it need not come to its end: what it has to show is waited for.
    for (let state = ''; state !== 'ended' && (await isTwice()).includes(false); ) {
      state = await Promise.race([ended, sleep(100, 'at work')]);
    }
    expect(await isTwice()).toEqual([true, true]);
  });
});
