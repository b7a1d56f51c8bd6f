// Held transfers, decided from the command line: approved ones go on to payment, rejected ones end, each exactly once.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const ALL_HELD: Mix = { ...NOTHING, held: 1_000 };
let pipeline: TestPipeline;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  await pipeline.start();
}, 120_000);
afterAll(async () => {
  await pipeline?.close();
});

function corridor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { env: pipeline.env, encoding: 'utf8' });
}
const json = <T>(...args: string[]): T => {
  const { status, stdout, stderr } = corridor(...args, '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as T;
};

async function until<T>(look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('did not come about');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

type Case = { case: string; transfer: string; state: string };
type Step = { state: string; sequence: number };
const ended = (id: string, state: string) => () => {
  const { status, stdout } = corridor('transfer', id, '--json');
  const steps = status === 0 ? (JSON.parse(stdout) as Step[]) : [];
  return steps.at(-1)?.state === state ? steps : undefined;
};

afterAll(async () => {
  // Whatever any part of the pipeline has written says which code wrote it.
  const db = await pipeline.connections.db();
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
    if (name === 'stores_schema') continue;
    const unmarked = await db.collection(name).findOne({ schemaVersion: { $exists: false } });
    expect(unmarked, name).toBeNull();
  }
});

describe('a held transfer', () => {
  it('goes on when approved, ends when rejected, and is decided once', async () => {
    // The first of a feed is always a good one.
    const [good, held, other] = await pipeline.feed(3, 5, { mix: ALL_HELD });
    await pipeline.settled();
    const open = await until(() => {
      const cases = json<Case[]>('cases', 'list');
      return cases.length === 2 ? cases : undefined;
    });
    expect(new Set(open.map(({ transfer }) => transfer))).toEqual(new Set([held!.account, other!.account]));
    expect(good!.expected).toBe('COMPLETED');

    const [first, second] = open as [Case, Case];
    const shown = (id: string) => JSON.parse(corridor('cases', 'show', id).stdout) as { evidenceHash: string };
    const decide = (id: string, verdict: string, evidence: string) =>
      corridor('cases', 'decide', id, verdict, '--reason', 'checked', '--evidence', evidence, '--by', 'amara');
    const stale = decide(first.case, '--approve', 'not what is held');
    expect(stale.status).toBe(1);
    expect(stale.stderr).toContain('EVIDENCE_CHANGED');
    expect(decide(first.case, '--approve', shown(first.case).evidenceHash).status).toBe(0);
    expect(decide(second.case, '--reject', shown(second.case).evidenceHash).status).toBe(0);
    expect(decide(first.case, '--reject', shown(first.case).evidenceHash).stderr).toContain('CASE_NOT_OPEN');

    const approved = await until(ended(first.transfer, 'COMPLETED'));
    expect(approved.map(({ state }) => state)).toEqual([
      'ACCEPTED',
      'HELD',
      'SCREENED',
      'PRICED',
      'RESERVED',
      'DISPATCHED',
      'COMPLETED',
    ]);
    expect(approved.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const rejected = await until(ended(second.transfer, 'REJECTED'));
    expect(rejected.map(({ state }) => state)).toEqual(['ACCEPTED', 'HELD', 'REJECTED']);
    expect(json<Case[]>('cases', 'list')).toEqual([]);
  }, 180_000);
});
