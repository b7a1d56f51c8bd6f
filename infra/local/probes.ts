// One question to a server in its own protocol. Each resolves when the answer is right and throws otherwise.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { describeCluster } from './kafka-probe.ts';

const TIMEOUT_MS = 3_000;

/** Resolves when at least `expected` brokers are in the cluster, and one of them is the controller. */
export async function probeKafka(brokers: readonly string[], expected: number): Promise<void> {
  const answers = await Promise.allSettled(brokers.map(describeCluster));
  const clusters = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (clusters.length === 0) throw (answers[0] as PromiseRejectedResult).reason;
  const behind = clusters.find((cluster) => cluster.brokers.length < expected || cluster.controller < 0);
  if (behind) throw new Error(`${behind.brokers.length} of ${expected} brokers are in the cluster`);
}

export async function probeRegistry(baseUrl: string): Promise<void> {
  const response = await fetch(`${baseUrl}/subjects`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET /subjects: ${response.status}`);
  if (!Array.isArray(await response.json())) throw new Error('GET /subjects: not a list');
}

export async function probeMongo(uri: string): Promise<void> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: TIMEOUT_MS,
    connectTimeoutMS: TIMEOUT_MS,
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
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
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
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
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
