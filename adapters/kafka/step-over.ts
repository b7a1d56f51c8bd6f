// Finds where a partition can be read again. A broker looks for an offset from the last entry of its sparse index on, batch
// by batch, by their sizes: where a size is damaged it finds nothing until the next entry (4 KiB by default), and says
// CORRUPT_MESSAGE or nothing at all.

import { UnreadableRecord } from './kafkajs/fetch-response.ts';
import type { FetchedPartition } from './kafkajs/internals.ts';
import type { Source } from './source.ts';

/** One fetch of this partition alone. Throws for every error but those by which a broker says that it cannot read there. */
export type FetchAt = (offset: number) => Promise<FetchedPartition>;

/**
 * Moves a source past what cannot be read at its position, with one record that names it. What lies between there and where
 * it can be read again is unreadable: each offset was asked for, or lies between two that gave nothing. Where nothing that
 * follows can be read, the source stands. Nothing is passed before the source may pass: a broker can be in trouble for a
 * while, or another replica can read what its leader cannot.
 */
export async function stepOver(source: Source, fetchAt: FetchAt): Promise<void> {
  const { position: from, seeks } = source;
  if (from === undefined) return;
  const here = await fetchAt(from);
  if (gives(here, from)) return source.accept(here, seeks);
  const end = here.errorCode === 0 ? Number(here.lastStableOffset) : source.lastStableOffset;
  // An answer holds the bytes of the log from where it begins, and so what lies behind the damage, whatever the index says.
  const sound = source.soundAt ?? from - 1;
  const before = sound < 0 ? undefined : await fetchAt(sound);
  const isBehind = before !== undefined && gives(before, from);
  const next = isBehind ? undefined : await readableFrom(fetchAt, from, end);
  // What has become readable meanwhile was never damaged.
  const again = await fetchAt(from);
  if (gives(again, from)) return source.accept(again, seeks);
  if (source.seeks !== seeks || source.position !== from) return;
  if (!source.mayPass) return source.rest();
  if (isBehind && source.acceptFrom(sound, before)) return;
  if (next === undefined || next <= from) source.stand();
  else source.passTo(next);
}

/** Something of the log from this offset on. */
const gives = ({ errorCode, messages }: FetchedPartition, offset: number) =>
  errorCode === 0 && (messages.nextOffset ?? -1) > offset;

/** The first offset after `from` that can be read: in larger and larger steps ahead, then halving back. */
async function readableFrom(fetchAt: FetchAt, from: number, end: number): Promise<number | undefined> {
  let dark = from;
  let lit: number | undefined;
  let begins: number | undefined;
  for (let step = 1; lit === undefined; step *= 2) {
    if (dark >= end - 1) return undefined;
    const offset = Math.min(from + step, end - 1);
    begins = await batchAt(fetchAt, offset);
    if (begins === undefined) dark = offset;
    else lit = offset;
  }
  while (lit - dark > 1) {
    const offset = Math.floor((lit + dark) / 2);
    const found = await batchAt(fetchAt, offset);
    if (found === undefined) dark = offset;
    else {
      lit = offset;
      begins = found;
    }
  }
  return Math.max(begins!, from);
}

/** Where the batch begins that holds this offset, or the next one; undefined when that cannot be read. */
async function batchAt(fetchAt: FetchAt, offset: number): Promise<number | undefined> {
  const fetched = await fetchAt(offset);
  if (!gives(fetched, offset)) return undefined;
  const [first] = fetched.messages;
  if (first === undefined) return offset; // compaction leaves batches without records
  if (!(first instanceof UnreadableRecord)) return Number(first.batchContext.firstOffset);
  // What is itself damaged is no sign that the log can be read here, unless it is known to be another batch.
  return first.isDamaged ? undefined : first.unreadable.firstOffset;
}
