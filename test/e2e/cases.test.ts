// Held transfers, decided from the command line: approved ones go on to payment, rejected ones end, each exactly once.
// On servers of its own: the inbox shows a page, and what other tests leave in the log would fill it.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const ALL_HELD: Mix = { ...NOTHING, held: 1_000 };
const servers = useOwnStack('cases', { ephemeral: true });
let pipeline: TestPipeline;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
}, 240_000);
afterAll(() => pipeline?.close());

function corridor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { env: pipeline.env, encoding: 'utf8' });
}
const json = <T>(...args: string[]): T => {
  const { status, stdout, stderr } = corridor(...args, '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as T;
};

async function until<T>(look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + 300_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('did not come about');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

type Case = { id: string; transferId: string; stage: string; flaw: string | null };
type Inbox = { cases: Case[]; complete: boolean; total: { cases: number } };
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
      const { cases } = json<Inbox>('cases', 'list');
      return cases.length === 2 ? cases : undefined;
    });
    expect(new Set(open.map(({ transferId }) => transferId))).toEqual(new Set([held!.account, other!.account]));
    expect(good!.expected).toBe('COMPLETED');

    const [first, second] = open as [Case, Case];
    const table = corridor('cases', 'list').stdout;
    for (const { id } of open) expect(table).toContain(id);
    expect(table).toMatch(/\d+ open cases/);
    const page = corridor('cases', 'show', first.id).stdout;
    expect(page).toMatch(/Held because:[\s\S]*resembles CORRIDOR:/);
    expect(page).toMatch(/^Sender +\S+/m);

    const shown = (id: string) => json<{ seen: string; hold: { evidenceHash: string } }>('cases', 'show', id);
    const codes: Readonly<Record<string, string>> = { '--reject': 'TRUE_MATCH' };
    const decide = (id: string, verdict: string, ...more: string[]) => {
      const why = ['--code', codes[verdict] ?? 'OTHER_NAME', '--reason', 'checked'];
      return corridor('cases', 'decide', id, verdict, ...why, '--by', 'amara', ...more);
    };
    const onSeen = (id: string, verdict: string) => decide(id, verdict, '--evidence', shown(id).seen);
    expect(decide(first.id, '--approve', '--evidence', 'not what is held').stderr).toContain('EVIDENCE_CHANGED');
    expect(onSeen(first.id, '--clear').stderr).toContain('VERDICT_UNFIT');
    // Without a terminal nobody has seen it.
    expect(decide(first.id, '--approve').stderr).toContain('OPTION_MISSING');
    expect(shown(first.id).seen).toBe(shown(first.id).hold.evidenceHash);

    expect(corridor('cases', 'assign', first.id, '--as', 'bela').status).toBe(0);
    expect(corridor('cases', 'assign', first.id, '--as', 'amara').stderr).toContain('CASE_ASSIGNED');
    expect(json<Inbox>('cases', 'list', '--assigned-to', 'BELA').cases.map(({ id }) => id)).toEqual([first.id]);
    expect(json<Inbox>('cases', 'list', '--unassigned').cases.map(({ id }) => id)).toEqual([second.id]);
    expect(corridor('cases', 'release', first.id, '--as', 'amara').stderr).toContain('ASSIGNMENT_UNKNOWN');

    // It keeps nobody from deciding.
    expect(onSeen(first.id, '--approve').status).toBe(0);
    expect(onSeen(second.id, '--reject').status).toBe(0);
    expect(onSeen(first.id, '--reject').stderr).toContain('CASE_NOT_OPEN');
    const decided = json<{ case: string }[]>('cases', 'holds', '--state', 'DECIDED').map((hold) => hold.case);
    expect(decided.toSorted()).toEqual([first.id, second.id].toSorted());

    const approved = await until(ended(first.transferId, 'COMPLETED'));
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
    const rejected = await until(ended(second.transferId, 'REJECTED'));
    expect(rejected.map(({ state }) => state)).toEqual(['ACCEPTED', 'HELD', 'REJECTED']);
    const left = json<Inbox>('cases', 'list');
    expect(left.complete).toBe(true);
    expect(left.cases).toEqual([]);
  }, 900_000);
});
