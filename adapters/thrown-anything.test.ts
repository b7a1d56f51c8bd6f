// Whatever a client of a dependency throws, of whatever shape: every method of every port rejects with a coded error that
// makes the partition wait. Only what is decided or decoded may condemn a record.
import { describe, expect, it, vi } from 'vitest';
import { isPlainText } from '../domain/text/text.ts';
import { CodedError, codeAndDetail, dependencyDown, framesOf, thrownText } from '../ports/fault.ts';
import { faultOf } from '../runtime/fault.ts';
import { KEYS } from '../test/kit/keys.ts';
import { KafkaAdmin } from './kafka/admin.ts';
import { type Connections, discardCluster } from './kafka/client.ts';
import { codedError, consumerFaultOf as logFaultOf, verdictOf } from './kafka/fault.ts';
import { insist } from './kafka/readiness.ts';
import { retrying } from './kafka/retrying.ts';
import { KafkaWriter } from './kafka/writer.ts';
import { mongoFault } from './mongo/fault.ts';
import { MONGO_ASKS } from './mongo/testing/asks.ts';
import { redisFault } from './redis/fault.ts';
import { limitsLedger } from './redis/limits.ts';
import { verifyLimits } from './redis/verify-limits.ts';
import { registryCaller } from './registry/call.ts';
import { registryCodec } from './registry/codec.ts';

const trap = () => {
  throw new Error('do not look');
};
const getters = (of: object, ...names: string[]) =>
  Object.defineProperties(of, Object.fromEntries(names.map((name) => [name, { get: trap }])));
const circle = new Error('round and round');
circle.cause = circle;

const THROWN: readonly (readonly [string, unknown])[] = [
  ['an error', new Error('something')],
  ['a mistake in the client', new TypeError("Cannot read properties of undefined (reading 'x')")],
  ['a text', 'thrown as text'],
  ['nothing', undefined],
  ['null', null],
  ['a number', 42],
  ['a symbol', Symbol('s')],
  ['a function', () => undefined],
  ['an object without a prototype', Object.create(null)],
  ['an object that cannot become a text', { toString: trap, [Symbol.toPrimitive]: trap }],
  ['an object with getters that throw', getters({}, 'message', 'code', 'status', 'name', 'type', 'cause', 'stack')],
  [
    'an error with getters that throw',
    getters(new Error('x'), 'message', 'code', 'status', 'name', 'type', 'cause', 'stack', 'errors'),
  ],
  ['a proxy that answers nothing', new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap })],
  ['an error of another realm', { name: 'MongoServerError', message: 'm', code: 11_000, faultClass: 'poison' }],
  [
    'an error that calls itself coded',
    Object.assign(new Error('m'), { name: 'CodedError', code: 'X', faultClass: 'poison' }),
  ],
  [
    'an error whose fields are of no kind',
    Object.assign(new Error('m'), { name: 5, message: {}, stack: 7, code: {}, type: [] }),
  ],
  ['an error that is its own cause', circle],
  ['an error with escapes, at length', new Error(`\u001b]0;title\u0007\u202e${'x'.repeat(100_000)}`)],
  ['several errors in one', new AggregateError([new Error('a'), undefined], 'several')],
  ['an empty aggregate', new AggregateError([], '')],
];

/** As a client is: its methods reject, or throw at once; cursors are made without a question, and fail when they are read. */
function failing(thrown: unknown, how: 'rejects' | 'throws'): never {
  const fail = () => {
    if (how === 'throws') throw thrown;
    return Promise.reject(thrown);
  };
  const cursor: object = new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === 'then') return undefined;
        if (name === 'toArray' || name === 'next') return fail;
        if (name === Symbol.asyncIterator) return () => ({ next: fail });
        return () => cursor;
      },
    },
  );
  const made: Record<string, unknown> = {
    collection: () => client,
    admin: () => client,
    pipeline: () => client,
    hset: () => client,
    pexpire: () => client,
    hmget: () => client,
    defineCommand: () => undefined,
    find: () => cursor,
    aggregate: () => cursor,
  };
  const client: object = new Proxy(
    {},
    { get: (_, name) => (name === 'then' ? undefined : (made[String(name)] ?? fail)) },
  );
  return client as never;
}

const reserve = { kind: 'reserve', transferId: 't', attempt: 1, requests: [] } as const;
async function drained(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pages);
}

/** Every method that asks the Redis of the limits. */
const REDIS: Readonly<Record<string, (redis: never) => Promise<unknown>>> = {
  'ledger: apply': (redis) => limitsLedger(redis, { keys: KEYS.stages }).apply([reserve]),
  'ledger: status': (redis) => limitsLedger(redis, { keys: KEYS.stages }).status(),
  'ledger: close': (redis) => limitsLedger(redis, { keys: KEYS.stages }).close(),
  'ledger: caughtUp': (redis) => limitsLedger(redis, { keys: KEYS.stages }).caughtUp('m'),
  'ledger: replaceAll': (redis) =>
    limitsLedger(redis, { keys: KEYS.stages }).replaceAll({ records: [], counters: [] } as never, undefined as never),
  'verify: hydrated': (redis) => verifyLimits(redis).hydrated(),
  'verify: find': (redis) => verifyLimits(redis).find(['t']),
  'verify: counters': (redis) => drained(verifyLimits(redis).counters()),
};

const HOW = ['rejects', 'throws'] as const;
const given = (shape: (typeof THROWN)[number]) => shape[1];

async function codedOf(ask: () => Promise<unknown>): Promise<CodedError> {
  try {
    await ask();
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    return error as CodedError;
  }
  throw new Error('it did not fail');
}

function expectWaits(error: CodedError, dependency: string): void {
  const { faultClass, dependency: named, message } = error;
  expect({ faultClass, named }).toEqual({ faultClass: 'transient-dependency', named: dependency });
  expect(error.code).toMatch(/^[A-Z][A-Z0-9_]+$/);
  expect(message.length).toBeLessThan(700);
  expect(isPlainText(message.replaceAll('\ufffd', ''))).toBe(true);
  expect(faultOf(error)).toMatchObject({ code: error.code, known: true });
}

describe.each(HOW)('a client that %s anything', (how) => {
  it.each(Object.keys(MONGO_ASKS))('mongo, %s: waits', async (name) => {
    for (const shape of THROWN) {
      expectWaits(await codedOf(() => MONGO_ASKS[name]!(failing(given(shape), how))), 'mongo');
    }
  });

  it.each(Object.keys(REDIS))('redis, %s: waits', async (name) => {
    for (const shape of THROWN) {
      expectWaits(await codedOf(() => REDIS[name]!(failing(given(shape), how))), 'redis-limits');
    }
  });
});

describe('a client of Kafka', () => {
  /** Connections whose clusters fail at once, when they connect, or when they are given up. */
  const connections = (thrown: unknown, how: (typeof HOW)[number]) => {
    const settings = {
      writeTimeoutMs: 0,
      requestTimeoutMs: 1,
      maxSendRecords: 1,
      maxSendBytes: 1,
      compression: 'none',
    };
    const cluster = () => failing(thrown, how);
    return { settings, cluster: how === 'throws' ? cluster : cluster } as unknown as Connections;
  };
  const record = { topic: 't', partition: 0, key: null, value: null, headers: {} };

  it.each(HOW)('that %s anything makes one-off requests, writers and admins wait', async (how) => {
    for (const shape of THROWN) {
      const made = connections(given(shape), how);
      expectWaits(await codedOf(() => retrying(made, ['t'], async () => 1, 0)), 'kafka');
      expectWaits(await codedOf(() => insist(() => Promise.reject(given(shape)), { timeoutMs: 0 })), 'kafka');
      expectWaits(await codedOf(() => new KafkaWriter(made, 'w').send([record])), 'kafka');
      const admin = new KafkaAdmin({ settings: getters({}, 'brokers') } as never);
      expectWaits(await codedOf(() => admin.deleteTopics(['t'])), 'kafka');
      discardCluster(failing(given(shape), how));
    }
  });

  it('is never condemned for a record, nor for an end without a word', () => {
    for (const shape of THROWN) {
      expectWaits(codedError(given(shape)), 'kafka');
      expect(verdictOf(given(shape))).toBe('transient');
      expect(logFaultOf(given(shape))).toMatchObject({ code: 'CLIENT_BUG', severity: 'transient' });
    }
  });
});

describe('the client of the registry', () => {
  it.each(HOW)('that %s anything waits', async (how) => {
    for (const shape of THROWN) {
      vi.stubGlobal('fetch', () => {
        if (how === 'throws') throw given(shape);
        return Promise.reject(given(shape));
      });
      const url = 'http://127.0.0.1:1';
      expectWaits(await codedOf(() => registryCaller({ url })('GET', '/subjects')), 'registry');
      expectWaits(await codedOf(() => registryCodec({ url }).load(['fx.rates'])), 'registry');
      vi.unstubAllGlobals();
    }
  });
});

it.each(THROWN)('%s can be judged and told everywhere', (_, thrown) => {
  expectWaits(mongoFault(thrown), 'mongo');
  expectWaits(redisFault(thrown, 'redis-queue', 'REDIS_QUEUE_UNAVAILABLE'), 'redis-queue');
  expectWaits(dependencyDown('registry', 'REGISTRY_UNAVAILABLE', thrown), 'registry');
  expect(thrownText(thrown).length).toBeLessThanOrEqual(300);
  expect(codeAndDetail(thrown)).toMatchObject({ code: 'UNEXPECTED_ERROR' });
  expect(typeof framesOf(thrown)).toBe('string');
  // Thrown by what is ours, it is of no dependency: the runtime looks for the record.
  expect(faultOf(thrown)).toMatchObject({ known: false, faultClass: 'poison' });
});
