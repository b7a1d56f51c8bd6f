// A broker that never answers the question after the topics, which is asked beside the heartbeats, or a heartbeat itself: the
// member keeps its place, and its records go on.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BatchResult, ConsumerFault, Log, LogConsumer, LogRecord } from '../../ports/log.ts';
import { createLog } from './log.ts';
import { type BehindProxy, brokerBehind } from './testing/behind-proxy.ts';
import { caughtUp, compareCopy } from './testing/copiers.ts';
import { API, DeafProxy, type SeenRequest } from './testing/deaf-proxy.ts';
import { numbered, provision, settled, unique, widen } from './testing/topics.ts';

vi.setConfig({ testTimeout: 180_000 });

const APP = 'mute';
const SESSION_MS = 6_000;
/** As by default, a request may stay unanswered for longer than a session lasts. */
const REQUEST_MS = 9_000;
const HEARTBEATS_PER_SESSION = 4;
/** Only the question after topics has this version: it alone bears their ids. */
const isTopicQuestion = ({ apiKey, apiVersion }: SeenRequest) => apiKey === API.metadata && apiVersion === 10;
const POLLING = { timeout: 90_000 };

let broker: BehindProxy;
let proxy: DeafProxy;
/** Straight to the broker, for what the test itself reads and writes. */
let direct: Log;
let log: Log;
let consumer: LogConsumer;

beforeAll(async () => {
  proxy = await DeafProxy.listen();
  broker = await brokerBehind(proxy, APP);
  direct = broker.direct;
});
afterEach(async () => {
  proxy.listenAgain();
  await log.close();
});
afterAll(() => broker.stop());

/** A member that copies two partitions, and what it told. */
async function member() {
  const name = unique('mute');
  const [input, output] = [`${name}.in`, `${name}.out`];
  await provision(direct, `${APP}.${name}`, [input], [output], 2);
  const faults: ConsumerFault[] = [];
  log = createLog({
    brokers: [`127.0.0.1:${proxy.port}`],
    appName: APP,
    clientId: 'copier',
    requestTimeoutMs: REQUEST_MS,
    sessionTimeoutMs: SESSION_MS,
    metadataMaxAgeMs: 500,
  });
  const handler = async ({ records }: { records: readonly LogRecord[] }): Promise<BatchResult> => ({
    doneThrough: records.at(-1)!.offset,
    outputs: records.map(({ partition, key, value }) => ({
      topic: output,
      partition: partition % 2,
      key,
      value,
      headers: { from: input },
    })),
    // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
    then: { do: 'continue' },
  });
  consumer = await log.consume({
    name,
    topics: [input],
    delivery: 'exactly-once',
    maxBatchRecords: 50,
    lingerMs: 5,
    handler,
    onFault: (fault) => faults.push(fault),
  });
  await consumer.ready;
  let fed = 0;
  return {
    input,
    faults,
    group: `${APP}.${name}`,
    /** Feeds some more, and waits until they are copied; each came once. */
    async goesOn() {
      const writer = await direct.writer('feed');
      await writer.send(numbered(input, 50, { from: fed, partitions: 2 }));
      await writer.close();
      fed += 50;
      await caughtUp(direct, `${APP}.${name}`, [input]);
      // The offset may be there before the end of the transaction is in the output.
      await settled(direct, broker.brokers, [output]);
      expect(await compareCopy(direct, [input], output)).toEqual({ records: fed, lost: 0, doubled: 0, disordered: 0 });
    },
  };
}

/** Until so many heartbeats have come as a member sends in some sessions. */
async function sessions(count: number): Promise<void> {
  const from = proxy.count(API.heartbeat);
  const heartbeats = count * HEARTBEATS_PER_SESSION;
  await expect.poll(() => proxy.count(API.heartbeat) - from, POLLING).toBeGreaterThanOrEqual(heartbeats);
}

describe.each(['of the request', 'of its connection'] as const)(
  'a question after topics that is never answered, %s',
  (muteness) => {
    test('costs the member neither its place nor its heartbeats, and the next one is heard', async () => {
      const { input, faults, group, goesOn } = await member();
      await goesOn();
      const joins = proxy.count(API.joinGroup);
      const { ignored } = proxy;
      proxy.ignore(isTopicQuestion, muteness);
      await expect.poll(() => proxy.ignored - ignored, POLLING).toBeGreaterThanOrEqual(1);
      for (let session = 0; session < 3; session++) {
        await sessions(1);
        await goesOn();
      }
      // It is asked again, and not at each heartbeat: one question waits at a time.
      await expect.poll(() => proxy.ignored - ignored, POLLING).toBeGreaterThanOrEqual(2);
      expect(proxy.ignored - ignored).toBeLessThanOrEqual(8);
      expect(proxy.count(API.joinGroup)).toBe(joins);
      expect(faults.filter(({ code }) => code !== 'KAFKA_UNAVAILABLE')).toEqual([]);

      proxy.listenAgain();
      await widen(broker.brokers, input, 4);
      const admin = await direct.admin();
      await admin.initialiseOffsets(group, [input]);
      await admin.close();
      await expect.poll(() => consumer.progress().length, POLLING).toBe(4);
    });
  },
);

test('heartbeats that one connection swallows are sent over another one before the session is over', async () => {
  const { goesOn } = await member();
  await goesOn();
  const joins = proxy.count(API.joinGroup);
  let swallowed = 0;
  proxy.ignore(({ apiKey }) => apiKey === API.heartbeat && swallowed++ === 0, 'of its connection');
  await expect.poll(() => swallowed, POLLING).toBeGreaterThan(0);
  await sessions(3);
  await goesOn();
  expect(proxy.count(API.joinGroup)).toBe(joins);
});
