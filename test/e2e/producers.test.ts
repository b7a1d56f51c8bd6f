// The examples of docs/producers.md, run as their readers would run them, against a running pipeline.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TestPipeline } from '../kit/pipeline.ts';
import { pythonWith } from '../kit/python.ts';

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

function run(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
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
