import { expect, it, vi } from 'vitest';
import { ChangeFeed, changesBetween, type Notice, type Snapshot, watched } from './changes.ts';

const snapshot = (over: Partial<Record<keyof Snapshot, Record<string, string>>> = {}): Snapshot => {
  const of = (kind: keyof Snapshot) => new Map(Object.entries(over[kind] ?? {}));
  return { replay: of('replay'), approval: of('approval'), 'letter-group': of('letter-group'), case: of('case') };
};

it('tells what is another now, what is new and what is gone, by id alone', () => {
  const before = snapshot({ replay: { a: '1', b: '1' }, case: { c: 'open' } });
  const after = snapshot({ replay: { a: '2', b: '1', d: '1' } });
  expect(changesBetween(before, after)).toEqual([
    { kind: 'replay', id: 'a' },
    { kind: 'replay', id: 'd' },
    { kind: 'case', id: 'c' },
  ]);
});

function world(over: { kept?: number; maxOfOne?: number; maxWatchers?: number } = {}) {
  let replays: Record<string, string> = {};
  let fault: Error | undefined;
  const faults: unknown[] = [];
  let looks = 0;
  const feed = new ChangeFeed({
    look: async () => {
      looks += 1;
      if (fault) throw fault;
      return snapshot({ replay: replays });
    },
    onFault: (error) => void faults.push(error),
    everyMs: 2,
    ...over,
  });
  return {
    feed,
    faults,
    looks: () => looks,
    set: (next: Record<string, string>) => {
      replays = next;
    },
    fail: (error: Error | undefined) => {
      fault = error;
    },
  };
}

const nextNotice = async (notices: AsyncGenerator<Notice>): Promise<Notice> => {
  for await (const each of { [Symbol.asyncIterator]: () => ({ next: () => notices.next() }) }) if (each) return each;
  return undefined;
};

it('tells a new watcher to look at everything, then each change, and goes on after what was heard last', async () => {
  const { feed, set } = world();
  const end = feed.watch('asha');
  const stop = new AbortController();
  const terms = { lastEventId: undefined, heartbeatMs: 1_000, signal: stop.signal };
  const notices = watched(feed, terms);
  expect(await nextNotice(notices)).toMatchObject({ change: undefined });
  set({ a: '1' });
  const first = await nextNotice(notices);
  expect(first).toMatchObject({ change: { kind: 'replay', id: 'a' } });
  set({ a: '2', b: '1' });
  expect(await nextNotice(notices)).toMatchObject({ change: { id: 'a' } });
  expect(await nextNotice(notices)).toMatchObject({ change: { id: 'b' } });
  const again = watched(feed, { ...terms, lastEventId: first!.at });
  expect(await nextNotice(again)).toMatchObject({ change: { id: 'a' } });
  expect(await nextNotice(again)).toMatchObject({ change: { id: 'b' } });
  stop.abort();
  expect(await notices.next()).toMatchObject({ done: true });
  end();
});

it('has whoever was away for too long, or comes from elsewhere, look at everything again', async () => {
  const { feed, set } = world({ kept: 3 });
  const end = feed.watch('asha');
  const stop = new AbortController();
  const terms = { heartbeatMs: 1_000, signal: stop.signal };
  const slow = watched(feed, { ...terms, lastEventId: undefined });
  const start = await nextNotice(slow);
  set({ a: '1', b: '1', c: '1', d: '1', e: '1' });
  await vi.waitUntil(() => feed.latest === 5);
  expect(await nextNotice(slow)).toEqual({ at: feed.idOf(5), change: undefined });
  for (const lastEventId of [start!.at, '00000000.1', 'x', feed.idOf(99)])
    expect(await nextNotice(watched(feed, { ...terms, lastEventId }))).toEqual({ at: feed.idOf(5), change: undefined });
  expect(await nextNotice(watched(feed, { ...terms, lastEventId: feed.idOf(3) }))).toMatchObject({ at: feed.idOf(4) });
  stop.abort();
  end();
});

it('says that it is there when nothing happens, goes on after a fault, and looks only while somebody watches', async () => {
  const { feed, fail, faults, set, looks } = world();
  expect(looks()).toBe(0);
  fail(new Error('down'));
  const end = feed.watch('asha');
  const stop = new AbortController();
  const notices = watched(feed, { lastEventId: undefined, heartbeatMs: 5, signal: stop.signal });
  expect(await notices.next()).toEqual({ done: false, value: undefined });
  expect(faults.length).toBeGreaterThan(0);
  fail(undefined);
  expect(await nextNotice(notices)).toMatchObject({ change: undefined });
  expect((await notices.next()).value).toBeUndefined();
  set({ a: '1' });
  expect(await nextNotice(notices)).toMatchObject({ change: { id: 'a' } });
  end();
  const after = looks();
  // What changed while nobody watched is told to who comes back.
  set({ a: '2' });
  const endAgain = feed.watch('asha');
  expect(await nextNotice(notices)).toMatchObject({ change: { id: 'a' } });
  expect(looks()).toBeGreaterThan(after);
  feed.end();
  expect(await notices.next()).toMatchObject({ done: true });
  endAgain();
  expect(() => feed.watch('asha')).toThrow(expect.objectContaining({ code: 'TOO_BUSY' }));
});

it('lets so many watch, and so many of one person', () => {
  const { feed } = world({ maxOfOne: 1, maxWatchers: 2 });
  const ends = [feed.watch('asha'), feed.watch('ben')];
  for (const who of ['asha', 'carla'])
    expect(() => feed.watch(who)).toThrow(expect.objectContaining({ code: 'TOO_BUSY' }));
  ends[0]!();
  feed.watch('carla')();
  for (const end of ends) end();
});
