// A night on call, over HTTP, with the tokens of three people. A rule that was rolled out broken dead-letters the transfers of
// one corridor; the mended build is checked; the operator selects the group, the server tries it, another person lets it
// through, and it is sent while API and sender are killed. Each letter ends once, as was predicted, and no other transfer was
// touched. The same with a cause that is not mended: the canary stops it.
// On servers of its own, since `corridor verify` looks at the whole log.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import type { Role } from '../../operations/access/table.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { Parties } from '../../schemas/types.generated.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { brokenBuild } from '../kit/broken-build.ts';
import { type CommandEnd, runCorridor } from '../kit/corridor-command.ts';
import { corridorsFile } from '../kit/corridors-file.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { runVerify } from '../kit/pipeline-checks.ts';
import { times } from '../kit/times.ts';

const ALL_GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
/** A state is waited for; this ends a run in which it never comes. */
const WAIT = { timeout: 300_000, interval: 200 };
/** 5,000 in the full run (`npm run test:full`). A fifth of what comes after the roll-out is of the corridor that breaks. */
const TRANSFERS = Math.min(times(100) * 2, 5_000);
const RATE = TRANSFERS >= 2_000 ? 200 : 8;
const BROKEN = CORRIDORS[0]!;
const PRICING = [['--processors', 'fx-pricing']];
const OTHERS = [
  ['--processors', 'intake,screening,limits,payout-dispatch,settlement', '--sinks', 'all', '--payouts', '--cases'],
];
const RUNNER = [['--replays']];

const servers = useOwnStack('replays-over-http', { ephemeral: true });
let pipeline: TestPipeline;
let broken: NodeJS.ProcessEnv;
let api: Child;
let apis = 0;

const keyFile = () => path.join(servers.stateDir, 'issuer.json');

/** The face of operators alone, as an installation runs it. */
async function startApi(): Promise<void> {
  const name = `api-${apis++}`;
  const env = { CORRIDOR_API_PORT: '0', CORRIDOR_API_FACES: 'operators', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile() };
  const logFile = path.join(pipeline.logFiles, `${name}.log`);
  api = await startChild({ name, entry: 'cli/main.ts', args: ['api'], logFile, env: { ...pipeline.env, ...env } });
}

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  broken = brokenBuild(BROKEN.id);
  await Promise.all([pipeline.startMore([...OTHERS, ...PRICING]), startApi()]);
}, 900_000);
afterAll(async () => {
  await api?.stop(10_000);
  await pipeline?.close();
});

interface Person {
  readonly name: string;
  readonly roles: readonly Role[];
}
const ASHA: Person = { name: 'asha', roles: ['operator'] };
const BEN: Person = { name: 'ben', roles: ['approver'] };
const CARLA: Person = { name: 'carla', roles: ['approver'] };

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
  readonly body: any;
}
interface Sent {
  readonly body?: object;
  readonly etag?: string | undefined;
  readonly key?: string;
  readonly method?: string;
}

/** All that the API has answered, for what must not be in it. */
const answers: string[] = [];

async function ask({ name, roles }: Person, url: string, { body, etag, key, method }: Sent = {}): Promise<Answer> {
  const token = await (await localIssuer(keyFile(), { CORRIDOR_ENV: 'test' })).token(name, roles, 600);
  const response = await fetch(`${api.ready['url'] as string}/v1${url}`, {
    method: method ?? (body ? 'POST' : 'GET'),
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(etag === undefined ? {} : { 'if-match': etag }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  answers.push(text);
  expect(response.status, text).toBeLessThan(500);
  return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: JSON.parse(text) };
}

const post = (who: Person, url: string, etag: string | undefined) => ask(who, url, { etag, method: 'POST' });
const refused = (code: string, status: number) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code }) });

/** A command: as this person over the API, or on the stores with the keys of a shell. */
async function corridor(args: readonly string[], env: NodeJS.ProcessEnv = {}, who?: Person): Promise<CommandEnd> {
  const issuer = await localIssuer(keyFile(), { CORRIDOR_ENV: 'test' });
  const over = who && {
    CORRIDOR_API_URL: api.ready['url'] as string,
    CORRIDOR_TOKEN: await issuer.token(who.name, who.roles, 600),
  };
  const end = await runCorridor(args, { ...pipeline.env, ...env, ...over });
  answers.push(end.stdout, end.stderr);
  return end;
}

/** `corridor dlq check`, as a pipeline of a build calls it before it is rolled out. */
const checkBuild = async (env: NodeJS.ProcessEnv): Promise<unknown> =>
  JSON.parse((await corridor(['dlq', 'check', '--owner', 'fx-pricing', '--json'], env)).stdout);

const letters = async () => (await pipeline.connections.db()).collection<DeadLetterDocument>(DEAD_LETTERS);
const transfers = async () => (await pipeline.connections.db()).collection<{ _id: string; state: string }>('transfers');
const transfersIn = async (...states: string[]) => (await transfers()).countDocuments({ state: { $in: states } });
const parked = async () => (await letters()).countDocuments({ owner: 'fx-pricing', state: 'PARKED' });

const replayOf = (id: string) => ask(ASHA, `/replays/${id}`);
const sentOf = ({ body }: Answer): number =>
  body.counts
    .filter(({ state }: { state: string }) => state === 'SENT')
    .reduce((sum: number, { letters: n }: { letters: number }) => sum + n, 0);

async function untilReplay(id: string, isSo: (replay: Answer) => boolean): Promise<Answer> {
  return vi.waitUntil(async () => {
    const found = await replayOf(id);
    return isSo(found) ? found : undefined;
  }, WAIT);
}

async function group(): Promise<{
  groupId: string;
  letters: number;
  money: { amount: { minor: string } }[];
  corridors: string[];
}> {
  return vi.waitUntil(async () => {
    const { body } = await ask(ASHA, '/dead-letter-groups');
    const found = body.items.filter(({ owner }: { owner: string }) => owner === 'fx-pricing');
    return body.complete && found.length === 1 ? found[0] : undefined;
  }, WAIT);
}

let keys = 0;
/** Selected and frozen under a key, tried by the server. */
async function tried(terms: object): Promise<Answer> {
  const key = `night-${process.pid}-${keys++}`;
  const { groupId } = await group();
  const body = { select: { groupId }, reason: 'mended by the deploy of 03:10', ...terms };
  const [one, other] = await Promise.all([ask(ASHA, '/replays', { body, key }), ask(ASHA, '/replays', { body, key })]);
  expect([one.status, other.status]).toEqual([201, 201]);
  expect(one.body.replayId).toBe(other.body.replayId);
  return untilReplay(one.body.replayId, (found) => found.body.replay.expected !== null);
}

/** Asked for by asha; refused to her under whatever roles and name; let through by one of two who try at once. */
async function letThrough(replay: Answer): Promise<{ id: string; approvalId: string }> {
  const { replayId: id } = replay.body.replay;
  const asked = await post(ASHA, `/replays/${id}/ask`, replay.etag);
  expect(asked.status).toBe(201);
  const { approvalId, summary } = asked.body;
  expect(summary).toContain(`replay ${replay.body.replay.letters} dead letters of fx-pricing`);
  const approve = (who: Person, etag = asked.etag) =>
    ask(who, `/approvals/${approvalId}/approve`, { body: { reason: 'tried, and looked at five' }, etag });
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
  return { id, approvalId };
}

describe('dead letters of a rule that was broken', () => {
  let fed = 0;
  let dead = 0;
  const fedRecords: FedRecord[] = [];
  const others = async () => (await transfers()).find({ state: 'COMPLETED' }).sort({ _id: 1 }).toArray();
  let before: Awaited<ReturnType<typeof others>>;

  it('stand in one group with their money, and nothing else was disturbed', async () => {
    fedRecords.push(...(await pipeline.feed(TRANSFERS / 2, 21, { mix: ALL_GOOD })));
    fed = fedRecords.length;
    await vi.waitUntil(async () => (await transfersIn('COMPLETED')) === fed, WAIT);
    // The roll-out.
    await pipeline.processes.at(-1)!.stop(20_000);
    const lax = { CORRIDOR_DLQ_BREAKER_MAX_RATIO: '1', CORRIDOR_DLQ_BREAKER_MAX_RUN: '10000' };
    await pipeline.startMore(PRICING, { ...broken, ...lax });
    fedRecords.push(...(await pipeline.feed(TRANSFERS / 2, 22, { mix: ALL_GOOD })));
    fed = fedRecords.length;
    dead = await vi.waitUntil(async () => {
      const [put, ended, indexed] = await Promise.all([
        transfersIn('DEAD_LETTERED'),
        transfersIn('COMPLETED'),
        parked(),
      ]);
      return put + ended === fed && indexed === put && put > 0 ? put : undefined;
    }, WAIT);
    const found = await group();
    expect(found).toMatchObject({ letters: dead, corridors: [BROKEN.id] });
    const indexed = await (await letters()).find({ owner: 'fx-pricing' }, { useBigInt64: true }).toArray();
    const sum = indexed.reduce((total, { amountMinor }) => total + BigInt(amountMinor!), 0n);
    expect(found.money.reduce((total, { amount }) => total + BigInt(amount.minor), 0n)).toBe(sum);
    before = await others();
    expect(before).toHaveLength(fed - dead);
  }, 600_000);

  it('are told to fail still on the broken build, and to go through on the mended one', async () => {
    expect(await checkBuild(broken)).toEqual([expect.objectContaining({ verdict: 'still fails', letters: dead })]);
    expect(await checkBuild({})).toEqual([
      expect.objectContaining({ verdict: 'goes through', kind: 'GOES_ON', letters: dead }),
    ]);
  }, 600_000);

  it('are stopped by the canary as long as the rule is broken', async () => {
    await pipeline.startMore(RUNNER);
    // The build that tries is mended, what runs is not: the prediction is wrong, and the canary finds it.
    const { id } = await letThrough(await tried({ canary: 5, ratePerSecond: 100 }));
    const stopped = await untilReplay(id, ({ body }) => body.replay.state === 'STOPPED');
    expect(stopped.body.replay.halted.code).toBe('REPLAY_CANARY_FAILED');
    expect(sentOf(stopped)).toBeLessThanOrEqual(5);
    expect((await post(ASHA, `/replays/${id}/cancel`, stopped.etag)).status).toBe(200);
    await vi.waitUntil(async () => (await parked()) === dead, WAIT);
  }, 600_000);

  it('are not sent by a build that another decided on', async () => {
    // By commands over the API: who acts is who their token says, and `--by` is no option there.
    const { groupId } = await group();
    const asked = await corridor(
      ['dlq', 'replay', '--group', groupId, '--reason', 'mended', '--letters', String(dead), '--json'],
      {},
      ASHA,
    );
    expect(asked.code, asked.stderr).toBe(0);
    const { replay } = JSON.parse(asked.stdout);
    const id: string = replay.replayId;
    expect(replay).toMatchObject({ askedBy: 'asha', letters: dead, expected: [{ kind: 'GOES_ON', letters: dead }] });
    await pipeline.processes.at(-1)!.kill('SIGKILL');
    const approve = (who: Person, count: number, ...more: string[]) =>
      corridor(['dlq', 'replays', 'approve', id, '--letters', String(count), '--reason', 'looked', ...more], {}, who);
    const both: Person = { name: 'asha', roles: ['operator', 'approver'] };
    expect((await approve(both, dead)).stderr).toContain('SECOND_PERSON_NEEDED');
    expect((await approve(both, dead, '--by', 'ben')).stderr).toContain('unknown option');
    expect((await approve(BEN, dead + 1)).stderr).toContain('EVIDENCE_CHANGED');
    const approved = await approve(BEN, dead);
    expect(approved.stdout, approved.stderr).toContain('APPROVED by ben');
    // Who would send has other rules than those that the approval is bound to.
    const dearer = corridorsFile(servers.stateDir, (one) => ({ ...one, marginBps: one.marginBps + 1 }));
    await pipeline.startMore(RUNNER, { CORRIDOR_CORRIDORS_FILE: dearer });
    const voided = await untilReplay(id, ({ body }) => body.replay.state === 'CANCELLED');
    expect(voided.body.replay.halted).toMatchObject({ code: 'APPROVAL_VOID' });
    expect(sentOf(voided)).toBe(0);
    await vi.waitUntil(async () => (await parked()) === dead, WAIT);
  }, 600_000);

  it('end once each as predicted when it is mended, though API and sender are killed twice', async () => {
    await pipeline.kill();
    await pipeline.startMore([...PRICING, ...OTHERS, ...RUNNER]);
    const frozen = await tried({ canary: Math.min(25, Math.ceil(dead / 4)), ratePerSecond: RATE });
    expect(frozen.body.replay.expected).toEqual([{ kind: 'GOES_ON', code: null, letters: dead }]);
    const { id } = await letThrough(frozen);
    for (let kills = 0; kills < 2; kills++) {
      const sent = sentOf(await replayOf(id));
      await untilReplay(id, (found) => found.body.replay.state === 'ENDED' || sentOf(found) > sent);
      await Promise.all([pipeline.processes.at(-1)!.kill('SIGKILL'), api.kill('SIGKILL')]);
      await Promise.all([pipeline.startMore(RUNNER), startApi()]);
    }
    const ended = await untilReplay(id, ({ body }) => body.replay.state === 'ENDED');
    expect(ended.body.counts).toEqual([{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: dead }]);
    await pipeline.settled();
    const after = new Map((await others()).map((transfer) => [transfer._id, transfer]));
    expect(after.size).toBe(fed);
    expect(before.map(({ _id }) => after.get(_id))).toEqual(before);
    const { code, said } = await runVerify(pipeline);
    expect(code, said).toBe(0);
  }, 900_000);

  it('named nobody in what was answered, logged and measured', async () => {
    const { codec } = pipeline.connections;
    const sent = await codec.decode(
      'transfer.requested',
      fedRecords.map(({ value }) => value),
    );
    const markers = sent.flatMap((result) => {
      const parties = (result.ok ? result.value.parties : {}) as { readonly 'corridor.Parties'?: Parties };
      const open = parties['corridor.Parties'];
      if (!open) return [];
      const { debtor, creditor } = open;
      return [debtor, creditor].flatMap(({ name, account, customerId, postalAddress }) => [
        ...[name, account.value, customerId],
        // Also of what goes to the provider: the address.
        ...[`${postalAddress?.street}`, `"building":"${postalAddress?.building}"`],
      ]);
    });
    expect(markers).toHaveLength(fedRecords.length * 10);
    const secrets = [/eyJ[\w-]{8,}\.[\w-]{8,}\./, /development-only-(stage|operator|executor|feed)-key/];
    const running = await Promise.allSettled(
      [api, ...pipeline.processes].map(async ({ ready }) => (await fetch(`${String(ready['health'])}/metrics`)).text()),
    );
    // Those that were killed answer no more.
    const metrics = running.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const logs = readdirSync(pipeline.logFiles)
      .filter((file) => file.endsWith('.log') && !file.startsWith('simulator'))
      .map((file) => readFileSync(path.join(pipeline.logFiles, file), 'utf8'));
    expect(metrics.join('')).toContain('corridor_api');
    for (const text of [...logs, ...answers, ...metrics]) {
      for (const secret of secrets) expect(text).not.toMatch(secret);
      expect(markers.filter((marker) => text.includes(marker))).toEqual([]);
    }
  }, 120_000);
});
