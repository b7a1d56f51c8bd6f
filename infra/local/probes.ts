// One question to a server in its own protocol. Each resolves when the answer is right and throws otherwise.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';

const PATIENCE_MS = 3_000;

/** Resolves when every broker is in the cluster and there is a controller. `brokers`: host:port of some of them. */
export async function probeKafka(brokers: readonly string[], expected: number): Promise<void> {
  const kafka = new Kafka({
    clientId: 'corridor-probe',
    brokers: [...brokers],
    connectionTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length < expected) throw new Error(`${cluster.brokers.length} of ${expected} brokers`);
    if (cluster.controller === null) throw new Error('no controller yet');
  } finally {
    await admin.disconnect();
  }
}

export async function probeRegistry(baseUrl: string): Promise<void> {
  const response = await fetch(`${baseUrl}/subjects`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`GET /subjects: ${response.status}`);
  if (!Array.isArray(await response.json())) throw new Error('GET /subjects: not a list');
}

export async function probeMongo(uri: string): Promise<void> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: PATIENCE_MS,
    connectTimeoutMS: PATIENCE_MS,
    maxPoolSize: 1,
  });
  try {
    await client.db('admin').command({ ping: 1 });
  } finally {
    await client.close();
  }
}

/** PING, after AUTH if the URL holds a password. A server that is still loading its data answers with an error. */
export async function probeRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

/** Resolves when something listens there: a cheap question to ask often, before a real one. */
export function probePort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer')));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

/** Tries until it works; rejects with the last failure when the signal is aborted. */
export async function until(signal: AbortSignal, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(50);
    }
  }
}
