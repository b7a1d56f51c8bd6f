// What two persons, or one who plays two, cannot have done over HTTP: approved by who asked, too late, twice, for letters that were
// changed, on another build or under another list; and what a copied or forged command on the topic comes to.
// On servers of its own: letters, lists and topics are changed.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { APPROVALS } from '../../adapters/mongo/approvals.ts';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import { type Approval, askedSeal } from '../../operations/approvals/approval.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { activationPublisher } from '../../services/screening.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic, replayTopic } from '../../topics/recovery.ts';
import { listedPerson, nextVersion } from '../kit/memory-screening.ts';
import { ASHA, BEN, CARLA, OnCall, OTHERS, type Person, PRICING, RUNNER, refused, WAIT } from '../kit/on-call.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { runVerify } from '../kit/pipeline-checks.ts';
import { copyOf, replayOf } from '../kit/replay.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TRANSFERS = 60;
const HOUR_MS = 3_600_000;

const servers = useOwnStack('refused-over-http', { ephemeral: true });
let pipeline: TestPipeline;
let people: OnCall;
let dead: number;
const more: Child[] = [];

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  people = new OnCall(pipeline, servers.stateDir);
  await Promise.all([pipeline.startMore(OTHERS), people.startApi()]);
  ({ dead } = await people.breakPricing(TRANSFERS));
  await pipeline.startMore(RUNNER);
}, 1_800_000);
afterAll(async () => {
  await Promise.all(more.map((child) => child.stop(10_000)));
  await people?.close();
  await pipeline?.close();
}, 120_000);

const all = async () => ({ groupId: (await people.group()).groupId });
const replayIdOf = (answer: { readonly body: { readonly replay: { readonly replayId: string } } }) =>
  answer.body.replay.replayId;
const untilParked = () => vi.waitUntil(async () => (await people.parked()) === dead, WAIT);
const isOver = (state: string) => (found: { readonly body: { readonly replay: { readonly state: string } } }) =>
  found.body.replay.state === state;

/** Nothing of it went to the topic. */
const sentTo = async (topic: string): Promise<readonly LogRecord[]> => {
  const reader = pipeline.connections.log.reader();
  const found: LogRecord[] = [];
  await reader.read(await reader.offsets([topic]), ({ records }) => void found.push(...records));
  return found;
};

/** Moves a question into the past, under the seal of a program of operators. */
async function askedBefore(id: string, ms: number): Promise<void> {
  const approvals = (await pipeline.connections.db()).collection<Approval>(APPROVALS);
  const found = (await approvals.findOne({ _id: id }))!;
  const earlier = (at: Date) => new Date(at.getTime() - ms);
  const times = { askedAt: earlier(found.askedAt), expiresAt: earlier(found.expiresAt) };
  const seal = askedSeal(pipeline.connections.config.keys.operators, { ...found, ...times });
  await approvals.updateOne({ _id: id }, { $set: { ...times, askedSeal: seal } });
}

/** The process that sends, another than before. */
async function anotherRunner(start: () => Promise<void>): Promise<void> {
  await pipeline.processes.at(-1)!.kill('SIGKILL');
  await start();
}

describe('a replay over HTTP', () => {
  it('is approved by nobody who asked, by none of two at once but one, by nobody twice, and not too late', async () => {
    const replay = await people.tried(await all());
    const approval = await people.asked(replay);
    const both = ['operator', 'approver', 'admin'] as const;
    for (const name of ['asha', 'ASHA', ' Asha ', 'ａｓｈａ', 'аsha', 'a\u200Dsha']) {
      const own: Person = { name, roles: both };
      // Twice: two sessions, each with a token of its own.
      for (let session = 0; session < 2; session++) {
        const { status, body } = await people.approve(own, approval);
        expect([status, body.code], name).toEqual([403, 'SECOND_PERSON_NEEDED']);
      }
    }
    expect(await people.approve({ name: 'ben', roles: ['operator'] }, approval)).toEqual(
      refused('ACTION_FORBIDDEN', 403),
    );
    // As if it had been asked five hours ago: the question was open for four. What ends it may find it first.
    await askedBefore(approval.body.approvalId as string, 5 * HOUR_MS);
    const late = await people.approve(BEN, await people.ask(BEN, `/approvals/${approval.body.approvalId}`));
    expect(late.status, JSON.stringify(late.body)).toBe(409);
    expect(['APPROVAL_EXPIRED', 'APPROVAL_MOVED']).toContain(late.body.code);
    // Nobody has to take the letters back.
    await people.untilReplay(replayIdOf(replay), isOver('CANCELLED'));
    await untilParked();
    expect(await sentTo(replayTopic('fx-pricing'))).toEqual([]);
  }, 1_800_000);

  it('is not sent when its letters are others than those that were frozen', async () => {
    const replay = await people.tried(await all());
    const id = replayIdOf(replay);
    const db = await pipeline.connections.db();
    const [letter] = await db
      .collection<{ _id: string }>(DEAD_LETTERS)
      .find({ owner: 'fx-pricing' })
      .limit(1)
      .toArray();
    // A letter of it cannot be had otherwise: neither ended, nor sent, nor edited once a second person was asked.
    const one = { select: { letterIds: [letter!._id] }, reason: 'another way' };
    for (const url of ['/dead-letters/discards', '/replays'])
      expect(await people.ask(ASHA, url, { body: one, key: people.key() })).toEqual(refused('REPLAY_EMPTY', 422));
    const approval = await people.asked(replay);
    const patch = [{ op: 'replace', path: '/parties/remittanceInformation', value: 'another' }];
    const edited = await people.ask(ASHA, `/replays/${id}/letters/${letter!._id}/edit`, {
      ...{ method: 'PUT', body: { patch }, etag: (await people.ask(ASHA, `/replays/${id}`)).etag },
    });
    expect(edited).toEqual(refused('REPLAY_MOVED', 409));
    // Given back, and selected anew: what was asked for before is nothing any more.
    await people.cancel(id);
    await untilParked();
    const other = await people.tried({ letterIds: [letter!._id] });
    const late = await people.approve(BEN, approval);
    expect([409, 412], JSON.stringify(late.body)).toContain(late.status);
    await people.cancel(replayIdOf(other));
    await untilParked();
    // Who has the database takes one of them out after two persons let it through.
    const third = await people.tried(await all());
    await anotherRunner(async () => undefined);
    const let3 = await people.approve(BEN, await people.asked(third));
    expect(let3.status, JSON.stringify(let3.body)).toBe(200);
    const taken = await db.collection('replay_items').findOneAndDelete({ replayId: replayIdOf(third) });
    expect(taken).not.toBeNull();
    await pipeline.startMore(RUNNER);
    const { body } = await people.untilReplay(replayIdOf(third), isOver('CANCELLED'));
    expect(body.replay.halted.code).toBe('APPROVAL_VOID');
    await db
      .collection<DeadLetterDocument>(DEAD_LETTERS)
      .updateMany({ owner: 'fx-pricing' }, { $set: { state: 'PARKED', takenBy: null } });
    await untilParked();
  }, 1_800_000);

  it('is not sent by another build, nor under another list: the refusal names which is another', async () => {
    const sender = async (start: () => Promise<void>) => {
      const replay = await people.tried(await all());
      const approval = await people.asked(replay);
      await anotherRunner(async () => undefined);
      expect((await people.approve(BEN, approval)).status).toBe(200);
      await start();
      const { body } = await people.untilReplay(replayIdOf(replay), isOver('CANCELLED'));
      await untilParked();
      return body.replay.halted;
    };
    const other = anotherBuild(path.join(servers.stateDir, 'another-build'));
    const built = await sender(async () => {
      more.push(
        await startChild({
          ...{
            name: 'another-build',
            entry: path.relative(ROOT, path.join(other, 'cli/main.ts')),
            args: ['run', ...RUNNER[0]!],
          },
          ...{ env: pipeline.env, logFile: path.join(pipeline.logFiles, 'another-build.log'), readyTimeoutMs: 600_000 },
        }),
      );
    });
    expect(built).toMatchObject({
      code: 'APPROVAL_VOID',
      detail: expect.stringMatching(/^since it was tried the build changed from /),
    });
    await more.pop()!.kill('SIGKILL');
    await pipeline.startMore(RUNNER);
    const listed = await sender(async () => {
      await activateAnotherList();
      await pipeline.startMore(RUNNER);
    });
    expect(listed).toMatchObject({
      code: 'APPROVAL_VOID',
      detail: expect.stringMatching(/^since it was tried the lists in force changed from /),
    });
    expect(await sentTo(replayTopic('fx-pricing'))).toEqual([]);
  }, 1_800_000);

  it('is let through by one of two who approve at once, and a command of it that is copied or forged does nothing', async () => {
    // The build is mended.
    await pipeline.kill();
    await pipeline.startMore([...PRICING, ...OTHERS, ...RUNNER]);
    const replay = await people.tried(await all());
    const approval = await people.asked(replay);
    const both = await Promise.all([
      people.approve(BEN, approval),
      people.approve(CARLA, approval),
      people.approve(BEN, approval),
    ]);
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of both.filter((each) => each.status !== 200)) expect([409, 412]).toContain(status);
    const ended = await people.untilReplay(replayIdOf(replay), isOver('ENDED'));
    expect(ended.body.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: dead }]);
    await pipeline.settled();
    const standing = async () => {
      const db = await pipeline.connections.db();
      return db.collection<{ _id: string }>('transfers').find().sort({ _id: 1 }).toArray();
    };
    const before = await standing();
    const ledger = readFileSync(pipeline.ledgerFile, 'utf8');
    const commands = await sentTo(replayTopic('fx-pricing'));
    expect(commands).toHaveLength(dead);
    const letters = await sentTo(deadLetterTopic('fx-pricing'));
    const strangers = { ...pipeline.connections.config.keys, operators: pipeline.connections.config.keys.stages };
    const writer = await pipeline.connections.log.writer('forger');
    const forged: readonly OutputRecord[] = [
      ...commands.map(copyOf),
      ...letters
        .slice(0, 2)
        .map((letter) => replayOf(letter, { owner: 'fx-pricing', replayId: 'made-up', rings: strangers as never })),
      ...letters.slice(2, 4).map((letter) => unsealed(replayOf(letter, { owner: 'fx-pricing', replayId: 'made-up' }))),
    ];
    await writer.send(forged);
    await writer.close();
    // What bears no true seal of operators is put aside; what was decided once is not decided again.
    await vi.waitUntil(async () => (await sentTo(deadLetterTopic('fx-pricing'))).length >= letters.length + 4, WAIT);
    await pipeline.stop();
    expect(await sentTo(replayTopic('fx-pricing'))).toHaveLength(dead + forged.length);
    expect(await standing()).toEqual(before);
    expect(readFileSync(pipeline.ledgerFile, 'utf8')).toBe(ledger);
    // What was forged is told, and nothing else: the copies are those of before.
    const { code, said } = await runVerify(pipeline);
    const found = [...said.matchAll(/^(?:error|warning) +(\w+)/gm)].map(([, finding]) => finding);
    expect([code, found.toSorted()], said).toEqual([1, ['SEAL_MISSING', 'SEAL_MISSING', 'SEAL_WRONG', 'SEAL_WRONG']]);
  }, 1_800_000);
});

/** The sources as another build has them: one word of them is another. */
function anotherBuild(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const left = new Set(['node_modules', '.git', '.corridor', 'docs', 'test', 'tools', 'bench', 'simulator']);
  for (const name of readdirSync(ROOT))
    if (!left.has(name)) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(
    path.join(folder, 'domain', 'another-build.ts'),
    '// Decides nothing, and is no part of what two persons looked at.\n',
  );
  return folder;
}

async function activateAnotherList(): Promise<void> {
  const { connections } = pipeline;
  const store = listStore(await connections.db(), connections.config.keys);
  const sample = await loadSampleList();
  const longer = nextVersion(sample, [...sample.entities, listedPerson('900', 'Zyxwvu Tsrqpo')], '2026-11-30');
  const { versionId } = await importVersion(store, longer, { by: 'lena', now: Date.now() });
  const { publish, lastOf, close } = await activationPublisher(connections);
  await activateVersion(store, publish, versionId, { by: 'mara', now: Date.now(), lastOf });
  await close();
}

const unsealed = (record: OutputRecord): OutputRecord => {
  const { [RECOVERY_HEADER.recoverySeal]: _, ...headers } = record.headers as Record<string, Buffer>;
  return { ...record, headers };
};
