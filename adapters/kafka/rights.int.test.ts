// Principals of others on a broker with access control lists: each may do what topics/rights.ts says, and nothing else.
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { Log } from '../../ports/log.ts';
import { analyticsConsumers, auditConsumers, consumers, topology } from '../../processors/topology.ts';
import { loadSchemas } from '../../schemas/load.ts';
import { type GuardedBroker, startGuardedBroker } from '../../test/kit/guarded-broker.ts';
import { contractOf } from '../../topics/catalogue.ts';
import { desired } from '../../topics/provision.ts';
import { RIGHTS } from '../../topics/rights.ts';
import { createLog } from './log.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs;

type Who = keyof typeof RIGHTS;
const ALL = Object.keys(RIGHTS) as readonly Who[];
const passwordOf = (who: string) => `password-of-${who}`;
const TOPICS = desired({ ...topology, ...consumers }, 1, undefined, {
  ...auditConsumers,
  ...analyticsConsumers,
}).topics.map(({ name }) => name);

let broker: GuardedBroker;
const logs = new Map<string, Log>();

const logOf = (who: string): Log => {
  const known = logs.get(who);
  if (known) return known;
  const sasl = { mechanism: 'plain', username: who, password: passwordOf(who) } as const;
  const log = createLog({ brokers: [broker.guarded], appName: 'rights', clientId: `rights-${who}`, sasl });
  logs.set(who, log);
  return log;
};

const record = (topic: string) => ({ topic, partition: 0, key: 'k', value: Buffer.from('v'), headers: {} });

/** What the broker says to somebody: nothing, or a code. */
const codeOf = (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'done',
    (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
  );

beforeAll(async () => {
  broker = await startGuardedBroker(Object.fromEntries(ALL.map((who) => [who, passwordOf(who)])));
  const open = createLog({ brokers: [broker.open], appName: 'rights', clientId: 'rights-open' });
  logs.set('', open);
  const topics = TOPICS.map((name) => ({ name, partitions: 1, replicationFactor: 1, config: {} }));
  const provisioning = await open.admin();
  await provisioning.createTopics(topics);
  await provisioning.awaitLeaders(topics);
  await provisioning.close();
  const writer = await open.writer('rights');
  await writer.send(TOPICS.map(record));
  await writer.close();
  const admin = new Kafka({ brokers: [broker.open], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const entry = (who: Who, resourceName: string, operation: keyof typeof AclOperationTypes, isGroup = false) => ({
    ...{ principal: `User:${who}`, host: '*', resourceName },
    operation: AclOperationTypes[operation] as number,
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: isGroup ? AclResourceTypes.GROUP : AclResourceTypes.TOPIC,
    resourcePatternType: isGroup ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  });
  const acl = ALL.flatMap((who) => [
    ...RIGHTS[who].reads.map((topic) => entry(who, topic, 'READ')),
    ...RIGHTS[who].writes.map((topic) => entry(who, topic, 'WRITE')),
    entry(who, RIGHTS[who].groups, 'READ', true),
  ]);
  await admin.createAcls({ acl });
  await admin.disconnect();
});
afterAll(async () => {
  for (const log of logs.values()) await log.close();
  await broker.stop();
});

describe.each(ALL)('%s', (who) => {
  const { reads, writes }: { readonly reads: readonly string[]; readonly writes: readonly string[] } = RIGHTS[who];

  it('read their topics, and no other', async () => {
    const reader = logOf(who).reader();
    for (const topic of TOPICS) {
      const seen: string[] = [];
      const reading = reader.read([{ topic, partition: 0, from: 0, to: 1 }], async ({ records }) => {
        for (const { value } of records) seen.push(String(value));
      });
      expect([topic, await codeOf(reading), seen]).toEqual(
        reads.includes(topic) ? [topic, 'done', ['v']] : [topic, 'KAFKA_UNAUTHORIZED', []],
      );
    }
  });

  it('write to their topics, and to no other', async () => {
    const writer = await logOf(who).writer('rights');
    for (const topic of TOPICS)
      expect([topic, await codeOf(writer.send([record(topic)]))]).toEqual([
        topic,
        writes.includes(topic) ? 'done' : 'KAFKA_UNAUTHORIZED',
      ]);
    await writer.close();
  });
});

it('nobody reads in a group of ours, or moves its position', async () => {
  for (const who of ALL) {
    const admin = await logOf(who).admin();
    expect(await codeOf(admin.initialiseOffsets('corridor.intake', ['transfer.requested']))).toBe('KAFKA_UNAUTHORIZED');
    await admin.close();
  }
});

it('what analysts read has no personal field, and what operators do is not on topics', () => {
  for (const topic of RIGHTS.analysts.reads) {
    const { fields } = loadSchemas().get(`corridor.${contractOf(topic)!.record}`)!;
    for (const { name, ...field } of fields!)
      expect([topic, name, (field as { readonly privacy?: string }).privacy]).toEqual([
        topic,
        name,
        expect.stringMatching(/^(none|pseudonymous)$/),
      ]);
  }
  expect([RIGHTS.operators.reads, RIGHTS.operators.writes]).toEqual([[], []]);
});
