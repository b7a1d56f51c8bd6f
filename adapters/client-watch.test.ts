// When a client is given up, and when it must never be.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientWatch, type WatchedClient, watchClient } from './client-watch.ts';

const QUICK = { everyMs: 5, answerMs: 5, looks: 3 };
const NEVER = new Promise<never>(() => undefined);
const watches: ClientWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
});

/** A watch over answers that a test decides; `asked` counts. */
function watched(answers: Partial<WatchedClient>) {
  const asked = { client: 0, fresh: 0, reconnects: 0 };
  const reported: string[] = [];
  const client: WatchedClient = {
    ask: () => {
      asked.client++;
      return answers.ask?.() ?? NEVER;
    },
    askAnew: (signal) => {
      asked.fresh++;
      return answers.askAnew?.(signal) ?? Promise.resolve();
    },
    reconnect: () => {
      asked.reconnects++;
      answers.reconnect?.();
    },
  };
  const watch = watchClient(client, (detail) => reported.push(detail), QUICK);
  watches.push(watch);
  return { asked, reported, watch };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

describe('a client', () => {
  it.each([
    ['never answers', () => NEVER],
    ['rejects', () => Promise.reject(new Error('no connection'))],
    [
      'throws',
      () => {
        throw new TypeError('a bug');
      },
    ],
  ])('that %s while a fresh connection is answered is given up once, after reconnects', async (_, ask) => {
    const { asked, reported } = watched({ ask });
    await until(() => reported.length > 0);
    expect(asked).toMatchObject({ fresh: 3, reconnects: 2 });
    // Nothing goes on afterwards.
    for (let turns = 0; turns < 200; turns++) await turn();
    expect(asked.fresh).toBe(3);
    expect(reported).toHaveLength(1);
  });

  it('whose question hangs is asked once, not at each look', async () => {
    const { asked, reported } = watched({ ask: () => NEVER });
    await until(() => reported.length > 0);
    expect(asked.client).toBe(1);
  });

  it('is never given up while the server does not answer a fresh connection either', async () => {
    let looks = 0;
    const { asked, reported } = watched({
      ask: () => Promise.reject(new Error('away')),
      askAnew: () => (looks++ % 2 === 0 ? NEVER : Promise.reject(new Error('away'))),
    });
    await until(() => asked.fresh >= 12);
    expect(reported).toEqual([]);
  });

  it('that comes right by a reconnect is not given up', async () => {
    let isWell = false;
    const { asked, reported } = watched({
      ask: () => (isWell ? Promise.resolve() : Promise.reject(new Error('dead'))),
      reconnect: () => {
        isWell = true;
      },
    });
    await until(() => asked.client >= 12);
    expect(asked).toMatchObject({ fresh: 1, reconnects: 1 });
    expect(reported).toEqual([]);
  });

  it('with a full pool, whose questions fail, is not given up as long as anything else is answered', async () => {
    const { asked, reported, watch } = watched({
      ask: () => {
        watch.heard();
        return Promise.reject(new Error('no connection of the pool is free'));
      },
    });
    await until(() => asked.client >= 12);
    expect(reported).toEqual([]);
  });

  it('that is heard of is not asked at all', async () => {
    const { asked, watch } = watched({});
    const hears = setInterval(() => watch.heard(), 0);
    for (let turns = 0; turns < 500; turns++) await turn();
    clearInterval(hears);
    expect(asked).toMatchObject({ client: 0, fresh: 0 });
  });

  it('is given time in which the loop turned, not time in which it stood still', async () => {
    const { asked, reported } = watched({
      ask: () => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 1)),
    });
    await until(() => {
      // Work that does not give way, for longer than an answer may take.
      const end = performance.now() + 10;
      while (performance.now() < end);
      return asked.client >= 8;
    });
    expect(reported).toEqual([]);
    expect(asked.fresh).toBe(0);
  });
});

it('a fresh connection is told when nobody waits for it any more', async () => {
  const signals: AbortSignal[] = [];
  const { reported } = watched({
    askAnew: (signal) => {
      signals.push(signal);
      return signals.length === 1 ? NEVER : Promise.resolve();
    },
  });
  await until(() => reported.length > 0);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
});
