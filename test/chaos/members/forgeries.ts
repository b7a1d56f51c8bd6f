// Member: somebody with the right to write, and without keys, writes to every topic that something acts on.
//
// What must come of it: each forgery is one dead letter of each reader, or, on a table, one record that each reader counts
// and skips. Nothing is paid, held, resumed or ended by it. How the judge knows: forgery-check.ts.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyRing } from '../../../domain/seals/seal.ts';
import type { LogRecord, OutputRecord } from '../../../ports/log.ts';
import { type Rings, sealed, sealedRecovery } from '../../../ports/seals.ts';
import { consumers, topology } from '../../../processors/topology.ts';
import { contractOf, contracts, type TopicName } from '../../../topics/catalogue.ts';
import { ISSUERS } from '../../../topics/contract.ts';
import { HEADER, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { replayTopic, retryTopic } from '../../../topics/recovery.ts';
import type { ChaosBooks } from '../books.ts';
import type { Done } from '../injected.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';
import { altered, madeUp } from './forged-values.ts';

/** Names a forgery, wherever a dead letter carries it. No seal covers it. */
export const FORGERY = 'chaos-forgery';

export const FORGERIES = [
  /** A transfer, command or rate that nobody made, without a seal. */
  'unsealed',
  /** The same under a key of the right name and another secret. */
  'wrong-key',
  /** The same under a key that nobody knows. */
  'unknown-key',
  /** A true record with its true seal, that says something else. */
  'altered',
  /** A true event of the chain, byte for byte, of a transfer that has ended. */
  'copy',
  /** A retry or replay of a true event, that nobody put aside. */
  'detour',
] as const;
export type Forgery = (typeof FORGERIES)[number];

const marked = (how: Forgery) => `${how}:${randomUUID()}`;
/** How a forgery of this id was made. */
export const forgeryOf = (id: string): string => id.slice(0, id.indexOf(':'));

export interface ForgeryFault {
  readonly kind: 'forgery';
  readonly how: Forgery;
}

export interface Forging {
  readonly world: World;
  readonly books: ChaosBooks;
}

export const SEALED_TOPICS = Object.values(contracts)
  .filter(({ sealedBy }) => sealedBy !== null)
  .map(({ name }) => name);
/** Who puts records aside and takes them back in. */
const OWNERS = Object.entries({ ...topology, ...consumers }).map(([name, { reads }]) => ({
  name,
  reads: reads.map((contract) => contract.name as TopicName),
  isStage: name in topology,
}));
/** Every topic on which a forgery may stand. */
export const FORGED_TOPICS: readonly string[] = [
  ...SEALED_TOPICS,
  ...OWNERS.flatMap(({ name }) => [retryTopic(name, 0), replayTopic(name)]),
];

/** How far back true records are looked for, in each partition. */
const LOOK_BACK = 60;
/** Of all sealed topics; some hold what is rare. */
const ENOUGH_TOPICS = 11;
/** A machine that is starved takes minutes for it. */
const TIMEOUT_MS = 180_000;
const LOOK_EVERY_MS = 1_000;

/** Writes one forgery of this kind to every topic where there can be one. */
export async function forge({ world, books }: Forging, { how }: ForgeryFault): Promise<Done> {
  const { log } = world.connections;
  const samples = await enoughRecords(world, books);
  const records = how === 'detour' ? recoveryForgeries(samples) : await untilItWorks(() => direct(world, samples, how));
  if (records.length === 0) return { outcome: 'nothing to forge from', counts: [] };
  // What is written twice meanwhile is counted as it stands in the log.
  await untilItWorks(async () => {
    const writer = await log.writer('chaos-stranger');
    await writer.send(records).finally(() => writer.close());
  });
  return {
    outcome: `${records.length} records on ${new Set(records.map(({ topic }) => topic)).size} topics`,
    counts: records.flatMap(() => ['forgeries', `forgery.${how}`]),
  };
}

/** Early in a run most topics are empty, and hardly any transfer has ended. */
async function enoughRecords(world: World, books: ChaosBooks): Promise<ReadonlyMap<TopicName, LogRecord>> {
  for (const deadline = performance.now() + TIMEOUT_MS; ; ) {
    const found = await untilItWorks(() => trueRecords(world, books));
    if (found.size >= ENOUGH_TOPICS || performance.now() > deadline) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

/** One true record of each sealed topic that has one; on the chain, of a transfer that has ended. */
async function trueRecords({ connections }: World, books: ChaosBooks): Promise<ReadonlyMap<TopicName, LogRecord>> {
  const reader = connections.log.reader();
  const found = new Map<TopicName, LogRecord>();
  const ranges = (await reader.offsets(SEALED_TOPICS)).filter(({ from, to }) => to > from);
  const recent = ranges.map((range) => ({ ...range, from: Math.max(range.from, range.to - LOOK_BACK) }));
  await reader.read(recent, ({ topic, records }) => {
    for (const record of records) {
      const isTable = contractOf(topic)?.kind === 'table';
      const usable = isTable || books.hasEnded(record.key?.toString() ?? '');
      if (usable && record.value !== null && record.headers[FORGERY] === undefined)
        found.set(topic as TopicName, record);
    }
  });
  return found;
}

async function direct(
  { connections: { codec, config } }: World,
  samples: ReadonlyMap<TopicName, LogRecord>,
  how: Exclude<Forgery, 'detour'>,
): Promise<OutputRecord[]> {
  const forged: OutputRecord[] = [];
  const strangers = strangersKeys(config.keys, how === 'wrong-key');
  for (const [topic, sample] of samples) {
    if (how === 'copy') {
      if (contractOf(topic)?.kind === 'transition') forged.push(outputOf(sample, how));
      continue;
    }
    await codec.load([topic]);
    const [decoded] = await codec.decode(topic, [sample.value]);
    if (!decoded?.ok) throw new Error(`${topic}: ${decoded?.detail}`);
    const encode = (value: unknown) => codec.encode(topic, value as never);
    if (how === 'altered') {
      forged.push({ ...outputOf(sample, how), value: different(encode(altered(topic, decoded.value)), sample) });
      continue;
    }
    const { key, value } = madeUp(topic, decoded.value);
    const { partition } = sample;
    const headers = { [HEADER.eventId]: randomUUID(), [FORGERY]: marked(how) };
    const record = { topic, partition, key: key ?? sample.key, value: encode(value), headers };
    forged.push(how === 'unsealed' ? record : sealed(strangers, record));
  }
  return forged;
}

/** Where what is said is the same, a byte more: whatever it is, nobody sealed it. */
const different = (value: Buffer, { value: before }: LogRecord): Buffer =>
  before !== null && value.equals(before) ? Buffer.concat([value, Buffer.from([0])]) : value;

/** Retries and replays that no stage and no operator wrote; for sinks, whose detours bear no seal, of events without one. */
function recoveryForgeries(samples: ReadonlyMap<TopicName, LogRecord>): OutputRecord[] {
  return OWNERS.flatMap(({ name, reads, isStage }, index) => {
    const sample = reads
      .map((topic) => samples.get(topic) ?? intentLike(topic, samples))
      .find((one) => one !== undefined);
    if (sample === undefined) return [];
    const seen = outputOf(sample, 'detour');
    const { [HEADER.seal]: _seal, [HEADER.cause]: _cause, ...bare } = seen.headers;
    const headers = {
      ...(isStage ? seen.headers : bare),
      [RECOVERY_HEADER.sourceTopic]: sample.topic,
      [RECOVERY_HEADER.sourcePartition]: String(sample.partition),
      [RECOVERY_HEADER.sourceOffset]: String(sample.offset),
      [RECOVERY_HEADER.sourceTimestamp]: String(sample.timestamp),
      [RECOVERY_HEADER.attempts]: '1',
    };
    const aside = (topic: string) => ({ ...seen, topic, headers: { ...headers, [FORGERY]: marked('detour') } });
    const both = [aside(retryTopic(name, 0)), aside(replayTopic(name))];
    const strangers = strangersKeys(undefined, false);
    return isStage && index % 2 === 0 ? both.map((record) => sealedRecovery(strangers, record)) : both;
  });
}

/** Intents bear no seal; what is said to be one takes the place of a true one, which must not seem to end twice by it. */
function intentLike(topic: TopicName, samples: ReadonlyMap<TopicName, LogRecord>): LogRecord | undefined {
  const [any] = samples.values();
  return topic === 'transfer.requested' && any ? { ...any, topic, offset: 0, headers: {} } : undefined;
}

function outputOf({ topic, partition, key, value, headers }: LogRecord, how: Forgery): OutputRecord {
  const kept = Object.entries(headers).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
  return { topic, partition, key, value, headers: { ...Object.fromEntries(kept), [FORGERY]: marked(how) } };
}

const SECRET = 'a-secret-that-the-pipeline-has-never-seen-000';

/** Keys of somebody who knows how a key is called at most. */
function strangersKeys(keys: Rings | undefined, sameName: boolean): Rings {
  const name = (issuer: (typeof ISSUERS)[number]) => (sameName ? keys?.[issuer]?.currentId : undefined) ?? 'mallory';
  return Object.fromEntries(ISSUERS.map((issuer) => [issuer, keyRing(`${name(issuer)}:${SECRET}`)]));
}
