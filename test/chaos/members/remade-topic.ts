// Member: somebody deletes the topic of intents and makes it again while everything runs, and producers go on at once: to the
// positions that were taken before they send again what stood there, or something else.
//
// What must come of it: intake stops in every process, also in one that starts meanwhile, with a code and with what to do; the
// other stages go on. After the documented cure (`corridor topics apply`, `corridor topics resume`) what was sent again is a
// duplicate, what is new comes to its end, and no id is met twice. How the judge knows: the books, the dead letters, and
// verify. All that stood on the topic was handled before it was deleted: what was not is lost by whoever deletes it.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupId } from '../../../ports/consumer-groups/names.ts';
import type { Log } from '../../../ports/log.ts';
import { desiredState } from '../../../runtime/provision.ts';
import type { End } from '../../../samples/fed-record.ts';
import { goodIntent, INVALID_INTENTS } from '../../../samples/intents.ts';
import { type Random, seeded } from '../../../samples/random.ts';
import type { TransferRequested } from '../../../schemas/types.generated.ts';
import { homePartition } from '../../../topics/home-partition.ts';
import type { ChaosBooks } from '../books.ts';
import type { ChaosRecord } from '../feed.ts';
import { type Feeder, INTENTS, identityOf, type Multiset, readIntents } from '../feeder.ts';
import type { Slot } from '../slot.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';

const OWNER = 'intake';
/** What intake stops with where its offset is not of the topic that there is, or there is none. */
const STOPS = /^(OFFSET_OF_ANOTHER_TOPIC|OFFSET_MISSING|OFFSET_OUT_OF_RANGE|TOPIC_UNKNOWN)$/;
/** What it says must name a command, or the offset that is not to be touched yet. */
const SAYS_WHAT_TO_DO = /corridor topics|offset/;
/** So many positions of each partition are taken again, and fewer than were taken: a topic that is longer is read on over its beginning. */
const TAKEN_AGAIN = 25;
/** Only what hangs is given up. */
const TIMEOUT_MS = 600_000;
const LOOK_EVERY_MS = 300;
const STOP_WITHIN_MS = 30_000;

export interface Remaking {
  readonly world: World;
  readonly books: ChaosBooks;
  readonly feeder: Feeder;
  /** All that run intake. */
  readonly chain: readonly Slot[];
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What was done, and what was wrong about it. */
export interface Remade {
  /** What was fed before, and what stood in the topic then. */
  readonly fed: Multiset;
  readonly inLog: Multiset;
  /** Records that were sent to positions that had been taken. */
  readonly sentAgain: number;
  /** Wall clock, ms: meanwhile intake stands, as it must. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly failures: readonly string[];
}

/** A stage that has stopped, as health tells it. */
interface StoppedPart {
  readonly name: string;
  readonly code: string;
  readonly detail: string;
  readonly toDo: string;
}

export async function remakeIntents(remaking: Remaking): Promise<Remade> {
  const { world, feeder, chain, say } = remaking;
  const { log } = world.connections;
  const failures: string[] = [];
  await until('intake has handled every intent', () => isHandled(world));
  const inLog = await untilItWorks(() => readIntents(log));
  const again = await takenAgain(remaking);
  const fromMs = Date.now();
  const fed = await feeder.betweenTopics(() => makeAnew(world));
  await feeder.insert(again);
  say(`${INTENTS} is made again, and ${again.length} of its positions are taken again`);
  failures.push(...(await allStand(chain)));
  // One that starts meanwhile does not go on either.
  await chain[0]!.kill();
  failures.push(...(await allStand(chain)));
  failures.push(...(await cure(remaking)));
  say('The operator has done what the documentation says; intake goes on');
  return { fed, inLog, sentAgain: again.length, fromMs, toMs: Date.now(), failures };
}

/** Whether a line of a log says that intake stood, as it had to. */
export function isOfRemade(line: string, { fromMs, toMs }: Pick<Remade, 'fromMs' | 'toMs'>): boolean {
  const [, at] = /"time":"([^"]+)"/.exec(line) ?? [];
  const [, stage] = /"stage":"([^"]+)"/.exec(line) ?? [];
  const [, code] = /"code":"([^"]+)"/.exec(line) ?? [];
  const time = Date.parse(at ?? '');
  return stage === OWNER && STOPS.test(code ?? '') && fromMs <= time && time <= toMs;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; !(await untilItWorks(isSo)); await sleep(LOOK_EVERY_MS)) {
    if (performance.now() > deadline) throw new Error(`not within ${TIMEOUT_MS / 60_000} minutes: ${what}`);
  }
}

async function isHandled({ connections: { log, config } }: World): Promise<boolean> {
  const admin = await log.admin();
  try {
    const ends = await log.reader().offsets([INTENTS]);
    const committed = await admin.committed(groupId(config.appName, OWNER), [INTENTS]);
    const offsetOf = (partition: number) => committed.find((each) => each.partition === partition)?.offset;
    return ends.every(({ partition, to }) => offsetOf(partition) === to);
  } finally {
    await admin.close();
  }
}

/** As somebody does who knows the topic's settings, and nothing of those who read it. */
async function makeAnew({ connections: { log, config } }: World): Promise<void> {
  const { chainPartitions, replicationFactor } = config.kafka;
  const wanted = desiredState(chainPartitions).topics.find(({ name }) => name === INTENTS)!;
  const admin = await log.admin();
  try {
    await untilItWorks(() => admin.deleteTopics([INTENTS]));
    // A broker that is still deleting refuses.
    await untilItWorks(() => admin.createTopics([{ ...wanted, replicationFactor }]));
    await admin.awaitLeaders([wanted]);
  } finally {
    await admin.close();
  }
}

/** What is sent to positions that were taken before. */
async function takenAgain({ world, feeder, books, seed }: Remaking): Promise<readonly ChaosRecord[]> {
  const { codec, log, config } = world.connections;
  const random = seeded(seed ^ 0xa6a1);
  const taken = await untilItWorks(() => firstPositions(log));
  return [...taken].flatMap(([partition, records]) => {
    const making = { partition, partitions: config.kafka.chainPartitions, random, codec };
    return insteadOf(records, (record) => endsOf(record, feeder, books)).map((kind, index) =>
      kind === 'again' ? sentAgain(records[index]!) : newRecord(kind, making),
    );
  });
}

/** Which ends a record of the topic may have come to, as it was fed: with the transfer's own end first, if it became one. */
function endsOf({ key, value }: Taken, feeder: Feeder, books: ChaosBooks): readonly End[] {
  const ends = feeder.endsOf(identityOf(key, value));
  return ends.filter((end) => end === 'INTENT_REJECTED' || end === books.endOf(key));
}

export type Instead = 'again' | 'good' | 'invalid';

/**
 * What takes the place of each of these records: mostly the same again where a transfer was made, a new intent that is refused
 * where one was refused, and new transfers otherwise. By their positions alone each would pass for what stood there.
 */
export function insteadOf(records: readonly Taken[], endsOf: (record: Taken) => readonly End[]): readonly Instead[] {
  const seen = new Set<string>();
  return records.map((record, index) => {
    const isFirst = !seen.has(record.key);
    seen.add(record.key);
    const ends = endsOf(record);
    if (ends.includes('INTENT_REJECTED')) return 'invalid';
    return isFirst && ends.length > 0 && index % 3 !== 2 ? 'again' : 'good';
  });
}

const sentAgain = ({ key, value }: Taken): ChaosRecord => {
  return { key, value, account: key, expected: 'DUPLICATE', kind: 'duplicate', late: false };
};

interface Making {
  readonly partition: number;
  readonly partitions: number;
  readonly random: Random;
  readonly codec: { encode(topic: typeof INTENTS, intent: TransferRequested): Buffer };
}

/** A record that was never sent, for this partition. */
function newRecord(kind: 'good' | 'invalid', { partition, partitions, random, codec }: Making): ChaosRecord {
  let transferId = randomUUID();
  while (homePartition(transferId, partitions) !== partition) transferId = randomUUID();
  const ids = { transferId, customerId: randomUUID(), beneficiaryId: randomUUID() };
  const good = goodIntent(random, ids, Date.now());
  const common = { key: transferId, account: transferId, late: false };
  if (kind === 'good') return { ...common, value: codec.encode(INTENTS, good), expected: 'COMPLETED', kind };
  const value = codec.encode(INTENTS, INVALID_INTENTS[REFUSED]!(good, random));
  return { ...common, value, expected: 'INTENT_REJECTED', kind: REFUSED };
}
const REFUSED = 'zero-amount';

export interface Taken {
  readonly key: string;
  readonly value: Buffer | null;
}

/** What stands at the first positions of each partition, in their order; at least one position more is taken. */
async function firstPositions(log: Log): Promise<ReadonlyMap<number, readonly Taken[]>> {
  const reader = log.reader();
  const ranges = (await reader.offsets([INTENTS])).map((range) => {
    return { ...range, to: Math.min(range.from + TAKEN_AGAIN, range.to - 1) };
  });
  const found = new Map<number, Taken[]>();
  const readable = ranges.filter(({ from, to }) => from < to);
  await reader.read(readable, ({ partition, records }) => {
    const taken = found.get(partition) ?? [];
    found.set(partition, taken);
    for (const { key, value } of records) taken.push({ key: key?.toString() ?? '', value });
  });
  return found;
}

/** Waits until intake stands in each of these processes. @returns what is wrong with what they say */
async function allStand(chain: readonly Slot[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const slot of chain) {
    let stopped: readonly StoppedPart[] = [];
    await until(`intake of ${slot.name} stops`, async () => {
      await slot.ready();
      stopped = await stoppedParts(slot);
      return stopped.some(({ name }) => name === OWNER);
    });
    for (const { name, code, detail, toDo } of stopped) {
      if (name === OWNER && STOPS.test(code) && SAYS_WHAT_TO_DO.test(toDo)) continue;
      wrong.push(`${slot.name}: ${name} stands with ${code} where intents were made again: ${detail}; to do: ${toDo}`);
    }
  }
  return wrong;
}

async function stoppedParts({ health }: Slot): Promise<readonly StoppedPart[]> {
  const body = await fetch(`${health}/health`).then(
    (response) => response.json() as Promise<{ standing: readonly StoppedPart[] }>,
    () => undefined,
  );
  return body?.standing ?? [];
}

/** What docs/kafka.md says. @returns what did not go as it says */
async function cure({ world, chain }: Remaking): Promise<readonly string[]> {
  const failures: string[] = [];
  const run = async (...args: readonly string[]) => {
    const { code, said } = await world.corridor(...args);
    if (code !== 0) failures.push(`corridor ${args.join(' ')} ended with ${code}: ${said.slice(-300)}`);
  };
  await run('topics', 'apply');
  await run('topics', 'resume', OWNER);
  const codes = await Promise.all(chain.map((slot) => slot.stop(STOP_WITHIN_MS)));
  for (const [index, code] of codes.entries()) {
    if (code !== 0) failures.push(`${chain[index]!.name} did not stop when asked to: exit code ${code}`);
  }
  await run('topics', 'resume', OWNER, '--apply');
  for (const slot of chain) slot.start();
  await Promise.all(chain.map((slot) => slot.ready()));
  return failures;
}
