// The containers cannot be run where there is no Docker; what they would be is checked here.
import { describe, expect, test } from 'vitest';
import { planContainers } from './container-plan.ts';
import { volumeName } from './container-stack.ts';
import type { RunnerOptions } from './runner.ts';
import { StateDir } from './state.ts';
import { SERVER_KINDS } from './types.ts';

const options = (more: Partial<RunnerOptions> = {}): RunnerOptions => ({
  kinds: SERVER_KINDS,
  state: new StateDir('/nowhere'),
  settings: { format: 1, brokers: 1, clusterId: 'Y29ycmlkb3ItY29tcG9zZQ' },
  ephemeral: true,
  trial: false,
  detached: false,
  fixedPorts: false,
  advertisedPorts: [],
  ports: new Map(),
  artifactsDir: '/nowhere',
  env: {},
  onProgress: () => undefined,
  onUnexpectedExit: () => undefined,
  onChange: () => undefined,
  ...more,
});

test('each server is one container whose port its URL names', async () => {
  const { specs, urls } = await planContainers(options());
  expect(specs.map(({ name }) => name)).toEqual(['kafka-1', 'registry', 'mongo', 'redisLimits', 'redisQueue']);
  const port = (name: string) => specs.find((spec) => spec.name === name)?.ports[0]?.host;
  expect(urls).toEqual({
    kafkaBrokers: [`127.0.0.1:${port('kafka-1')}`],
    registryUrl: `http://127.0.0.1:${port('registry')}/apis/ccompat/v7`,
    mongoUri: `mongodb://127.0.0.1:${port('mongo')}/corridor?directConnection=true`,
    redisLimitsUrl: `redis://127.0.0.1:${port('redisLimits')}`,
    redisQueueUrl: `redis://127.0.0.1:${port('redisQueue')}`,
  });
});

describe('a cluster of three', () => {
  test('finds itself by name, and tells this machine its ports', async () => {
    const settings = { ...options().settings, brokers: 3 as const };
    const { specs } = await planContainers(options({ kinds: ['kafka'], settings }));
    const env = specs.map((spec) => spec.env ?? {});
    expect(new Set(env.map(({ KAFKA_CONTROLLER_QUORUM_VOTERS: voters }) => voters))).toEqual(
      new Set(['1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093']),
    );
    expect(env.map(({ KAFKA_NODE_ID: id }) => id)).toEqual(['1', '2', '3']);
    for (const [index, spec] of specs.entries()) {
      const advertised = env[index]?.['KAFKA_ADVERTISED_LISTENERS'];
      expect(advertised).toContain(`PLAINTEXT://${spec.name}:9091`);
      expect(advertised).toContain(`HOST://127.0.0.1:${spec.ports[0]?.host}`);
      expect(env[index]).toMatchObject({ KAFKA_DEFAULT_REPLICATION_FACTOR: '3', KAFKA_MIN_INSYNC_REPLICAS: '2' });
    }
  });

  test('behind proxies advertises their ports, and says where they send to', async () => {
    const settings = { ...options().settings, brokers: 3 as const };
    const plan = await planContainers(options({ kinds: ['kafka'], settings, advertisedPorts: [101, 102, 103] }));
    expect(plan.kafkaBehindProxy).toEqual(plan.specs.map(({ ports }) => `127.0.0.1:${ports[1]?.host}`));
    for (const [index, spec] of plan.specs.entries()) {
      expect(spec.env?.['KAFKA_ADVERTISED_LISTENERS']).toContain(`PROXIED://127.0.0.1:${101 + index}`);
    }
  });
});

test('volumes are told apart by state folder and server', () => {
  const names = ['/a', '/b'].flatMap((dir) => ['redisLimits', 'redisQueue'].map((server) => volumeName(dir, server)));
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^corridor-[0-9a-f]{10}-[a-z]+$/);
});
