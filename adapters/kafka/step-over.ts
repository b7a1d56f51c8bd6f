// Finds where a partition can be read again. A broker looks for an offset from the last entry of its sparse index on, batch
// by batch, by their sizes: where a size is damaged it finds nothing until the next entry (4 KiB by default), and says
// CORRUPT_MESSAGE or nothing at all.

import { UnreadableRecord } from './kafkajs/fetch-response.ts';
import type { FetchedPartition } from './kafkajs/internals.ts';
import type { Source } from './source.ts';

/** The broker does not know. Where there is damage, it says the next one, or nothing. */
export const UNKNOWN_SERVER_ERROR = -1;
export const CORRUPT_MESSAGE = 2;
export const OFFSET_OUT_OF_RANGE = 1;

/** So many offsets behind the damage are asked for one by one; further ones in larger and larger steps. */
const ONE_BY_ONE = 256;
/** Between two such steps this many places, evenly spread, are asked for before the range is skipped. */
const SPREAD = 64;
/** And again for what is left of it, so often, when something there could be read. */
const MAX_ROUNDS = 16;
/** Whether an offset can be read shows in the first batch of an answer, which comes whole. */
const PROBE_BYTES = 65_536;

/** One fetch of this partition alone; its errors are in the answer: those above. Throws for every other error. */
export type FetchAt = (offset: number, maxBytes?: number) => Promise<FetchedPartition>;

/**
 * Moves a source past what is damaged at its position, with one record that names it. What lies between there and where it
 * can be read again is unreadable, as far as it was asked for: offset by offset, and in a large range at evenly spread
 * places. Where nothing that follows can be read, the source stands. Nothing is passed before the source may pass: a broker
 * can be in trouble for a while, or another replica can read what its leader cannot. And nothing is passed when the broker
 * does not know of any of these offsets whether it can read them.
 */
export async function stepOver(source: Source, fetchAt: FetchAt): Promise<void> {
  const { position: from, seeks } = source;
  if (from === undefined) return;
  const wasMoved = () => source.seeks !== seeks || source.position !== from;
  const here = await fetchAt(from);
  if (wasMoved()) return;
  if (gives(here, from)) return source.accept(here, seeks);
  if (here.errorCode === OFFSET_OUT_OF_RANGE) return source.leaveRange();
  if (here.errorCode === UNKNOWN_SERVER_ERROR) return source.answerUnknown();
  if (!source.mayPass) return source.rest();
  const end = here.errorCode === 0 ? Number(here.lastStableOffset) : source.lastStableOffset;
  const found = await lookAround(source.soundAt ?? from - 1, { from, end }, fetchAt);
  // What has become readable meanwhile was never damaged.
  const again = await fetchAt(from);
  if (wasMoved()) return;
  if (gives(again, from)) return source.accept(again, seeks);
  if (again.errorCode === OFFSET_OUT_OF_RANGE) return source.leaveRange();
  if (again.errorCode === UNKNOWN_SERVER_ERROR || found === 'unknown') return source.answerUnknown();
  const { behind, next } = found;
  if (behind && source.acceptFrom(behind.soundAt, behind.fetched)) return;
  if (next === undefined || next <= from) source.stand();
  else source.passTo(next);
}

interface Found {
  /** An answer that begins before the damage and holds what lies behind it. */
  readonly behind?: { readonly soundAt: number; readonly fetched: FetchedPartition };
  /** Where the log can be read again, by its offsets. */
  readonly next?: number | undefined;
}

interface Span {
  readonly from: number;
  readonly end: number;
}

/** What can be read behind the damage; 'unknown' when the broker does not know it of an offset that was asked for. */
async function lookAround(soundAt: number, span: Span, fetchAt: FetchAt): Promise<Found | 'unknown'> {
  let isUnknown = false;
  const probe: FetchAt = async (offset, maxBytes) => {
    const fetched = await fetchAt(offset, maxBytes);
    isUnknown ||= fetched.errorCode === UNKNOWN_SERVER_ERROR;
    return fetched;
  };
  // An answer holds the bytes of the log from where it begins, and so what lies behind the damage, whatever the index says.
  const before = soundAt < 0 ? undefined : await probe(soundAt);
  if (isUnknown) return 'unknown';
  if (before !== undefined && gives(before, span.from)) return { behind: { soundAt, fetched: before } };
  const ahead: FetchAt = async (offset) => {
    const fetched = await probe(offset, PROBE_BYTES);
    // The log ends elsewhere now: nothing is known of what is there.
    isUnknown ||= fetched.errorCode === OFFSET_OUT_OF_RANGE;
    return fetched;
  };
  const next = await readableFrom(ahead, span, () => isUnknown);
  return isUnknown ? 'unknown' : { next };
}

/** Something of the log from this offset on. */
const gives = ({ errorCode, messages }: FetchedPartition, offset: number) =>
  errorCode === 0 && (messages.nextOffset ?? -1) > offset;

/** A batch that can be read: an offset that was asked for, and where its batch begins. */
interface Lit {
  readonly offset: number;
  readonly begins: number;
}

/**
 * The first offset after `from` that can be read: one by one, then in larger and larger steps, halving back. What was
 * stepped over is looked at in many places, and ends at the first of them that can be read.
 */
async function readableFrom(fetchAt: FetchAt, { from, end }: Span, isOver: () => boolean): Promise<number | undefined> {
  const near = Math.min(from + ONE_BY_ONE, end - 1);
  let lit = await firstOf(fetchAt, from + 1, near, 1, isOver);
  if (lit) return Math.max(lit.begins, from);
  let dark = near;
  for (let step = ONE_BY_ONE * 2; !lit; step *= 2) {
    if (isOver() || dark >= end - 1) return undefined;
    const offset = Math.min(from + step, end - 1);
    lit = await litAt(fetchAt, offset);
    if (!lit) dark = offset;
  }
  lit = await halveBack(fetchAt, dark, lit);
  for (let round = 0; round < MAX_ROUNDS && !isOver(); round++) {
    const step = Math.max(1, Math.ceil((lit.offset - near) / (SPREAD + 1)));
    const earlier: Lit | undefined = await firstOf(fetchAt, near + step, lit.offset - 1, step, isOver);
    if (!earlier) break;
    lit = await halveBack(fetchAt, earlier.offset - step, earlier);
  }
  return Math.max(lit.begins, from);
}

/** The first of these offsets that can be read. */
async function firstOf(
  fetchAt: FetchAt,
  first: number,
  last: number,
  step: number,
  isOver: () => boolean,
): Promise<Lit | undefined> {
  for (let offset = first; offset <= last && !isOver(); offset += step) {
    const lit = await litAt(fetchAt, offset);
    if (lit) return lit;
  }
  return undefined;
}

/** Between an offset that cannot be read and one that can: one that can, right behind one that cannot. */
async function halveBack(fetchAt: FetchAt, dark: number, lit: Lit): Promise<Lit> {
  let [below, above] = [dark, lit];
  while (above.offset - below > 1) {
    const offset = Math.floor((above.offset + below) / 2);
    const found = await litAt(fetchAt, offset);
    if (found) above = found;
    else below = offset;
  }
  return above;
}

async function litAt(fetchAt: FetchAt, offset: number): Promise<Lit | undefined> {
  const begins = await batchAt(fetchAt, offset);
  return begins === undefined ? undefined : { offset, begins };
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
