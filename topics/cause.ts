// The cause of a record: which input record, of which consumer, it was made from. It is sealed with the record, and rises
// within every output partition for one consumer and input partition, since a partition is handled in order and committed
// with its outputs by one owner. A record whose cause is not above what was handled before is a repeat (progress-notes.ts).
import { hash } from 'node:crypto';

export interface Cause {
  /** Consumer and topic in one short text: 72 bits of a digest, of the topic's id and not its name. */
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  /** Counts the outputs of one input on one topic, from 0. */
  readonly nth: number;
}

const SOURCE_BYTES = 9;
const CAUSE = /^([A-Za-z0-9_-]{12}):(\d{1,6}):(\d{1,16})(?:\.(\d{1,4}))?$/;
const sources = new Map<string, string>();

/** The source of what a consumer makes from the records of a topic, by the topic's id (its name where it has none). */
export function sourceOf(owner: string, topicId: string): string {
  const name = `${owner}\n${topicId}`;
  const known = sources.get(name);
  if (known !== undefined) return known;
  const source = hash('sha256', `corridor-cause-1\n${name}`, 'buffer').toString('base64url', 0, SOURCE_BYTES);
  sources.set(name, source);
  return source;
}

export const formatCause = ({ source, partition, offset, nth }: Cause): string =>
  nth === 0 ? `${source}:${partition}:${offset}` : `${source}:${partition}:${offset}.${nth}`;

/** Undefined for anything but a cause. */
export function parseCause(text: string): Cause | undefined {
  const [, source, partition, offset, nth] = CAUSE.exec(text) ?? [];
  if (source === undefined) return undefined;
  return { source, partition: Number(partition), offset: Number(offset), nth: Number(nth ?? 0) };
}
