// The compose file of the pipeline cannot be run where there is no Docker; what can be known without it is checked here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { PROCESSOR_NAMES, SINK_NAMES } from '../../services/process-parts/part-selection.ts';

const file = path.join(import.meta.dirname, 'docker-compose.yml');
interface Service {
  readonly command?: readonly string[];
  readonly restart: string;
}
const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: Record<string, Service> };
const commands = Object.values(services).flatMap(({ command }) => (command ? [command.join(' ')] : []));

test('every stage, every sink, the executor, each relay and each face of the API is a service of its own, and nothing else is', () => {
  expect(commands.toSorted()).toEqual(
    [
      ...PROCESSOR_NAMES.map((name) => `run --processors ${name}`),
      ...SINK_NAMES.map((name) => `run --sinks ${name}`),
      'run --payouts',
      'run --cases',
      'run --rescreening',
      'run --replays',
      'run --audit',
      'run --webhooks',
      'api',
      'api',
    ].toSorted(),
  );
});

test('the executor shares its process with nothing', () => {
  expect(commands.filter((command) => command.includes('--payouts'))).toEqual(['run --payouts']);
});

test('each is started again when it ends', () => {
  for (const [name, { restart }] of Object.entries(services)) {
    expect(restart, name).toBe(name === 'provision' ? 'on-failure' : 'unless-stopped');
  }
});
