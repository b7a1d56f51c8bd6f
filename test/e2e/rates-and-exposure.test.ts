// Rates from a source over HTTP and from a pipe into a running pipeline, and what its prices leave open: by the commands, the kept
// count and verification alike.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { positionCounts } from '../../adapters/mongo/position-counts.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const POLLING = { timeout: 240_000, interval: 500 };
const servers = useOwnStack('exposure', { ephemeral: true });
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-exposure-'));
const sourcesFile = path.join(folder, 'sources.json');
let pipeline: TestPipeline;
let server: Server;
/** What the source answers; undefined: it is broken. */
let answer: string | undefined;

interface ShownPair {
  readonly corridor: string;
  readonly pair: string;
  readonly rate: string;
  readonly sources: readonly string[];
  readonly waits: string | null;
}
const run = async (...args: readonly string[]) => runCorridor(args, pipeline.env);
async function shown(): Promise<ShownPair> {
  const { code, stdout, stderr } = await run('rates', 'show', '--json');
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as ShownPair[]).find(({ corridor, pair }) => corridor === 'GB-IN' && pair === 'GBP/INR')!;
}

beforeAll(async () => {
  server = createServer((_, response) => {
    if (answer === undefined) response.writeHead(503).end();
    else response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const mapping = {
    pair: { symbol: { key: true } },
    ...{ rate: '/mid', observedAt: { at: '/ms', as: 'milliseconds' } },
  };
  const bank = { kind: 'json', source: 'bank', url, everyMs: 1_000, networks: ['127.0.0.0/8'], pairs: ['GBP/INR'] };
  writeFileSync(sourcesFile, JSON.stringify({ sources: [{ ...bank, mapping }] }));
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(60, 20261201);
  await pipeline.settled();
}, 600_000);
afterAll(async () => {
  await pipeline?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('rates come from a source, and from a pipe, until they are stopped; what is shown says who quotes what', async () => {
  const { rate } = await shown();
  answer = `{"GBPINR":{"mid":${rate}0,"ms":${Date.now()}}}`;
  const looked = await run('rates', 'watch', sourcesFile, '--once', '--json');
  expect(looked.code, looked.stderr).toBe(0);
  expect(JSON.parse(looked.stdout)).toMatchObject({ source: 'bank', kind: 'read', written: 1, of: 1 });
  const now = await shown();
  expect(now.sources.map((each) => each.split(' ').slice(0, 3).join(' '))).toContain(`bank GBP/INR ${rate}0`);
  expect(now.waits).toBeNull();

  answer = undefined;
  const failed = await run('rates', 'watch', sourcesFile, '--once');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('RATE_SOURCE_DOWN');

  const child = spawn(process.execPath, [MAIN, 'rates', 'watch', sourcesFile, '--stdin', 'desk'], {
    env: pipeline.env,
  });
  const ended = once(child, 'close');
  const observedAt = new Date().toISOString();
  child.stdin.write(`${JSON.stringify({ base: 'GBP', quote: 'INR', rate: `${rate}1`, observedAt })}\nnonsense\n`);
  await expect
    .poll(async () => (await shown()).sources.some((each) => each.startsWith(`desk GBP/INR ${rate}1`)), POLLING)
    .toBe(true);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

it('what is open is the sum of the log, by the commands, by the kept count and by verification', async () => {
  const { log, codec } = pipeline.connections;
  await codec.load(['fx.position']);
  const records = await readTopic(log, 'fx.position');
  const open: Record<string, bigint> = {};
  for (const result of await codec.decode(
    'fx.position',
    records.map(({ value }) => value),
  )) {
    if (!result.ok) throw new Error(result.detail);
    const { sourceCurrency, sourceMinor, targetCurrency, targetMinor } = result.value;
    open[sourceCurrency] = (open[sourceCurrency] ?? 0n) + sourceMinor;
    open[targetCurrency] = (open[targetCurrency] ?? 0n) + targetMinor;
  }
  expect(records.length).toBeGreaterThan(20);
  const expected = Object.fromEntries(Object.entries(open).map(([currency, minor]) => [currency, minor.toString()]));

  const counts = positionCounts(await pipeline.connections.db());
  await expect.poll(async () => (await counts.find())?.records, POLLING).toBe(records.length);
  expect(Object.fromEntries((await counts.find())!.open)).toEqual(open);
  for (const more of [[], ['--recount']]) {
    const { code, stdout, stderr } = await run('fx', 'positions', '--json', ...more);
    expect(code, stderr).toBe(0);
    const { positions, isWhole, isProven, unproven } = JSON.parse(stdout) as {
      readonly positions: readonly { readonly currency: string; readonly minor: string }[];
      readonly isWhole: boolean;
      readonly isProven: boolean;
      readonly unproven: number;
    };
    expect(Object.fromEntries(positions.map(({ currency, minor }) => [currency, minor]))).toEqual(expected);
    expect([isWhole, isProven, unproven]).toEqual([true, true, 0]);
  }
  const verified = await run('verify', '--wait-quiet', '1', '--json', '--provider-ledger', pipeline.ledgerFile);
  expect(verified.code, verified.stdout.slice(-3_000)).toBe(0);
  const { totals } = JSON.parse(verified.stdout) as {
    readonly totals: { readonly currencies: Readonly<Record<string, { readonly open: string }>> };
  };
  for (const [currency, minor] of Object.entries(expected)) expect(totals.currencies[currency]!.open).toBe(minor);
});
