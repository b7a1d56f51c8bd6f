import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReplayDocument, selectionHash } from '../../../operations/dead-letters/replays/replay.ts';
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const get = async (url: string, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({ url, headers: { ...(await bearer('olu', 'operator')), ...headers } });

const AT = new Date('2026-11-30T02:00:00Z');

const letter = (n: number, over: Partial<DeadLetterDocument> = {}): DeadLetterDocument => ({
  ...{ _id: `letter-${n}`, letterId: `letter-${n}`, proven: true, owner: 'limits', code: 'UNEXPECTED_ERROR' },
  ...{ class: 'poison', detail: 'it broke', frame: null, group: 'aaaaaaaaaaaaaaaa', cause: 'it broke' },
  place: { topicId: 'dlq', partition: 0, offset: n },
  source: { topic: 'transfer.priced', topicId: 't', partition: 1, offset: n, lastOffset: null },
  ...{ firstFailedAt: AT, failedAt: new Date(AT.getTime() - n), tries: 1, replayCount: 0, replayId: null },
  ...{ transferId: `T-${n}`, sequence: 3, corridor: 'GB-IN', amountMinor: 2n ** 60n, currency: 'GBP', bytes: 9 },
  ...{ state: 'PARKED', takenBy: null, stateAt: AT },
  ...over,
});

const replay: ReplayDocument = {
  ...{
    _id: 'replay-1',
    state: 'RUNNING',
    version: 4,
    askedBy: 'asha',
    createdAt: AT,
    reason: 'mended',
    owner: 'limits',
  },
  ...{ groups: ['aaaaaaaaaaaaaaaa'], letters: 3, money: [{ currency: 'GBP', minor: 2n ** 60n, letters: 3 }] },
  ...{ withoutAmount: 0, oldestAt: AT, terms: { ratePerSecond: 50, canary: 2, maxFailureRatio: 0.02 }, slowedTo: 10 },
  selectionHash: selectionHash('limits', []),
  dryRun: { at: AT, by: 'asha', histogram: [{ kind: 'GOES_ON', code: null, letters: 3 }], basis: { build: 'b' } },
  ...{ approvalId: 'a', approvedHash: 'h', startedAt: AT, targetFrom: [], halted: null, endedAt: null, lease: null },
  ...{ discard: null, isWatched: false },
};

describe('dead letters', () => {
  it('are told by group, with exact money and what is not complete', async () => {
    memory.letterGroups.push({
      ...{ group: 'aaaaaaaaaaaaaaaa', owner: 'limits', code: 'UNEXPECTED_ERROR', class: 'poison', cause: 'it broke' },
      parts: [
        {
          ...{ proven: true, corridor: 'GB-IN', currency: 'GBP', letters: 3, amountMinor: 2n ** 60n },
          ...{ firstFailedAt: AT, lastFailedAt: AT, oldestAt: AT },
        },
      ],
      ...{ minutes: [{ at: AT, letters: 3 }], countedAt: AT, isCurrent: false, note: undefined },
    });
    const body = (await get('/v1/dead-letter-groups?newSince=2026-11-30T01:59:59Z')).json();
    expect(body).toMatchObject({
      ...{ complete: false, reason: '1 groups have changed since they were counted' },
      items: [
        {
          ...{
            groupId: 'aaaaaaaaaaaaaaaa',
            letters: 3,
            newLetters: 3,
            lettersPerHour: 180,
            corridors: ['GB-IN'],
            isCurrent: false,
          },
          money: [{ amount: { minor: (2n ** 60n).toString(), currency: 'GBP' }, letters: 3 }],
        },
      ],
    });
  });

  it('are listed page by page, and each can be looked at', async () => {
    for (let n = 0; n < 5; n++) memory.letters.push(letter(n, n === 4 ? { amountMinor: null, currency: null } : {}));
    const first = (await get('/v1/dead-letters?limit=3')).json();
    expect(first.items.map(({ letterId }: { letterId: string }) => letterId)).toEqual([
      'letter-0',
      'letter-1',
      'letter-2',
    ]);
    const second = (await get(`/v1/dead-letters?limit=3&cursor=${first.nextCursor}`)).json();
    expect(second.items.map(({ letterId }: { letterId: string }) => letterId)).toEqual(['letter-3', 'letter-4']);
    expect(second.nextCursor).toBeNull();
    expect((await get('/v1/dead-letters/letter-4')).json()).toMatchObject({ instructed: null, state: 'PARKED' });
    expect((await get('/v1/dead-letters/letter-9')).json()).toMatchObject({ code: 'LETTER_UNKNOWN' });
    expect((await get('/v1/dead-letters?cursor=bm8')).json()).toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('a replay', () => {
  it('says what it would do, how far it is, and is not sent again to whoever has it', async () => {
    memory.replays.push(replay);
    const response = await get('/v1/replays/replay-1');
    expect(response.json()).toMatchObject({
      replay: { state: 'RUNNING', ratePerSecond: 10, canary: 2, expected: [{ kind: 'GOES_ON', letters: 3 }] },
      counts: [{ state: 'SENT', outcome: 'COMPLETED', letters: 3 }],
    });
    const again = await get('/v1/replays/replay-1', { 'if-none-match': response.headers.etag as string });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect((await get('/v1/replays?state=RUNNING')).json().items).toHaveLength(1);
    expect((await get('/v1/replays?state=ENDED')).json()).toEqual({ items: [], complete: true });
    for (let n = 0; n < 100; n++) memory.replays.push({ ...replay, _id: `other-${n}` });
    const cut = (await get('/v1/replays')).json();
    expect([cut.items.length, cut.complete]).toEqual([100, false]);
    expect((await get('/v1/replays/replay-2')).json()).toMatchObject({ code: 'REPLAY_UNKNOWN' });
  });
});
