// Following a replay, and taking back what was asked for, over an API that answers as it is told.
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { CodedError } from '../../ports/fault.ts';
import { askAbout, registerRemoteReplays } from './replays.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

const AT = '2026-11-30T03:00:00.000Z';
const REPLAY = {
  ...{
    replayId: 'R',
    state: 'RUNNING',
    owner: 'limits',
    askedBy: 'asha',
    createdAt: AT,
    reason: 'mended',
    discard: null,
  },
  ...{ letters: 3, editedLetters: 0, money: [], lettersWithoutAmount: 0, oldestAt: AT, ratePerSecond: 5, canary: 1 },
  ...{ maxFailureRatio: 0.1, expected: [], isTrying: false, basis: {}, approvalId: 'A', startedAt: AT, endedAt: null },
  halted: null as object | null,
};
const sent = (letters: number, outcome: string | null) => ({ state: 'SENT', outcome, reason: null, letters });

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** Runs it; the API answers these in turn, the last of them from then on. */
async function run(args: readonly string[], ...answers: readonly object[]): Promise<readonly string[]> {
  const asked: string[] = [];
  const client: ApiClient = {
    url: 'https://corridor.internal',
    async ask(method, path, request = {}) {
      asked.push(`${method} ${path}${request.etag ? ` ${request.etag}` : ''}`);
      const body = path.startsWith('/approvals') ? {} : answers[Math.min(asked.length, answers.length) - 1];
      return { status: 200, etag: '"e"', body };
    },
  };
  const program = new Command('corridor').exitOverride();
  registerRemoteReplays(program.command('dlq'), () => client);
  await program.parseAsync(['dlq', ...args], { from: 'user' });
  return asked;
}

it('a replay is followed to its end, a line for each change', async () => {
  const half = { replay: REPLAY, counts: [sent(1, 'COMPLETED'), sent(2, null)] };
  const ended = { replay: { ...REPLAY, state: 'ENDED' }, counts: [sent(3, 'COMPLETED')] };
  const asked = await run(['watch', 'R'], { replay: REPLAY, counts: [] }, half, half, ended);
  expect(asked).toHaveLength(4);
  expect(lines).toEqual(['RUNNING  3 letters', 'RUNNING  1 COMPLETED, 2 SENT', 'ENDED  3 COMPLETED']);
  expect(process.exitCode ?? 0).toBe(0);
});

it('a replay that stopped is followed no further, and says why', async () => {
  const halted = { code: 'REPLAY_CANARY_FAILED', detail: 'one of one', by: 'the runner', at: AT };
  await run(['watch', 'R'], { replay: { ...REPLAY, state: 'STOPPED', halted }, counts: [sent(1, 'DEAD_AGAIN')] });
  expect(lines).toEqual(['STOPPED  1 DEAD_AGAIN; REPLAY_CANARY_FAILED: one of one']);
  expect(process.exitCode).toBe(1);
});

it('what was asked for is taken back by its approval; what nobody asked for cannot be', async () => {
  const asked = await run(['replays', 'withdraw', 'R'], { replay: REPLAY, counts: [] });
  expect(asked.slice(0, 3)).toEqual(['GET /replays/R', 'GET /approvals/A', 'POST /approvals/A/withdraw "e"']);
  const unasked = { replay: { ...REPLAY, approvalId: null }, counts: [] };
  await expect(run(['replays', 'withdraw', 'R'], unasked)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
});

it('letters are given back also where the trial of the server comes between', async () => {
  const asked: string[] = [];
  const client: ApiClient = {
    url: 'https://corridor.internal',
    async ask(method, path) {
      asked.push(`${method} ${path}`);
      if (path.endsWith('/cancel') && asked.filter((each) => each.endsWith('/cancel')).length < 3)
        throw new CodedError('PRECONDITION_FAILED', 'the server has tried it meanwhile');
      const frozen = { ...REPLAY, state: 'FROZEN', letters: 1 };
      return { status: 200, etag: '"e"', body: path.endsWith('/cancel') ? frozen : { replay: frozen, counts: [] } };
    },
  };
  const change = async () => {
    throw new CodedError('EDIT_LOCKED', 'an amount');
  };
  await expect(askAbout(client, 'R', { letters: 1 }, 'ask', change)).rejects.toMatchObject({ code: 'EDIT_LOCKED' });
  expect(asked.filter((each) => each === 'POST /replays/R/cancel')).toHaveLength(3);
});

it('a change that the trial of the server came before is made again, of what is still frozen alone', async () => {
  const seen: (string | undefined)[] = [];
  const asking = async (state: string) => {
    seen.length = 0;
    let version = 0;
    const client: ApiClient = {
      url: 'https://corridor.internal',
      ask: async (_, path) => ({
        ...{ status: 200, etag: `"${++version}"` },
        body: path.endsWith('/ask') ? undefined : { replay: { ...REPLAY, state, letters: 1 }, counts: [] },
      }),
    };
    const change = async (etag: string | undefined) => {
      seen.push(etag);
      if (seen.length < 3) throw new CodedError('REPLAY_MOVED', 'somebody else was first');
    };
    // What is asked for afterwards has no answer here.
    await askAbout(client, 'R', { letters: 1, json: true }, 'ask', change).catch(() => undefined);
    return seen.length;
  };
  expect(await asking('FROZEN')).toBe(3);
  expect(seen).toEqual(['"1"', '"2"', '"3"']);
  expect(await asking('CANCELLED')).toBe(1);
});
