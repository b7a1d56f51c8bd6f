// docker-compose.kafka.yml cannot be run where there is no Docker; what can be known without it is checked here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kafkaEnvironment } from './container-plan.ts';
import { DATA_PATHS, IMAGES, INNER_PORTS } from './images.ts';
import { DEFAULT_PORTS } from './ports.ts';
import { commonSettings } from './servers/kafka-cluster.ts';

interface Service {
  image: string;
  ports: string[];
  command?: string[];
  environment?: Record<string, string>;
  volumes: string[];
  healthcheck: { test: string[]; interval: string; retries: number };
}

const file = path.join(import.meta.dirname, '../../docker-compose.kafka.yml');
const compose = parse(readFileSync(file, 'utf8')) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};

const EXPECTED = [
  ['kafka', 'kafka', 'kafka-1'],
  ['registry', 'registry', 'registry'],
  ['mongo', 'mongo', 'mongo'],
  ['redis-limits', 'redis', 'redisLimits'],
  ['redis-queue', 'redis', 'redisQueue'],
] as const;

test('it has every server of the local stack, and nothing else', () => {
  expect(Object.keys(compose.services)).toEqual(EXPECTED.map(([service]) => service));
});

describe.each(EXPECTED)('%s', (name, image, server) => {
  const service = compose.services[name] as Service;

  test('is the image that the containers runner runs, pinned', () => {
    expect(service.image).toBe(IMAGES[image]);
    expect(service.image).toMatch(/:\d+\.\d+\.\d+/);
  });

  test('listens on the documented port of this machine only, which its variable moves', () => {
    const { port, variable } = DEFAULT_PORTS[server];
    expect(service.ports).toEqual([`127.0.0.1:\${${variable}:-${port}}:${INNER_PORTS[image]}`]);
  });

  test('keeps its data in a volume of its own', () => {
    expect(service.volumes).toEqual([`${name}:${DATA_PATHS[image]}`]);
    expect(compose.volumes).toHaveProperty(name);
  });

  test('says when it is healthy', () => {
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
    expect(service.healthcheck.retries).toBeGreaterThanOrEqual(10);
  });
});

test('Kafka has the settings of the local broker', () => {
  const environment = compose.services['kafka']?.environment;
  expect(environment).toMatchObject(kafkaEnvironment(commonSettings(1)));
  const { port, variable } = DEFAULT_PORTS['kafka-1'];
  expect(environment?.['KAFKA_ADVERTISED_LISTENERS']).toContain(`HOST://127.0.0.1:\${${variable}:-${port}}`);
  expect(environment?.['CLUSTER_ID']).toHaveLength(22);
});

test('both Redis servers keep every acknowledged write, and never evict', () => {
  for (const name of ['redis-limits', 'redis-queue']) {
    expect(compose.services[name]?.command?.join(' ')).toContain('--appendonly yes');
    expect(compose.services[name]?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  }
});
