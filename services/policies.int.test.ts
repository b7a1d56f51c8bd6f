// Versions of policies over a real broker: every process reads the same ones, whatever a stranger or a second writer adds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../adapters/kafka/log.ts';
import { type LocalStack, startStack } from '../infra/local/stack.ts';
import { canonicalJson } from '../operations/approvals/acts.ts';
import { hashOfPolicy } from '../operations/policies/versions.ts';
import type { Log, OutputRecord } from '../ports/log.ts';
import type { PolicyVersion } from '../schemas/types.generated.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { readTopic } from '../test/kit/read-topic.ts';
import { testRings } from '../test/kit/rings.ts';
import { policyVersions } from '../topics/boundary.ts';
import { followedPolicy, policyLog } from './policies.ts';

const POLLING = { timeout: 120_000, interval: 50 };
const TOPIC = policyVersions.name;
const codec = memoryCodec();
const config = { keys: testRings as never };
const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-policies-'));
const closing: (() => Promise<unknown>)[] = [];
let stack: LocalStack;

const clientOf = (clientId: string): Log => {
  const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'policies', clientId });
  closing.unshift(() => log.close());
  return log;
};
/** A stage that has read what was written before it. What it makes of a version is the number in its content. */
async function startStage(clientId: string) {
  const made: number[] = [];
  const policy = followedPolicy<number>(
    { log: clientOf(clientId), codec, config },
    {
      kind: 'limits',
      configured: 0,
      make: (content) => {
        const { n } = content as { readonly n: unknown };
        if (typeof n !== 'number') throw new Error('it has no number');
        made.push(n);
        return n;
      },
    },
  );
  closing.unshift(() => policy.table.stop());
  await policy.table.start();
  return { policy, made, now: () => policy.at(Date.now() + 60_000) };
}
const version = (number: number, content: unknown, over: Partial<PolicyVersion> = {}): PolicyVersion => {
  const text = canonicalJson(content);
  return {
    ...{
      kind: 'limits',
      version: number,
      content: text,
      contentHash: hashOfPolicy(text),
      validFrom: 0,
      activatedAt: 0,
    },
    ...{ askedBy: 'asha', approvedBy: 'ben', approvalId: `a-${number}`, reason: 'r', ...over },
  };
};

beforeAll(async () => {
  stack = await startStack({ stateDir, ephemeral: true, kinds: ['kafka'], env: {} });
  const admin = await clientOf('admin').admin();
  const topicConfig = { 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'compact' };
  await admin.createTopics([{ name: TOPIC, partitions: 1, replicationFactor: 1, config: topicConfig }]);
  await admin.close();
}, 300_000);
afterAll(async () => {
  for (const close of closing) await close();
  await stack?.stop();
  rmSync(stateDir, { recursive: true, force: true });
}, 120_000);

it('are the same in every process, the first of each number, whoever writes behind it', async () => {
  const before = Date.now() - 60_000;
  const first = await startStage('first');
  expect(first.now()).toMatchObject({ version: 0, content: 0 });
  const log = policyLog({ log: clientOf('operator'), codec, config });
  await log.publish(version(1, { n: 11 }));
  await expect.poll(() => first.now().version, POLLING).toBe(1);
  // It says that it counts since 1970: what the broker took before the version is counted by what held then.
  expect(first.policy.at(before)).toMatchObject({ version: 0 });

  // A second process writes the same number; a stranger writes without a key, a copy of what is true, and a tombstone.
  await log.publish(version(1, { n: 12 }, { approvalId: 'other' }));
  const written = await readTopic(clientOf('copier'), TOPIC);
  const stranger = await clientOf('stranger').writer('stranger');
  closing.unshift(() => stranger.close());
  const record = (key: string, value: Buffer | null): OutputRecord => ({
    topic: TOPIC,
    partition: 0,
    key,
    value,
    headers: {},
  });
  const copies = written.map(({ topic, partition, key, value, headers }) => ({
    topic,
    partition,
    key,
    value,
    headers,
  }));
  await stranger.send([
    record('limits/2', codec.encode(TOPIC, version(2, { n: 66 }))),
    record('limits/1', null),
    ...(copies as OutputRecord[]),
  ]);
  await log.publish(version(2, { n: 21 }, { validFrom: Date.now() + 3_600_000 }));
  await log.publish({ ...version(1, { n: 1 }), kind: 'of-a-newer-release' });
  await log.publish(version(3, { without: 'a number' }));

  const second = await startStage('second');
  for (const { policy } of [first, second]) {
    await expect.poll(() => policy.troubles().length, POLLING).toBe(2);
    // It counts and cannot be used: nothing is decided by an older one. What came before it is counted by what held then.
    expect(() => policy.at(Date.now())).toThrow(/limits\/3 counts and cannot be used here/);
    expect(policy.at(before)).toMatchObject({ version: 0, content: 0 });
    expect(policy.all().map((each) => each.version)).toEqual([2, 1, 0]);
    expect(policy.table.health()).toMatchObject({ unproven: 2, lastSkipped: { code: 'RECORD_OUTDATED' } });
    expect(policy.troubles().map(({ dependency, code }) => `${code} ${dependency}`)).toEqual([
      'POLICY_UNUSABLE policy limits/3',
      'POLICY_UNUSABLE policy of-a-newer-release/1',
    ]);
  }
  // Each version is made into rules once.
  expect(first.made).toEqual([11, 21]);

  // A version that can be used ends the trouble of the one before it.
  await log.publish(version(4, { n: 41 }));
  await expect.poll(() => first.now().version, POLLING).toBe(4);
  expect(first.policy.troubles()).toHaveLength(1);
  expect((await log.versions()).map(({ record: { kind, version: number } }) => `${kind}/${number}`)).toEqual([
    ...['limits/1', 'limits/2', 'of-a-newer-release/1', 'limits/3', 'limits/4'],
  ]);
});
