// What is told of terms: the version in force, with and without the keys that prove it, and the last one where the log is away.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { canonicalJson } from '../operations/approvals/acts.ts';
import { hashOfPolicy } from '../operations/policies/versions.ts';
import { CodedError } from '../ports/fault.ts';
import type { Log } from '../ports/log.ts';
import { loadConfig } from '../runtime/config/config.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { policyLog } from './policies.ts';
import { termsNow } from './policies-now.ts';

const EXAMPLE = JSON.parse(
  readFileSync(new URL('../processors/fx-pricing/example-terms.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

function world(keys: object) {
  const log = new MemoryLog({ partitions: 1 });
  const codec = memoryCodec();
  const config = { ...loadConfig({ CORRIDOR_ENV: 'test' }), keys: keys as typeof testRings };
  let now = Date.now();
  let isAway = false;
  const away = () => {
    throw new CodedError('KAFKA_UNAVAILABLE', 'away');
  };
  const seen = new Proxy(log as Log, {
    get: (target, name) => (isAway ? away : Reflect.get(target, name).bind(target)) as never,
  });
  const publish = (version: number, content: object) => {
    const text = canonicalJson(content);
    return policyLog({ log, codec, config: { keys: testRings as never } }).publish({
      ...{ kind: 'terms', version, content: text, contentHash: hashOfPolicy(text), validFrom: 0, activatedAt: 0 },
      ...{ askedBy: 'asha', approvedBy: 'ben', approvalId: `a-${version}`, reason: 'r' },
    });
  };
  const terms = termsNow({ log: seen, codec, config }, () => now);
  return {
    publish,
    name: async () => (await terms()).name,
    pass: () => {
      now += 6_000;
    },
    setAway: (is: boolean) => {
      isAway = is;
    },
  };
}

it.each([
  ['with the keys of operators', testRings],
  ['without them', {}],
])('is the version in force, %s', async (_, keys) => {
  const { publish, name, pass, setAway } = world(keys);
  expect(await name()).toBe('built-in@1');
  await publish(1, EXAMPLE);
  pass();
  expect(await name()).toBe('example@2026-11-30#1');
  setAway(true);
  pass();
  expect(await name()).toBe('example@2026-11-30#1');
});

it('is none while pricing waits for one that can be used; unproven, such a version keeps nobody from an answer', async () => {
  const [proven, unproven] = [world(testRings), world({})];
  for (const { publish, pass } of [proven, unproven]) {
    await publish(1, EXAMPLE);
    await publish(2, { ...EXAMPLE, margins: [] });
    pass();
  }
  await expect(proven.name()).rejects.toMatchObject({ code: 'POLICY_UNUSABLE' });
  expect(await unproven.name()).toBe('example@2026-11-30#1');
});

it('is not known before the log was read once', async () => {
  const { name, setAway } = world(testRings);
  setAway(true);
  await expect(name()).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
  setAway(false);
  expect(await name()).toBe('built-in@1');
});
