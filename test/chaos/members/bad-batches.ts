// Member: batches that nobody can read: bombs, at any time, and batches that are damaged on the disk of the broker.
//
// What must come of it: each is one dead letter of intake that names topic, partition, first and last offset, and what
// stands beside it goes through. How the judge knows: every batch of the log that it cannot read itself has exactly one such
// letter, and there is no other.
//
// A broker refuses what is damaged when it comes, and truncates its log where it finds damage after a kill. So batches are
// damaged after the last kill, while the chain is stopped and asks for nothing.
import { openSync, readSync, writeSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, UnreadableBatch } from '../../../ports/log.ts';
import type { Random } from '../../../samples/random.ts';
import { batchBy, sealed } from '../../kit/kafka/batches.ts';
import { produceRaw } from '../../kit/kafka/raw-produce.ts';
import type { Done } from '../injected.ts';
import type { Slot } from '../slot.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';

const INTENTS = 'transfer.requested';
const MB = 1_048_576;

export interface BombFault {
  readonly kind: 'bomb';
  readonly unpackedMb: number;
  readonly partition: number;
}

/** Well beyond what a batch may unpack to (32 MB). */
export const bombFault = (random: Random): BombFault => ({
  kind: 'bomb',
  unpackedMb: 64 + random.below(64),
  partition: random.below(1_000),
});

export async function explode({ connections, stack }: World, { unpackedMb, partition }: BombFault): Promise<Done> {
  const batch = batchBy('zstd', [{ key: Buffer.from('bomb'), value: Buffer.alloc(unpackedMb * MB) }]);
  const { chainPartitions } = connections.config.kafka;
  await untilItWorks(() => produced(stack.urls.kafkaBrokers, partition % chainPartitions, batch));
  return { outcome: `${Math.round(batch.length / 1_024)} KB that unpack to ${unpackedMb} MB`, counts: ['bombs'] };
}

/** Throws unless the broker took it: one that has just started does not lead yet. */
async function produced(brokers: readonly string[], partition: number, batch: Buffer): Promise<void> {
  const answer = await produceRaw(brokers, INTENTS, partition, batch);
  if (answer !== 0) throw new Error(`the broker answers ${answer} to a batch that nobody can read`);
}

/** What is done to a batch on the disk, in place; `code`: what a reader must call it. */
const DAMAGES: readonly { readonly code: UnreadableBatch['code']; readonly spoil: (batch: Buffer) => Buffer }[] = [
  {
    code: 'BATCH_CORRUPT',
    spoil: (batch) => changed(batch, (bytes) => bytes.writeUInt8(bytes.at(-1)! ^ 0xff, bytes.length - 1)),
  },
  {
    code: 'BATCH_CODEC_UNKNOWN',
    spoil: (batch) => sealed(changed(batch, (bytes) => bytes.writeUInt8(bytes[22]! | 0x07, 22))),
  },
  {
    code: 'BATCH_MALFORMED',
    spoil: (batch) => sealed(changed(batch, (bytes) => bytes.writeInt32BE(2_000_000_000, 57))),
  },
  { code: 'BATCH_UNPACK_FAILED', spoil: (batch) => sealed(changed(batch, (bytes) => bytes.fill(0x5a, 61))) },
];

function changed(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  change(copy);
  return copy;
}

export interface Damaging {
  readonly world: World;
  /** All that read intents. */
  readonly chain: readonly Slot[];
}

/** Longer than a fetch waits at the broker for what is new, so that none is there while the batches are whole. */
const FETCHES_OVER_MS = 3_000;

/** Puts one batch of each kind of damage into the log. Nobody kills a broker from here on. @returns how many */
export async function damageBatches({ world, chain }: Damaging): Promise<number> {
  for (const slot of chain) await slot.ready();
  for (const slot of chain) slot.signal('SIGSTOP');
  try {
    await sleep(FETCHES_OVER_MS);
    for (const [index, damage] of DAMAGES.entries()) await damageOne(world, index, damage.spoil);
  } finally {
    for (const slot of chain) slot.signal('SIGCONT');
  }
  return DAMAGES.length;
}

async function damageOne({ dir, connections, stack }: World, index: number, spoil: (batch: Buffer) => Buffer) {
  const { log, config } = connections;
  const partition = index % config.kafka.chainPartitions;
  const ends = await log.reader().offsets([INTENTS]);
  const at = ends.find((range) => range.partition === partition)!.to;
  const records = [1, 2, 3].map((n) => ({ key: Buffer.from(`damaged-${n}`), value: Buffer.from('x'.repeat(100)) }));
  await produced(stack.urls.kafkaBrokers, partition, batchBy('zstd', records));
  let spoilt = 0;
  // Every replica: who leads may change.
  for await (const file of glob(path.join(dir, 'stack', '**', `${INTENTS}-${partition}`, '*.log'))) {
    if (spoilAt(file, at, spoil)) spoilt++;
  }
  if (spoilt === 0) throw new Error(`no segment of ${INTENTS}-${partition} holds offset ${at}`);
}

/** Changes the batch that begins at this offset, if the segment holds it. */
function spoilAt(file: string, offset: number, spoil: (batch: Buffer) => Buffer): boolean {
  const descriptor = openSync(file, 'r+');
  const header = Buffer.alloc(12);
  for (let at = 0; readSync(descriptor, header, 0, 12, at) === 12; ) {
    const size = 12 + header.readInt32BE(8);
    if (Number(header.readBigInt64BE(0)) === offset && size > 12) {
      const batch = Buffer.alloc(size);
      readSync(descriptor, batch, 0, size, at);
      writeSync(descriptor, spoil(batch), 0, size, at);
      return true;
    }
    if (size <= 12) return false;
    at += size;
  }
  return false;
}

/** A batch that nobody can read, or the dead letter of one. */
export interface BadBatch {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly code: string;
}

/** Batches of intents that cannot be read. */
export async function badBatchesIn(log: Log): Promise<readonly BadBatch[]> {
  const found: BadBatch[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets([INTENTS]), ({ topic, partition, records }) => {
    for (const { unreadable } of records) if (unreadable) found.push({ topic, partition, ...unreadable });
  });
  return found;
}

/** What is wrong with the dead letters of these batches; empty: each has one, and there is no other. */
export function checkBadBatches(
  batches: readonly BadBatch[],
  letters: readonly BadBatch[],
): readonly { readonly subject: string; readonly detail: string }[] {
  const nameOf = ({ topic, partition, firstOffset, lastOffset, code }: BadBatch) =>
    `${topic}/${partition}/${firstOffset} to ${lastOffset} (${code})`;
  const counts = new Map<string, number>();
  for (const letter of letters) counts.set(nameOf(letter), (counts.get(nameOf(letter)) ?? 0) + 1);
  const wrong = batches.flatMap((batch) => {
    const count = counts.get(nameOf(batch)) ?? 0;
    counts.delete(nameOf(batch));
    return count === 1 ? [] : [{ subject: nameOf(batch), detail: `cannot be read, and has ${count} dead letters` }];
  });
  const others = [...counts.keys()].map((subject) => ({
    subject,
    detail: 'a dead letter of a batch that can be read',
  }));
  return [...wrong, ...others];
}
