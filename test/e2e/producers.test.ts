// The examples of docs/producers.md, run as their readers would run them, against a running pipeline.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TestPipeline } from '../kit/pipeline.ts';
import { pythonWith } from '../kit/python.ts';
import { readTopic } from '../kit/read-topic.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../docs/examples');
const urls = inject('stack');
let pipeline: TestPipeline;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls });
  await pipeline.start();
}, 120_000);
afterAll(async () => {
  await pipeline?.close();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, stdout, stderr }));
  });
}

const at = ['--brokers', urls.kafkaBrokers.join(','), '--registry', urls.registryUrl];

function expectCompleted({ code, stdout, stderr }: Ended): void {
  expect(code, stderr).toBe(0);
  const steps = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { state: string; sequence: number });
  expect(steps.map(({ state }) => state)).toEqual([
    'ACCEPTED',
    'SCREENED',
    'PRICED',
    'RESERVED',
    'DISPATCHED',
    'COMPLETED',
  ]);
  expect(steps.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
}

describe('a producer that uses none of our code', () => {
  it('in TypeScript gets a transfer through to completion and reads it back', async () => {
    expectCompleted(await run(process.execPath, [path.join(EXAMPLES, 'typescript', 'transfer.ts'), ...at]));
  }, 120_000);

  it('in Python gets a transfer through to completion and reads it back', async () => {
    const python = await pythonWith(path.join(EXAMPLES, 'python', 'requirements.txt'));
    expect(existsSync(python)).toBe(true);
    expectCompleted(await run(python, ['-W', 'ignore', path.join(EXAMPLES, 'python', 'transfer.py'), ...at]));
  }, 240_000);
});

describe('corridor produce', () => {
  it('publishes two lines of which each is larger than 256 KB, and says so', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'corridor-lines-'));
    const account = { scheme: 'IBAN', value: 'GB33BUKB20201555555555' };
    const party = { customerId: 'customer-1', name: 'Gwen Carter', country: 'GB', account };
    const ids = [1, 2].map((n) => `large-${process.pid}-${Date.now().toString(36)}-${n}`);
    const lines = ids.map((transferId, n) =>
      JSON.stringify({
        transferId,
        endToEndId: 'E2E-1',
        requestedAt: new Date().toISOString(),
        instructedAmount: { minor: '2500', currency: 'GBP' },
        sourceCurrency: 'GBP',
        targetCurrency: 'INR',
        debtor: party,
        creditor: party,
        remittanceInformation: 'xy'.repeat(150_000 + n),
      }),
    );
    const file = path.join(folder, 'intents.ndjson');
    writeFileSync(file, lines.join('\n'));
    const main = path.resolve(import.meta.dirname, '../../cli/main.ts');
    const ended = await run(process.execPath, [main, 'produce', file, '--json'], pipeline.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ published: 2, skipped: 0 });
    // Each is its own record, whole: intake refuses both for the length of a text, and neither for its bytes.
    const { log } = pipeline.connections;
    await expect
      .poll(async () => (await readTopic(log, 'intent.rejected')).map(({ key }) => String(key)), { timeout: 60_000 })
      .toEqual(expect.arrayContaining(ids));
  }, 240_000);
});
