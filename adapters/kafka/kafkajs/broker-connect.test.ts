import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Connections, connectCluster, discardCluster } from '../client.ts';
import { codedError } from '../fault.ts';
import { settingsOf } from '../options.ts';
import { applyPatches, PATCH_NAMES } from './patches.ts';

const require = createRequire(import.meta.url);

interface Broker {
  connect(): Promise<void>;
  isConnected(): boolean;
  lookupRequest(apiKey: number, definition: unknown): unknown;
}
const BrokerClass = require('kafkajs/src/broker') as new (options: object) => Broker;
const { requests } = require('kafkajs/src/protocol/requests') as { requests: { Metadata: unknown } };
const METADATA = 3;

/** A broker that takes a socket, and whose first answers do not come in time, or only when the test says so. */
function slowBroker(timeouts: number, how?: 'held') {
  let asked = 0;
  let connected = false;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  if (how !== 'held') answer();
  const connection = { getSupportAuthenticationProtocol: () => true, authenticate: async () => {} };
  const connectionPool = {
    isConnected: () => connected,
    getConnection: async () => {
      connected = true;
      return connection;
    },
    destroy: async () => {
      connected = false;
    },
    setVersions: () => {},
    setSupportAuthenticationProtocol: () => {},
    send: async () => {
      asked++;
      if (asked <= timeouts) throw Object.assign(new Error('timed out'), { name: 'KafkaJSRequestTimeoutError' });
      await answered;
      return { apiVersions: [{ apiKey: METADATA, minVersion: 0, maxVersion: 6 }] };
    },
  };
  const logger = { namespace: () => ({ debug: () => {}, error: () => {} }) };
  const broker = new BrokerClass({ connectionPool, logger, allowAutoTopicCreation: false });
  return { broker, asked: () => asked, answer };
}

afterEach(() => applyPatches());

describe('a broker whose first answer does not come in time', () => {
  test('is not connected, and is when it is asked again', async () => {
    applyPatches(PATCH_NAMES);
    const { broker, asked } = slowBroker(2);
    await expect(broker.connect()).rejects.toThrow('timed out');
    expect(broker.isConnected()).toBe(false);
    await expect(broker.connect()).rejects.toThrow('timed out');
    await broker.connect();
    expect([broker.isConnected(), asked()]).toEqual([true, 3]);
    expect(() => broker.lookupRequest(METADATA, requests.Metadata)).not.toThrow();
    await broker.connect();
    expect(asked()).toBe(3);
  });

  test('as kafkajs is shipped stays useless for ever', async () => {
    applyPatches(PATCH_NAMES.filter((name) => name !== 'broker-connect'));
    const { broker, asked } = slowBroker(1);
    await expect(broker.connect()).rejects.toThrow('timed out');
    for (let i = 0; i < 3; i++) await broker.connect();
    expect([broker.isConnected(), asked()]).toEqual([true, 1]);
    expect(() => broker.lookupRequest(METADATA, requests.Metadata)).toThrow('Broker not connected');
  });

  test('is no connected broker while the answer is under way', async () => {
    applyPatches(PATCH_NAMES);
    const { broker, answer } = slowBroker(0, 'held');
    const connecting = broker.connect();
    await new Promise(setImmediate);
    expect(broker.isConnected()).toBe(false);
    answer();
    await connecting;
    expect(broker.isConnected()).toBe(true);
  });

  test('is a broker that is away for who asks the cluster, and so is waited for', async () => {
    applyPatches(PATCH_NAMES);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const options = { brokers: [`127.0.0.1:${port}`], appName: 'slow', clientId: 'slow', requestTimeoutMs: 100 };
    const cluster = new Connections(settingsOf(options)).cluster();
    const failed = await connectCluster(cluster, []).catch((error: unknown) => codedError(error));
    expect(failed).toMatchObject({ code: 'KAFKA_UNAVAILABLE', faultClass: 'transient-dependency' });
    discardCluster(cluster);
    // Each try had a socket of its own.
    expect(sockets.size).toBeGreaterThan(1);
    for (const socket of sockets) socket.destroy();
    server.close();
  }, 300_000);
});
