// Who answers requests for quotes, and when nobody does: while pricing is stopped, or may lack what the log has.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askForQuote } from '../../operations/quotes/ask.ts';
import { CONTENT, ring, world } from '../../operations/quotes/testing/quoted-world.ts';
import type { Pause } from '../../ports/controls.ts';
import { CodedError } from '../../ports/fault.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { quotesHost } from './quotes.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

interface Given {
  readonly pause?: () => Pause | undefined;
  /** How long ago the log was last known to hold no more, ms. */
  readonly unreadFor?: () => number | undefined;
  readonly ensureIndexes?: () => Promise<void>;
}

function hosted({ pause = () => undefined, unreadFor = () => 0, ensureIndexes = async () => undefined }: Given) {
  const here = world();
  const errors: string[] = [];
  const logger = { warn: () => undefined, error: ({ code }: { code: string }) => void errors.push(code) };
  const currentAt = () => {
    const ago = unreadFor();
    return ago === undefined ? undefined : performance.now() - ago;
  };
  const tables = [
    { topic: 'fx.rates', currentAt: () => performance.now() },
    { topic: 'policy.versions', currentAt },
  ];
  const parts = {
    ...{ quotes: here.quotes, pricing: here.stage(), ring, clock: () => here.now, tables, ensureIndexes },
  };
  const metrics = createMetrics();
  const host = quotesHost(parts, {
    ...{ metrics, logger: logger as never },
    controls: { processorPause: (name: string) => (name === 'fx-pricing' ? pause() : undefined) } as never,
  });
  const ask = (key: string) => askForQuote(here.quotes, { producerId: 'acme', key, content: CONTENT }, here.now);
  /** So long later, as the host sees it. */
  const later = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      here.now += 250;
      await vi.advanceTimersByTimeAsync(250);
    }
  };
  const codes = () => host.health().troubles.map(({ code, detail }) => `${code} ${detail}`);
  return { host, here, errors, metrics, ask, later, codes };
}

it('answers within a look what is asked', async () => {
  const { host, here, ask, later, codes } = hosted({});
  await host.start();
  await ask('order-0001');
  await later(500);
  expect([...here.quotes.answers.values()]).toMatchObject([{ kind: 'priced' }]);
  expect(codes()).toEqual([]);
  await host.stop(1_000);
});

it('gives no price while people have stopped pricing, and says so at once; what lay for a minute is refused after', async () => {
  let pause: Pause | undefined = { code: 'PROCESSOR_PAUSED', detail: 'processor fx-pricing was paused by asha' };
  const { host, here, ask, later, codes } = hosted({ pause: () => pause });
  await host.start();
  await ask('order-0001');
  await later(30_000);
  expect(here.quotes.answers.size).toBe(0);
  expect(codes()).toEqual(['PROCESSOR_PAUSED no quotes are given: processor fx-pricing was paused by asha']);
  await later(31_000);
  await ask('order-0002');
  pause = undefined;
  await later(1_000);
  expect([...here.quotes.answers.values()]).toMatchObject([
    { kind: 'refused', reason: { code: 'QOLD' } },
    { kind: 'priced' },
  ]);
  expect(codes()).toEqual([]);
  await host.stop(1_000);
});

it('gives no price while the log may hold what it has not read, and says of which topic', async () => {
  let unreadFor: number | undefined = 11_000;
  const { host, here, ask, later, codes } = hosted({ unreadFor: () => unreadFor });
  await host.start();
  await ask('order-0001');
  await later(25_000);
  unreadFor = undefined;
  await later(5_000);
  expect(here.quotes.answers.size).toBe(0);
  expect(codes()).toEqual([
    expect.stringMatching(
      /^QUOTES_LATE requests for quotes .* nobody knows whether policy.versions is read to its end$/,
    ),
  ]);
  unreadFor = 2_500;
  await later(500);
  expect([...here.quotes.answers.values()]).toMatchObject([{ kind: 'priced' }]);
  await host.stop(1_000);
});

it('answers without an index where it may not make one, and tells', async () => {
  const ensureIndexes = async () => {
    throw new CodedError('MONGO_UNAUTHORISED', 'not authorized', { faultClass: 'fatal' });
  };
  const { host, here, ask, later, errors } = hosted({ ensureIndexes });
  await host.start();
  await ask('order-0001');
  await later(500);
  expect(errors).toEqual(['MONGO_UNAUTHORISED']);
  expect(here.quotes.answers.size).toBe(1);
  await host.stop(1_000);
});

it('tells the age of a request whose answers come to nothing', async () => {
  const { host, here, metrics, ask, later, codes } = hosted({});
  here.quotes.answer = async () => undefined;
  await host.start();
  await ask('order-0001');
  await later(21_000);
  expect(codes()).toEqual([expect.stringContaining('QUOTES_LATE requests for quotes are not answered since 21 s')]);
  expect((await metrics.quotesOldestUnanswered.get()).values[0]!.value).toBe(21);
  await host.stop(1_000);
});
