import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { createOutboxRelay, type OutboxEvent, type OutboxRelayOptions } from './outbox-relay.ts';

interface Item {
  readonly id: string;
  readonly versions: readonly number[];
}

const record = (id: string, version: number): OutputRecord => ({
  topic: 'payout.updated',
  partition: 0,
  key: id,
  value: Buffer.from(String(version)),
  headers: {},
});

/** A relay over a source and a log in memory. */
function world(options: Partial<OutboxRelayOptions<Item>> = {}) {
  const stored = new Map<string, Item>();
  const log: string[] = [];
  const events: OutboxEvent[] = [];
  const state = { logDown: false, markDown: false };
  const relay = createOutboxRelay<Item>({
    source: {
      pending: async (limit, _before, after) => {
        const all = [...stored.values()].filter(({ id }) => after === undefined || id > after.id);
        return all.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
      },
      markPublished: async (items) => {
        if (state.markDown) throw dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'down');
        // What has changed since stays.
        for (const item of items) if (stored.get(item.id) === item) stored.delete(item.id);
      },
    },
    idOf: ({ id }) => id,
    toRecords: async (items) => items.flatMap(({ id, versions }) => versions.map((version) => record(id, version))),
    writer: {
      send: async (records) => {
        if (state.logDown) throw dependencyDown('kafka', 'KAFKA_UNAVAILABLE', 'down');
        for (const { key, value } of records) log.push(`${String(key)} ${String(value)}`);
      },
    },
    sweepEveryMs: 10,
    graceMs: 0,
    retryMs: 5,
    lingerMs: 1,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const store = (...items: Item[]) => {
    for (const item of items) stored.set(item.id, item);
    return items;
  };
  return { relay, stored, store, log, events, state };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2);
}

describe('outbox relay', () => {
  it('publishes what is offered, in order, and marks it', async () => {
    const { relay, store, stored, log } = world();
    relay.offer(store({ id: 'a', versions: [1, 2] }, { id: 'b', versions: [1] }));
    await until(() => stored.size === 0);
    expect(log).toEqual(['a 1', 'a 2', 'b 1']);
    expect(relay.backlog()).toBe(0);
  });

  it('finds what nobody offered', async () => {
    const { relay, store, stored, log } = world({ maxBatch: 2 });
    store(...['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, versions: [1] })));
    relay.start();
    await until(() => stored.size === 0);
    await relay.stop(1_000);
    expect(log.toSorted()).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'e 1']);
  });

  it('publishes a change that was made while an older one was on its way', async () => {
    const { relay, store, stored, log } = world({
      afterPublish: () => {
        if (log.length === 1) relay.offer(store({ id: 'a', versions: [1, 2] }));
        return undefined;
      },
    });
    relay.offer(store({ id: 'a', versions: [1] }));
    await until(() => stored.size === 0);
    // Again, but never the second without the first before it.
    expect(log).toEqual(['a 1', 'a 1', 'a 2']);
  });

  it('waits out an outage of the log', async () => {
    const { relay, store, stored, log, events, state } = world();
    state.logDown = true;
    relay.offer(store({ id: 'a', versions: [1] }));
    await until(() => events.length > 1);
    expect(events[0]).toMatchObject({ kind: 'fault', code: 'KAFKA_UNAVAILABLE' });
    state.logDown = false;
    await until(() => stored.size === 0);
    expect(log).toEqual(['a 1']);
  });

  it('publishes again what it could not mark', async () => {
    const { relay, store, stored, log, state } = world();
    state.markDown = true;
    relay.offer(store({ id: 'a', versions: [1] }));
    await until(() => log.length > 1);
    state.markDown = false;
    await until(() => stored.size === 0);
    expect(new Set(log)).toEqual(new Set(['a 1']));
  });

  it('does not let one item that cannot be published hold up the others', async () => {
    const { relay, store, stored, log, events } = world({
      toRecords: async (items) =>
        items.map(({ id }) => {
          if (id === 'bad') throw new CodedError('REQUEST_UNREADABLE', 'bytes');
          return record(id, 1);
        }),
    });
    relay.offer(store({ id: 'a', versions: [1] }, { id: 'bad', versions: [1] }, { id: 'b', versions: [1] }));
    await until(() => relay.backlog() === 0);
    expect(log).toEqual(['a 1', 'b 1']);
    expect([...stored.keys()]).toEqual(['bad']);
    expect(events).toContainEqual({ kind: 'refused', id: 'bad', code: 'REQUEST_UNREADABLE', detail: 'bytes' });
  });

  it('tells of a bug by its type, never by its message, which may quote a record', async () => {
    const { relay, store, events } = world({
      toRecords: () => Promise.reject(new TypeError('Amara Okafor has no account')),
    });
    relay.offer(store({ id: 'a', versions: [1] }));
    await until(() => relay.backlog() === 0);
    expect(events).toMatchObject([
      { kind: 'refused', code: 'UNEXPECTED_ERROR', detail: expect.stringContaining('unexpected TypeError') },
    ]);
    expect(JSON.stringify(events)).not.toContain('Amara');
  });

  it('finds what stands behind more refused items than a batch, each refused once, and comes to rest', async () => {
    let sweeps = 0;
    const { relay, store, stored, log, events } = world({
      maxBatch: 2,
      sweepEveryMs: 3_600_000,
      toRecords: async (items) =>
        items.map(({ id }) => {
          if (id.startsWith('bad')) throw new CodedError('REQUEST_UNREADABLE', 'bytes');
          return record(id, 1);
        }),
      source: {
        pending: async (limit, _before, after) => {
          sweeps++;
          return [...stored.values()].filter(({ id }) => after === undefined || id > after.id).slice(0, limit);
        },
        markPublished: async (items) => {
          for (const { id } of items) stored.delete(id);
        },
      },
    });
    const ids = ['bad-1', 'bad-2', 'bad-3', 'bad-4', 'bad-5', 'x', 'y', 'z'];
    store(...ids.map((id) => ({ id, versions: [1] })));
    relay.start();
    // Four full pages, and one behind them all: no more before the next search is due.
    await until(() => sweeps === 5);
    await sleep(30);
    expect(sweeps).toBe(5);
    expect(log).toEqual(['x 1', 'y 1', 'z 1']);
    expect(events.filter(({ kind }) => kind === 'refused')).toHaveLength(5);
    await relay.stop(1_000);
  });

  it('tries what was refused again after a while', async () => {
    let mended = false;
    const { relay, store, stored, log, events } = world({
      refusedForMs: 20,
      toRecords: async (items) => {
        if (!mended) throw new CodedError('REQUEST_UNREADABLE', 'bytes');
        return items.map(({ id }) => record(id, 1));
      },
    });
    store({ id: 'a', versions: [1] });
    relay.start();
    await until(() => events.length >= 2);
    mended = true;
    await until(() => stored.size === 0);
    await relay.stop(1_000);
    expect(log).toEqual(['a 1']);
  });
});
