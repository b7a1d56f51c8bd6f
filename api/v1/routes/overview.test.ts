import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReplayDocument, selectionHash } from '../../../operations/dead-letters/replays/replay.ts';
import { deliveryFor, endpointFor } from '../../../operations/webhooks/testing/world.ts';
import { CodedError } from '../../../ports/fault.ts';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, type TestApi, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
let parts: TestApi['parts'];
beforeEach(async () => {
  ({ app, memory, parts } = await testApi());
});
afterEach(() => app.close());

const replay = (id: string): ReplayDocument => ({
  ...{ _id: id, state: 'RUNNING', version: 4, askedBy: 'asha', createdAt: new Date(AT), reason: 'x', owner: 'limits' },
  ...{ groups: [], letters: 3, money: [], withoutAmount: 0, oldestAt: null, slowedTo: null, dryRun: null },
  terms: { ratePerSecond: 50, canary: 2, maxFailureRatio: 0.02 },
  selectionHash: selectionHash('limits', []),
  ...{
    approvalId: null,
    approvedHash: null,
    startedAt: null,
    targetFrom: [],
    halted: null,
    endedAt: null,
    lease: null,
  },
  ...{ discard: null, isWatched: false },
});

describe('the overview', () => {
  const overview = async (role: 'viewer' | 'operator' | 'compliance') =>
    (await app.inject({ url: '/v1/overview', headers: await bearer('vera', role) })).json();

  it('has what broke, what waits and what is sent, with the money, and names nobody: a look at names is one at a case', async () => {
    memory.replays.push(replay('r-1'), { ...replay('r-2'), state: 'ENDED' });
    memory.letterGroups.push({
      ...{ group: 'g', owner: 'limits', code: 'UNEXPECTED_ERROR', class: 'poison', cause: 'x', minutes: [] },
      parts: [
        {
          ...{ proven: true, corridor: 'GB-IN', currency: 'GBP', letters: 3, amountMinor: 2n ** 60n },
          ...{ firstFailedAt: new Date(AT), lastFailedAt: new Date(AT), oldestAt: new Date(AT) },
        },
      ],
      ...{ countedAt: new Date(AT), isCurrent: true, note: undefined },
    });
    const found = await overview('viewer');
    expect(found).toMatchObject({
      deadLetters: { letters: 3, allGroups: 1, money: [{ minor: (2n ** 60n).toString() }], complete: true },
      cases: { open: 4, complete: true, next: [] },
      ...{ replays: [{ replayId: 'r-1' }], approvals: [], missing: [] },
    });
    expect(found.webhooks).toEqual({ waiting: 0, oldestSince: null, endpointsDisabled: 0, breakersOpen: 0 });
    for (const role of ['viewer', 'operator', 'compliance'] as const)
      expect(JSON.stringify(await overview(role))).not.toMatch(/Gwen|Hartley|Ravi|Kulkarni/);
    for (const role of ['operator', 'compliance'] as const) {
      const { next } = (await overview(role)).cases;
      expect(next).toHaveLength(4);
      expect(JSON.stringify(next)).toContain('G•••');
    }
  });

  it('says how webhooks stand', async () => {
    const { held, kept } = memory.webhooks;
    const disabled = { by: 'asha', at: new Date(AT), reason: 'floods' };
    const breaker = { failures: 9, failingSince: new Date(AT), openUntil: new Date('2100-01-01T00:00:00Z') };
    held.set('one', endpointFor('one'));
    held.set('two', { ...endpointFor('two'), disabled });
    held.set('three', { ...endpointFor('three'), breaker });
    const [first, second, third] = ['a', 'b', 'c'].map((id) => deliveryFor('one', id));
    kept.set('a', { ...first!, since: new Date(AT + 5) });
    kept.set('b', { ...second!, since: new Date(AT) });
    kept.set('c', { ...third!, state: 'FAILED' });
    expect((await overview('viewer')).webhooks).toEqual({
      ...{ waiting: 2, oldestSince: new Date(AT).toISOString(), endpointsDisabled: 1, breakersOpen: 1 },
    });
  });

  it('says what it could not read, and has the rest', async () => {
    memory.outage = new CodedError('MONGO_UNAVAILABLE', 'mongo is unavailable', { faultClass: 'transient-dependency' });
    const away = () => Promise.reject(memory.outage!);
    Object.assign(memory.webhooks.deliveries, { standing: away });
    const found = await overview('viewer');
    expect(found).toMatchObject({ deadLetters: null, replays: null, cases: { open: 4 } });
    for (const source of ['DEAD_LETTERS', 'WEBHOOKS'])
      expect(found.missing).toContainEqual({ source, code: 'MONGO_UNAVAILABLE' });
    expect(found.webhooks).toBeNull();
  });
});

describe('changes', () => {
  /** What is heard until the stream ends. */
  async function heard(lastEventId: string | undefined, meanwhile: () => void): Promise<string> {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1/changes`;
    const headers = await bearer('vera', 'viewer');
    const response = await fetch(url, {
      headers: { ...headers, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('event: reset') || lastEventId !== undefined) meanwhile();
    }
    return text;
  }

  it('come as they happen, end by themselves, and go on behind the last one that was heard', async () => {
    const add = (id: string) => () => {
      if (!memory.replays.some(({ _id }) => _id === id)) memory.replays.push(replay(id));
    };
    const first = await heard(undefined, add('r-1'));
    expect(first).toMatch(/^retry: \d+\n\nid: \S+\nevent: reset\ndata: \{\}\n\n/);
    expect(first).toMatch(/event: replay\ndata: \{"id":"r-1"\}\n\n/);
    const last = [...first.matchAll(/^id: (\S+)$/gm)].at(-1)![1]!;
    add('r-2')();
    const second = await heard(last, () => undefined);
    expect(second).not.toContain('reset');
    expect(second).toMatch(/event: replay\ndata: \{"id":"r-2"\}\n\n/);
    expect(second).toContain(': still here');
  });

  it('are watched by five of one person at once, and by nobody once the server closes', async () => {
    const { feed } = parts.operators!.changes;
    const ends = Array.from({ length: 5 }, () => feed.watch('vera'));
    const refused = await app.inject({ url: '/v1/changes', headers: await bearer('vera', 'viewer') });
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'TOO_BUSY']);
    for (const end of ends) end();
    const watching = heard(undefined, () => void app.close());
    expect(await watching).toContain('event: reset');
  });
});
