// A night on call: a broken rule dead-letters the transfers of one corridor; it is mended; the build is checked, the letters are
// tried, a second person lets them through, and they are sent while the process that sends them is killed. Each ends once, as
// was predicted, and all others were not disturbed. Then the same with a cause that is not mended: the canary stops it.
// On servers of its own, since `corridor verify` looks at the whole log.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { brokenBuild } from '../kit/broken-build.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { runVerify } from '../kit/pipeline-checks.ts';
import { readTopic } from '../kit/read-topic.ts';

const ALL_GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
/** A state is waited for; this ends a run in which it never comes. */
const WAIT = { timeout: 180_000, interval: 300 };
const BROKEN = CORRIDORS[0]!;
const EDITED = 'as agreed by telephone';
const PRICING = [['--processors', 'fx-pricing']];
const OTHERS = [
  ['--processors', 'intake,screening,limits,payout-dispatch,settlement', '--sinks', 'all', '--payouts', '--cases'],
];

const servers = useOwnStack('replays', { ephemeral: true });
let pipeline: TestPipeline;
let broken: NodeJS.ProcessEnv;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  broken = brokenBuild(BROKEN.id);
  const lax = { CORRIDOR_DLQ_BREAKER_MAX_RATIO: '1', CORRIDOR_DLQ_BREAKER_MAX_RUN: '1000' };
  await pipeline.startMore(PRICING, { ...broken, ...lax });
  await pipeline.startMore(OTHERS);
}, 240_000);
afterAll(() => pipeline?.close());

const corridor = (...args: string[]) => runCorridor(args, pipeline.env);

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await corridor(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Group {
  readonly id: string;
  readonly owner: string;
  readonly letters: number;
  readonly corridors: readonly string[];
  readonly money: readonly { readonly currency: string; readonly minor: string }[];
}
interface Replay {
  readonly _id: string;
  readonly state: string;
  readonly letters: number;
  readonly dryRun: { readonly histogram: readonly { readonly kind: string; readonly letters: number }[] };
  readonly halted: { readonly code: string } | null;
  readonly counts: readonly { readonly state: string; readonly outcome: string | null; readonly letters: number }[];
}

const letters = async () => (await pipeline.connections.db()).collection<DeadLetterDocument>(DEAD_LETTERS);
const transfersIn = async (...states: string[]) =>
  (await pipeline.connections.db()).collection('transfers').countDocuments({ state: { $in: states } });
const show = async (id: string) => (await json<Replay[]>('dlq', 'replays', 'show', id))[0]!;

/** Waits until every transfer has ended or is dead-lettered, and every dead letter of pricing is indexed. */
async function deadLettered(fed: number): Promise<number> {
  return vi.waitUntil(async () => {
    const dead = await transfersIn('DEAD_LETTERED');
    const still = (await transfersIn('COMPLETED', 'REJECTED', 'RETURNED', 'HELD')) + dead;
    const indexed = await (await letters()).countDocuments({ owner: 'fx-pricing', state: 'PARKED' });
    return still === fed && indexed === dead && dead > 0 ? dead : undefined;
  }, WAIT);
}

async function pricingGroup(): Promise<Group> {
  return vi.waitUntil(async () => {
    const { groups, complete } = await json<{ groups: Group[]; complete: boolean }>('dlq', 'groups');
    return complete ? groups.find(({ owner }) => owner === 'fx-pricing') : undefined;
  }, WAIT);
}

async function askAndApprove(group: string, ...terms: string[]): Promise<Replay> {
  const asked = await json<Replay[]>('dlq', 'replay', '--group', group, '--reason', 'mended', '--by', 'asha', ...terms);
  const replay = asked[0]!;
  const decide = (by: string, count: number) =>
    corridor('dlq', 'approve', replay._id, '--letters', String(count), '--reason', 'looked', '--by', by);
  expect((await decide('Asha ', replay.letters)).stderr).toContain('SECOND_PERSON_NEEDED');
  expect((await decide('ben', replay.letters + 1)).stderr).toContain('EVIDENCE_CHANGED');
  expect((await decide('ben', replay.letters)).code).toBe(0);
  expect((await decide('carla', replay.letters)).stderr).toContain('APPROVAL_MOVED');
  return replay;
}

describe('dead letters of a rule that was broken', () => {
  let fed = 0;
  let dead = 0;

  it('stand in one group with their money, and nothing else was disturbed', async () => {
    fed = (await pipeline.feed(160, 21, { mix: ALL_GOOD })).length;
    dead = await deadLettered(fed);
    const group = await pricingGroup();
    expect(group).toMatchObject({ letters: dead, corridors: [BROKEN.id] });
    const indexed = await (await letters()).find({ owner: 'fx-pricing' }, { useBigInt64: true }).toArray();
    const sum = indexed.reduce((total, { amountMinor }) => total + BigInt(amountMinor!), 0n);
    expect(group.money.reduce((total, { minor }) => total + BigInt(minor), 0n)).toBe(sum);
    expect(await transfersIn('COMPLETED')).toBe(fed - dead);
  }, 240_000);

  it('are told to fail still on the broken build, and to go through on the mended one', async () => {
    const check = ['dlq', 'check', '--owner', 'fx-pricing', '--json'];
    const still = await runCorridor(check, { ...pipeline.env, ...broken });
    expect(JSON.parse(still.stdout)).toEqual([expect.objectContaining({ verdict: 'still fails', letters: dead })]);
    const rows = await json<object[]>('dlq', 'check', '--owner', 'fx-pricing');
    expect(rows).toEqual([expect.objectContaining({ verdict: 'goes through', kind: 'GOES_ON', letters: dead })]);
  }, 240_000);

  it('are stopped by the canary as long as the rule is broken', async () => {
    await pipeline.startMore([['--replays']]);
    const { id } = await pricingGroup();
    // The build at hand is mended, what runs is not: the prediction is wrong, and the canary finds it.
    const { _id } = await askAndApprove(id, '--canary', '5', '--rate', '100');
    const stopped = await vi.waitUntil(async () => {
      const replay = await show(_id);
      return replay.state === 'STOPPED' ? replay : undefined;
    }, WAIT);
    expect(stopped.halted!.code).toBe('REPLAY_CANARY_FAILED');
    const sent = stopped.counts
      .filter(({ state }) => state === 'SENT')
      .reduce((total, { letters: some }) => total + some, 0);
    expect(sent).toBeLessThanOrEqual(5);
    expect((await corridor('dlq', 'replays', 'cancel', _id, '--by', 'asha')).code).toBe(0);
    await vi.waitUntil(
      async () => (await (await letters()).countDocuments({ owner: 'fx-pricing', state: 'PARKED' })) === dead,
      WAIT,
    );
  }, 240_000);

  it('of which one is discarded, by the stage that is still broken, ends as rejected', async () => {
    const [letter] = await (await letters()).find({ owner: 'fx-pricing', state: 'PARKED' }).toArray();
    const asked = await json<Replay[]>(
      ...['dlq', 'discard', '--letter', letter!._id, '--reason', 'closed', '--reason-code', 'AC04', '--by', 'asha'],
    );
    expect(asked[0]!.dryRun.histogram).toEqual([{ kind: 'REJECTED', code: 'AC04', letters: 1 }]);
    const { _id } = asked[0]!;
    const decide = ['dlq', 'approve', _id, '--letters', '1', '--reason', 'seen'];
    expect((await corridor(...decide, '--by', 'asha')).stderr).toContain('SECOND_PERSON_NEEDED');
    expect((await corridor(...decide, '--by', 'ben')).code).toBe(0);
    const ended = await vi.waitUntil(async () => {
      const replay = await show(_id);
      return replay.state === 'ENDED' ? replay : undefined;
    }, WAIT);
    expect(ended.counts).toEqual([{ state: 'SENT', outcome: 'REJECTED', reason: null, letters: 1 }]);
    const transfers = (await pipeline.connections.db()).collection<{ _id: string }>('transfers');
    expect(await transfers.findOne({ _id: letter!.transferId! })).toMatchObject({ state: 'REJECTED' });
    expect(await (await letters()).findOne({ _id: letter!._id })).toMatchObject({ state: 'DISCARDED' });
    dead -= 1;
  }, 240_000);

  it('of which one is edited, is decided as another person approved it, and is paid with what it says then', async () => {
    await pipeline.kill();
    await pipeline.startMore([...PRICING, ...OTHERS, ['--replays']]);
    const [letter] = await (await letters()).find({ owner: 'fx-pricing', state: 'PARKED' }).toArray();
    const [patch, locked] = ['patch.json', 'locked.json'].map((name) => path.join(servers.stateDir, name));
    writeFileSync(patch!, JSON.stringify([{ op: 'replace', path: '/parties/remittanceInformation', value: EDITED }]));
    writeFileSync(
      locked!,
      JSON.stringify([{ op: 'replace', path: '/instruction/instructedAmount/minor', value: '1' }]),
    );
    const edit = (file: string) => ['dlq', 'edit', letter!._id, '--patch', file, '--reason', 'mended', '--by', 'asha'];
    expect((await corridor(...edit(locked!))).stderr).toContain('EDIT_LOCKED');
    await vi.waitUntil(async () => (await (await letters()).findOne({ _id: letter!._id }))!.state === 'PARKED', WAIT);
    const { _id, dryRun } = (await json<Replay[]>(...edit(patch!)))[0]!;
    expect(dryRun.histogram).toEqual([{ kind: 'GOES_ON', code: null, letters: 1 }]);
    const decide = ['dlq', 'approve', _id, '--letters', '1', '--reason', 'seen'];
    expect((await corridor(...decide, '--by', 'asha')).stderr).toContain('SECOND_PERSON_NEEDED');
    const approved = await corridor(...decide, '--by', 'ben');
    expect(approved.code, approved.stderr).toBe(0);
    expect(approved.stdout).toContain('/parties/remittanceInformation');
    expect(approved.stdout).not.toContain(EDITED);
    const ended = await vi.waitUntil(async () => {
      const replay = await show(_id);
      return replay.state === 'ENDED' ? replay : undefined;
    }, WAIT);
    expect(ended.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: 1 }]);
    const { log, codec } = pipeline.connections;
    await codec.load(['transfer.completed']);
    const records = await readTopic(log, 'transfer.completed');
    const values = await codec.decode(
      'transfer.completed',
      records.filter(({ key }) => key?.toString() === letter!.transferId).map(({ value }) => value),
    );
    expect(values).toHaveLength(1);
    const [completed] = values;
    expect(completed!.ok && completed!.value.parties).toMatchObject({
      'corridor.Parties': { remittanceInformation: EDITED },
    });
    dead -= 1;
  }, 300_000);

  it('end once each as predicted when it is mended, though the sender is killed twice', async () => {
    const { id, letters: parked } = await pricingGroup();
    expect(parked).toBe(dead);
    const { _id, dryRun } = await askAndApprove(id, '--canary', '3', '--rate', '5');
    expect(dryRun.histogram).toEqual([{ kind: 'GOES_ON', code: null, letters: dead }]);
    for (let kills = 0; kills < 2; kills++) {
      const before = (await show(_id)).counts.find(({ state }) => state === 'SENT')?.letters ?? 0;
      await vi.waitUntil(async () => {
        const { state, counts } = await show(_id);
        const sent = counts.filter((count) => count.state === 'SENT').reduce((sum, count) => sum + count.letters, 0);
        return state === 'ENDED' || sent > before;
      }, WAIT);
      await pipeline.processes.at(-1)!.kill('SIGKILL');
      await pipeline.startMore([['--replays']]);
    }
    const ended = await vi.waitUntil(async () => {
      const replay = await show(_id);
      return replay.state === 'ENDED' ? replay : undefined;
    }, WAIT);
    expect(ended.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: dead }]);
    // All but the one that was discarded.
    await vi.waitUntil(async () => (await transfersIn('COMPLETED')) === fed - 1, WAIT);
    expect(await transfersIn('REJECTED')).toBe(1);
    const { code, said } = await runVerify(pipeline);
    expect(code, said).toBe(0);
  }, 400_000);
});
