// The compose file of the pipeline cannot be run where there is no Docker; what can be known without it is checked here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KeyVariable } from '../../runtime/config/config.ts';
import { KEYS_OF_PROGRAMS } from '../../services/process-parts/part-keys.ts';
import { PROCESSOR_NAMES, SINK_NAMES } from '../../services/process-parts/part-selection.ts';

const file = path.join(import.meta.dirname, 'docker-compose.yml');
interface Service {
  readonly command?: readonly string[];
  readonly restart: string;
  readonly env_file: readonly (string | { readonly path: string })[];
  readonly environment?: Readonly<Record<string, string>>;
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
      'run --analytics',
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

const FILE_OF: Readonly<Record<KeyVariable, string>> = {
  CORRIDOR_STAGE_KEYS: 'stages',
  CORRIDOR_OPERATOR_KEYS: 'operators',
  CORRIDOR_EXECUTOR_KEYS: 'executor',
  CORRIDOR_FEED_KEYS: 'feeds',
  CORRIDOR_AUDIT_KEYS: 'audit',
  CORRIDOR_INTENT_KEYS: 'intents',
  CORRIDOR_WEBHOOK_KEYS: 'webhooks',
  CORRIDOR_AUDIT_SIGNING_KEYS: 'audit-signing',
  CORRIDOR_LIFECYCLE_KEYS: 'lifecycle',
  CORRIDOR_TOKEN_KEY: 'token',
};

test('each has the files of the keys that it needs or takes, and of no other', () => {
  for (const [name, { command, env_file, environment }] of Object.entries(services)) {
    if (command === undefined) continue;
    const faces = environment?.['CORRIDOR_API_FACES'] ?? 'producers';
    const program = command[0] === 'api' ? `api (CORRIDOR_API_FACES=${faces})` : command.join(' ');
    const { needs, takes } = KEYS_OF_PROGRAMS.get(program)!;
    const files = env_file.map((file) => (typeof file === 'string' ? file : file.path));
    const keys = files.filter((file) => file.startsWith('keys/')).map((file) => file.slice(5, -4));
    expect(keys.toSorted(), name).toEqual([...needs, ...takes].map((key) => FILE_OF[key]).toSorted());
  }
});
