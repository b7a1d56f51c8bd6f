// What people do on call, by processes that are killed before and after each side effect of it: discards of dead letters, what is
// paused and resumed, a record that is skipped. Nothing is lost, nothing is done twice, and the audit log is whole.
// On servers of its own: consumers are stopped, and `corridor verify` looks at the whole log.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import type { Child } from '../../infra/local/children.ts';
import type { ActFailpoint } from '../../ports/act-failpoints.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { LogFailpoint } from '../../ports/log-failpoints.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { stoppingBuild } from '../kit/broken-build.ts';
import {
  ALL_GOOD,
  ASHA,
  BEN,
  BROKEN,
  type HttpAnswer,
  OnCall,
  OTHERS,
  type Person,
  PRICING,
  RUNNER,
  WAIT,
} from '../kit/on-call.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { runVerify } from '../kit/pipeline-checks.ts';
import { readTopic } from '../kit/read-topic.ts';

type Failpoint = ActFailpoint | LogFailpoint;
const TRANSFERS = 40;
const LONG_MS = 1_800_000;
/** A second process of two consumers that people pause. */
const BESIDE = ['--processors', 'limits', '--payouts'];
const SENDER = [...RUNNER[0]!, '--audit'];

const servers = useOwnStack('killed-acts', { ephemeral: true });
let pipeline: TestPipeline;
let people: OnCall;

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  people = new OnCall(pipeline, servers.stateDir);
  await pipeline.startMore(OTHERS);
}, LONG_MS);
afterAll(async () => {
  await people?.close();
  await pipeline?.close();
}, 120_000);

const kills = (failpoint: Failpoint): NodeJS.ProcessEnv => ({ CORRIDOR_FAILPOINTS: `${failpoint}=kill@1` });
const last = (): Child => pipeline.processes.at(-1)!;

/** Starts a process of the pipeline, to be killed at this failpoint, perhaps before it has said that it is ready. */
async function dieAt(failpoint: Failpoint, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const how = pipeline.startMore([args], { ...env, ...kills(failpoint) }).then(
    async () => (await last().exited).signal,
    (error: unknown) => String(error),
  );
  expect(await how, failpoint).toContain('SIGKILL');
}

/** The API of this moment is killed by what is asked of it; the next one is to be killed at another failpoint. */
async function killedBy(request: () => Promise<unknown>, next?: Failpoint): Promise<void> {
  const { api } = people;
  await expect(request()).rejects.toThrow('fetch failed');
  expect((await api.exited).signal).toBe('SIGKILL');
  await people.stopApi(api);
  await people.startApi(next === undefined ? {} : kills(next));
}

const transferIds = (records: readonly LogRecord[]): readonly string[] => records.map(({ key }) => String(key));
const executions = (): readonly string[] =>
  readFileSync(pipeline.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"execution"'));
const transfersIn = (...states: string[]) => people.transfersIn(...states);
const until = (isSo: () => Promise<boolean>) => vi.waitUntil(isSo, WAIT);
const approval = (id: string) => people.ask(BEN, `/approvals/${id}`);
const stateOf = async (id: string): Promise<string> => (await approval(id)).body.state;
const letterOf = async (id: string) => {
  const db = await pipeline.connections.db();
  return db.collection<DeadLetterDocument>(DEAD_LETTERS).findOne({ _id: id });
};

/** How often the audit log has each outcome of one action of one person. */
async function audited(action: string, subject: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await people.ask(BEN, `/audit/entries?action=${action}&subject=${subject}&limit=50`);
  const found: Record<string, number> = {};
  for (const { entry } of body.items) found[entry.outcome] = (found[entry.outcome] ?? 0) + 1;
  return found;
}

describe('a discard', () => {
  it(
    'ends each transfer once, though API, sender and stage are killed before and after each side effect',
    async () => {
      const { dead } = await people.breakPricing(TRANSFERS);
      await pipeline.processes.at(-1)!.stop(20_000);
      const db = await pipeline.connections.db();
      const some = await db
        .collection<DeadLetterDocument>(DEAD_LETTERS)
        .find({ owner: 'fx-pricing' })
        .limit(3)
        .toArray();
      const ids = some.map(({ _id }) => _id);

      await pipeline.startMore([SENDER]);
      await people.startApi(kills('approvals.after-insert'));
      const body = { select: { letterIds: ids }, reason: 'the senders were paid back', reasonCode: 'AC04' };
      const made = await people.ask(ASHA, '/dead-letters/discards', { body, key: people.key() });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      const { replayId } = made.body;
      const tried = await people.untilReplay(replayId, (found) => found.body.replay.expected !== null);
      expect(tried.body.replay.expected).toEqual([{ kind: 'REJECTED', code: 'AC04', letters: 3 }]);
      await last().kill('SIGKILL');
      await killedBy(() => people.post(ASHA, `/replays/${replayId}/ask`, tried.etag), 'approvals.after-decide');
      // Asked for again, it is one question.
      const seen = await people.ask(ASHA, `/replays/${replayId}`);
      const asked = seen.body.replay.approvalId
        ? await approval(seen.body.replay.approvalId)
        : await people.asked(seen);
      await killedBy(() => people.approve(BEN, asked));
      const { approvalId } = asked.body;
      expect(await stateOf(approvalId)).toBe('APPROVED');

      for (const failpoint of ['replays.before-send', 'replays.after-send'] as const) await dieAt(failpoint, SENDER);
      await pipeline.startMore([SENDER]);
      const stillBroken = people.broken;
      for (const failpoint of ['eos.before-send', 'eos.after-send', 'eos.after-commit'] as const)
        await dieAt(failpoint, PRICING[0]!, stillBroken);
      await last().kill('SIGKILL');
      await pipeline.startMore(PRICING, stillBroken);
      await until(async () => (await transfersIn('REJECTED')) === 3);
      const ended = await people.untilReplay(replayId, (found) => found.body.replay.state === 'ENDED');
      expect(ended.body.counts).toEqual([{ state: 'SENT', outcome: 'REJECTED', reason: null, letters: 3 }]);
      expect(await stateOf(approvalId)).toBe('EXECUTED');
      for (const id of ids) expect(await letterOf(id)).toMatchObject({ state: 'DISCARDED' });
      const rejected = transferIds(await readTopic(pipeline.connections.log, 'transfer.rejected'));
      expect(rejected.toSorted()).toEqual(some.map(({ transferId }) => transferId!).toSorted());
      expect([await transfersIn('DEAD_LETTERED'), await people.parked()]).toEqual([dead - 3, dead - 3]);
    },
    2 * LONG_MS,
  );
});

describe('what is paused', () => {
  const TARGETS = {
    processor: 'processor/limits',
    provider: 'provider/simulator',
    corridor: `corridor/${BROKEN.id.toLowerCase()}`,
  } as const;
  const pause = (target: string) =>
    people.ask(ASHA, '/controls/pause', { body: { target, reason: 'pays what it must not' } });
  const shown = async (): Promise<readonly string[]> => {
    const { body } = await people.ask(ASHA, '/controls');
    return body.items.map(({ target }: { target: string }) => target).toSorted();
  };
  const askToResume = (target: string, key: string) =>
    people.ask(ASHA, '/controls/resume', { body: { target, reason: 'mended' }, key });
  const execute = async (id: string, who: Person = BEN): Promise<HttpAnswer> =>
    people.post(who, `/approvals/${id}/execute`, (await approval(id)).etag);
  async function resumed(target: string): Promise<void> {
    const asked = await askToResume(target, people.key());
    const approved = await people.approve(BEN, asked);
    expect(approved, JSON.stringify(approved.body)).toMatchObject({ status: 200, body: { state: 'EXECUTED' } });
  }

  /** Of the transfers that stand before limits: those of one partition, and those of the corridor. */
  async function standing(before: ReadonlySet<string>) {
    const { log, codec } = pipeline.connections;
    await codec.load(['transfer.priced']);
    const records = (await readTopic(log, 'transfer.priced')).filter(({ key }) => !before.has(String(key)));
    const values = await codec.decode(
      'transfer.priced',
      records.map(({ value }) => value),
    );
    const book = corridorBook(CORRIDORS);
    return records.map(({ key, partition }, place) => {
      const decoded = values[place]!;
      if (!decoded.ok) throw new Error(`${key} does not decode`);
      const { sourceCurrency, targetCurrency } = decoded.value.instruction;
      return {
        id: String(key),
        partition,
        isOfCorridor: book.between(sourceCurrency, targetCurrency)?.id === BROKEN.id,
      };
    });
  }

  it(
    'stands on every process, also on those that start later, until two persons end it, once',
    async () => {
      await last().stop(20_000);
      const [completed, earlier] = [
        await transfersIn('COMPLETED'),
        new Set(transferIds(await readTopic(pipeline.connections.log, 'transfer.priced'))),
      ];
      await Promise.all([pipeline.startMore([...PRICING, BESIDE]), people.stopApi(people.api)]);
      await people.startApi(kills('controls.before-publish'));
      await killedBy(() => pause(TARGETS.processor), 'controls.after-publish');
      expect(await shown()).toEqual([]);
      await killedBy(() => pause(TARGETS.processor), 'approvals.after-insert');
      expect(await shown()).toEqual([TARGETS.processor]);
      for (const target of Object.values(TARGETS)) expect((await pause(target)).status).toBe(200);

      await pipeline.feed(TRANSFERS, 23, { mix: ALL_GOOD });
      await until(async () => (await transfersIn('PRICED')) === TRANSFERS);
      const all = await standing(earlier);
      expect(all).toHaveLength(TRANSFERS);
      const { partition } = all.find(({ isOfCorridor }) => !isOfCorridor)!;
      const ofPartition = `partition/limits/${partition}`;
      expect((await pause(ofPartition)).status).toBe(200);
      const paid = executions().length;

      // Every process ends, and others begin.
      await pipeline.kill();
      await pipeline.startMore([...OTHERS, BESIDE, ...PRICING, SENDER]);
      for (const { ready } of pipeline.processes.slice(0, 2)) {
        await until(async () => {
          const health = await fetch(`${String(ready['health'])}/health/ready`);
          const { waitingFor } = (await health.json()) as { readonly waitingFor: readonly string[] };
          return ['PROCESSOR/limits', `PARTITION/limits/${partition}`].every((key) => waitingFor.includes(key));
        });
      }
      expect(await shown()).toEqual([...Object.values(TARGETS), ofPartition].toSorted());
      expect([await transfersIn('PRICED'), executions().length]).toEqual([TRANSFERS, paid]);

      // Two persons end the first of them, on an API that is killed after each step.
      const key = people.key();
      await killedBy(() => askToResume(TARGETS.processor, key), 'approvals.after-decide');
      const asked = await askToResume(TARGETS.processor, key);
      expect(asked, JSON.stringify(asked.body)).toMatchObject({ status: 201, body: { state: 'WAITING' } });
      const { approvalId } = asked.body;
      await killedBy(() => people.approve(BEN, asked), 'approvals.after-begin');
      for (const next of ['controls.before-publish', 'controls.after-publish'] as const) {
        expect(await stateOf(approvalId)).toBe('APPROVED');
        await killedBy(() => execute(approvalId), next);
        expect(await shown()).toContain(TARGETS.processor);
      }
      await killedBy(() => execute(approvalId), 'approvals.before-end');
      expect([await shown(), await stateOf(approvalId)]).toEqual([
        [TARGETS.corridor, ofPartition, TARGETS.provider].toSorted(),
        'APPROVED',
      ]);
      await killedBy(() => execute(approvalId), 'approvals.after-end');
      expect(await stateOf(approvalId)).toBe('APPROVED');
      await killedBy(() => execute(approvalId));
      expect(await stateOf(approvalId)).toBe('EXECUTED');
      expect(await execute(approvalId)).toMatchObject({ status: 409, body: { code: 'APPROVAL_MOVED' } });
      const { body: controls } = await people.ask(ASHA, '/controls?all=true');
      expect(controls.items.find(({ target }: { target: string }) => target === TARGETS.processor)).toMatchObject({
        ...{ isPaused: false, version: 3, approvalId, approvedBy: 'ben' },
      });

      // Each of the others holds by itself what it is about, and nothing else.
      const left = all.filter((each) => each.partition === partition).length;
      await until(async () => (await transfersIn('PRICED')) === left);
      await until(async () => (await transfersIn('DISPATCHED')) === TRANSFERS - left);
      expect(executions()).toHaveLength(paid);
      await resumed(TARGETS.provider);
      const free = all.filter((each) => each.partition !== partition && !each.isOfCorridor).length;
      await until(async () => (await transfersIn('COMPLETED')) === completed + free);
      await resumed(ofPartition);
      const others = all.filter(({ isOfCorridor }) => !isOfCorridor).length;
      await until(async () => (await transfersIn('COMPLETED')) === completed + others);
      expect(executions()).toHaveLength(paid + others);
      await resumed(TARGETS.corridor);
      await until(async () => (await transfersIn('COMPLETED')) === completed + TRANSFERS);
      expect(executions()).toHaveLength(paid + TRANSFERS);
      expect(await shown()).toEqual([]);
    },
    2 * LONG_MS,
  );
});

describe('a skip', () => {
  it(
    'puts the record aside once and moves the position once, though its consumer is killed at each step',
    async () => {
      const { log } = pipeline.connections;
      const pricing = pipeline.processes.at(-2)!;
      await pricing.stop(20_000);
      const completed = await transfersIn('COMPLETED');
      const earlier = new Set(transferIds(await readTopic(log, 'transfer.screened')));
      await pipeline.feed(TRANSFERS, 24, { mix: ALL_GOOD });
      await until(async () => (await transfersIn('SCREENED')) === TRANSFERS);
      const waiting = (await readTopic(log, 'transfer.screened')).filter(({ key }) => !earlier.has(String(key)));
      const [, inOne] = [...Map.groupBy(waiting, ({ partition }) => partition)].toSorted(
        ([, one], [, other]) => other.length - one.length,
      )[0]!;
      const [stuck] = transferIds(inOne) as [string];
      const { partition, offset } = inOne[0]!;
      const stops = stoppingBuild(stuck);
      await pipeline.startMore(PRICING, stops);
      await until(async () => (await transfersIn('COMPLETED')) === completed + TRANSFERS - inOne.length);
      await last().stop(20_000);

      const place = { consumer: 'fx-pricing', topic: 'transfer.screened', partition };
      const query = new URLSearchParams({ ...place, partition: String(partition) });
      const target = await people.ask(ASHA, `/skips/target?${query}`);
      expect(target, JSON.stringify(target.body)).toMatchObject({ status: 200, body: { offset, transferId: stuck } });
      const key = people.key();
      const body = { ...place, offset, reason: 'the build stops at it' };
      const [asked, again] = [
        await people.ask(ASHA, '/skips', { body, key }),
        await people.ask(ASHA, '/skips', { body, key }),
      ];
      expect([asked.status, again.body.approvalId]).toEqual([201, asked.body.approvalId]);
      const approved = await people.approve(BEN, asked);
      expect(approved, JSON.stringify(approved.body)).toMatchObject({ status: 200, body: { state: 'APPROVED' } });

      const deaths = ['approvals.after-begin', 'eos.before-send', 'eos.after-send', 'eos.after-commit'] as const;
      for (const failpoint of deaths) await dieAt(failpoint, PRICING[0]!, stops);
      await pipeline.startMore(PRICING, stops);
      await until(async () => (await transfersIn('COMPLETED')) === completed + TRANSFERS - 1);
      await until(async () => (await stateOf(asked.body.approvalId)) === 'EXECUTED');
      const put = (await readTopic(log, deadLetterTopic('fx-pricing'))).filter(({ key: of }) => String(of) === stuck);
      expect(put.map(({ headers }) => String(headers[RECOVERY_HEADER.deadLetterClass]))).toEqual(['skipped']);
      expect(put.map(({ headers }) => String(headers[RECOVERY_HEADER.skipId]))).toEqual([asked.body.approvalId]);

      // The build is mended: what was skipped is sent again, with what is left of the night.
      await last().kill('SIGKILL');
      await pipeline.startMore(PRICING);
      const parked = await people.parked();
      const replay = await people.tried({ owner: 'fx-pricing' });
      expect(replay.body.replay).toMatchObject({ letters: parked });
      expect((await people.approve(BEN, await people.asked(replay))).status).toBe(200);
      const id = replay.body.replay.replayId;
      const ended = await people.untilReplay(id, (found) => found.body.replay.state === 'ENDED');
      expect(ended.body.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: parked }]);
    },
    2 * LONG_MS,
  );

  it(
    'and all that was before it left books that balance, and an audit log that is whole',
    async () => {
      expect(await transfersIn('COMPLETED')).toBe(3 * TRANSFERS - 3);
      expect(executions()).toHaveLength(3 * TRANSFERS - 3);
      const { code, said } = await runVerify(pipeline);
      expect(code, said).toBe(0);
      // Each act is in it before it is done: also those that nobody was told of.
      await vi.waitFor(
        async () => expect(await audited('control.pause', 'asha')).toEqual({ ALLOWED: 6, DONE: 4 }),
        WAIT,
      );
      const whole = await people.corridor(['audit', 'verify']);
      expect([whole.code, whole.stdout], whole.stderr).toEqual([0, expect.stringContaining('nothing is wrong')]);
    },
    LONG_MS,
  );
});
