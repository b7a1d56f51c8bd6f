// A night on call, over HTTP, with the tokens of three people. A rule that was rolled out broken dead-letters the transfers of
// one corridor; the mended build is checked; the operator selects the group, the server tries it, another person lets it
// through, and it is sent while API and sender are killed. Each letter ends once, as was predicted, and no other transfer was
// touched. The same with a cause that is not mended: the canary stops it.
// On servers of its own, since `corridor verify` looks at the whole log.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { corridorsFile } from '../kit/corridors-file.ts';
import {
  ALL_GOOD,
  ASHA,
  BEN,
  BROKEN,
  CARLA,
  type HttpAnswer,
  OnCall,
  OTHERS,
  type Person,
  PRICING,
  RUNNER,
  refused,
  WAIT,
} from '../kit/on-call.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { runVerify } from '../kit/pipeline-checks.ts';
import { expectNothingPlanted } from '../kit/planted.ts';
import { times } from '../kit/times.ts';

/** 5,000 in the full run (`npm run test:full`). A fifth of what comes after the roll-out is of the corridor that breaks. */
const TRANSFERS = Math.min(times(100) * 2, 5_000);
const RATE = TRANSFERS >= 2_000 ? 200 : 8;

const servers = useOwnStack('replays-over-http', { ephemeral: true });
let pipeline: TestPipeline;
let people: OnCall;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  people = new OnCall(pipeline, servers.stateDir);
  await Promise.all([pipeline.startMore([...OTHERS, ...PRICING]), people.startApi()]);
}, 900_000);
afterAll(async () => {
  await people?.close();
  await pipeline?.close();
});

/** `corridor dlq check`, as a pipeline of a build calls it before it is rolled out. */
const checkBuild = async (env: NodeJS.ProcessEnv): Promise<unknown> =>
  JSON.parse((await people.corridor(['dlq', 'check', '--owner', 'fx-pricing', '--json'], undefined, env)).stdout);

const letters = async () => (await pipeline.connections.db()).collection<DeadLetterDocument>(DEAD_LETTERS);

const sentOf = ({ body }: HttpAnswer): number =>
  body.counts
    .filter(({ state }: { state: string }) => state === 'SENT')
    .reduce((sum: number, { letters: n }: { letters: number }) => sum + n, 0);

const tried = async (terms: object) => people.tried({ groupId: (await people.group()).groupId }, terms);

/** Asked for by asha; refused to her under whatever roles and name; let through by one of two who try at once. */
async function letThrough(replay: HttpAnswer): Promise<string> {
  const asked = await people.asked(replay);
  expect(asked.body.summary).toContain(`replay ${replay.body.replay.letters} dead letters of fx-pricing`);
  const approve = (who: Person, etag = asked.etag) => people.approve(who, { ...asked, etag });
  for (const name of ['asha', 'ASHA', 'аsha'])
    expect(await approve({ name, roles: ['operator', 'approver', 'admin'] })).toEqual(
      refused('SECOND_PERSON_NEEDED', 403),
    );
  expect(await approve(BEN, '"WAITING.0"')).toEqual(refused('PRECONDITION_FAILED', 412));
  expect(await approve({ name: 'ben', roles: ['compliance'] })).toEqual(refused('ACTION_FORBIDDEN', 403));
  const both = await Promise.all([approve(BEN), approve(CARLA)]);
  expect(both.map(({ status }) => status === 200).toSorted()).toEqual([false, true]);
  // The same command once more is no other decision.
  expect((await approve(BEN)).status).toBe(412);
  return replay.body.replay.replayId;
}

describe('dead letters of a rule that was broken', () => {
  let fed = 0;
  let dead = 0;
  const fedRecords: FedRecord[] = [];
  const others = async () =>
    (await pipeline.connections.db())
      .collection<{ _id: string }>('transfers')
      .find({ state: 'COMPLETED' })
      .sort({ _id: 1 })
      .toArray();
  let before: Awaited<ReturnType<typeof others>>;

  it('stand in one group with their money, and nothing else was disturbed', async () => {
    fedRecords.push(...(await pipeline.feed(TRANSFERS / 2, 21, { mix: ALL_GOOD })));
    fed = fedRecords.length;
    await vi.waitUntil(async () => (await people.transfersIn('COMPLETED')) === fed, WAIT);
    // The roll-out.
    await pipeline.processes.at(-1)!.stop(20_000);
    const broken = await people.breakPricing(TRANSFERS / 2, fed);
    ({ dead } = broken);
    fedRecords.push(...broken.fed);
    fed = fedRecords.length;
    const found = await people.group();
    expect(found).toMatchObject({ letters: dead, corridors: [BROKEN.id] });
    const indexed = await (await letters()).find({ owner: 'fx-pricing' }, { useBigInt64: true }).toArray();
    const sum = indexed.reduce((total, { amountMinor }) => total + BigInt(amountMinor!), 0n);
    expect(found.money.reduce((total, { amount }) => total + BigInt(amount.minor), 0n)).toBe(sum);
    before = await others();
    expect(before).toHaveLength(fed - dead);
  }, 600_000);

  it('are told to fail still on the broken build, and to go through on the mended one', async () => {
    expect(await checkBuild(people.broken)).toEqual([
      expect.objectContaining({ verdict: 'still fails', letters: dead }),
    ]);
    expect(await checkBuild({})).toEqual([
      expect.objectContaining({ verdict: 'goes through', kind: 'GOES_ON', letters: dead }),
    ]);
  }, 600_000);

  it('are stopped by the canary as long as the rule is broken', async () => {
    await pipeline.startMore(RUNNER);
    // The build that tries is mended, what runs is not: the prediction is wrong, and the canary finds it.
    const id = await letThrough(await tried({ canary: 5, ratePerSecond: 100 }));
    const stopped = await people.untilReplay(id, ({ body }) => body.replay.state === 'STOPPED');
    expect(stopped.body.replay.halted.code).toBe('REPLAY_CANARY_FAILED');
    expect(sentOf(stopped)).toBeLessThanOrEqual(5);
    expect((await people.post(ASHA, `/replays/${id}/cancel`, stopped.etag)).status).toBe(200);
    await vi.waitUntil(async () => (await people.parked()) === dead, WAIT);
  }, 600_000);

  it('are not sent by a build that another decided on', async () => {
    // By commands over the API: who acts is who their token says, and `--by` is no option there.
    const { groupId } = await people.group();
    const asked = await people.corridor(
      ['dlq', 'replay', '--group', groupId, '--reason', 'mended', '--letters', String(dead), '--json'],
      ASHA,
    );
    expect(asked.code, asked.stderr).toBe(0);
    const { replay } = JSON.parse(asked.stdout);
    const id: string = replay.replayId;
    expect(replay).toMatchObject({ askedBy: 'asha', letters: dead, expected: [{ kind: 'GOES_ON', letters: dead }] });
    await pipeline.processes.at(-1)!.kill('SIGKILL');
    const approve = (who: Person, count: number, ...more: string[]) =>
      people.corridor(['dlq', 'approve', id, '--letters', String(count), '--reason', 'looked', ...more], who);
    const both: Person = { name: 'asha', roles: ['operator', 'approver'] };
    expect((await approve(both, dead)).stderr).toContain('SECOND_PERSON_NEEDED');
    expect((await approve(both, dead, '--by', 'ben')).stderr).toContain('unknown option');
    expect((await approve(BEN, dead + 1)).stderr).toContain('EVIDENCE_CHANGED');
    const approved = await approve(BEN, dead);
    expect(approved.stdout, approved.stderr).toContain('APPROVED by ben');
    // Who would send has other rules than those that the approval is bound to.
    const dearer = corridorsFile(servers.stateDir, (one) => ({ ...one, marginBps: one.marginBps + 1 }));
    await pipeline.startMore(RUNNER, { CORRIDOR_CORRIDORS_FILE: dearer });
    const voided = await people.untilReplay(id, ({ body }) => body.replay.state === 'CANCELLED');
    expect(voided.body.replay.halted).toMatchObject({ code: 'APPROVAL_VOID' });
    expect(sentOf(voided)).toBe(0);
    await vi.waitUntil(async () => (await people.parked()) === dead, WAIT);
  }, 600_000);

  it('end once each as predicted when it is mended, though API and sender are killed twice', async () => {
    await pipeline.kill();
    await pipeline.startMore([...PRICING, ...OTHERS, ...RUNNER]);
    const frozen = await tried({ canary: Math.min(25, Math.ceil(dead / 4)), ratePerSecond: RATE });
    expect(frozen.body.replay.expected).toEqual([{ kind: 'GOES_ON', code: null, letters: dead }]);
    const id = await letThrough(frozen);
    for (let kills = 0; kills < 2; kills++) {
      const sent = sentOf(await people.ask(ASHA, `/replays/${id}`));
      await people.untilReplay(id, (found) => found.body.replay.state === 'ENDED' || sentOf(found) > sent);
      await Promise.all([pipeline.processes.at(-1)!.kill('SIGKILL'), people.api.kill('SIGKILL')]);
      await Promise.all([pipeline.startMore(RUNNER), people.startApi()]);
    }
    const ended = await people.untilReplay(id, ({ body }) => body.replay.state === 'ENDED');
    expect(ended.body.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: dead }]);
    await pipeline.settled();
    const after = new Map((await others()).map((transfer) => [transfer._id, transfer]));
    expect(after.size).toBe(fed);
    expect(before.map(({ _id }) => after.get(_id))).toEqual(before);
    const { code, said } = await runVerify(pipeline);
    expect(code, said).toBe(0);
  }, 900_000);

  it('named nobody in what was answered, logged, measured and audited', async () => {
    await expectNothingPlanted(pipeline, people, { fed: fedRecords });
  }, 300_000);
});
