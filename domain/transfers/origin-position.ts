// Where a record stands in the log: topicId:partition:offset. It never changes, also through retries and replays. The topic
// is named by the broker's id, since one that is made anew has the old name and the old offsets; by its name where there is
// no id, and in what was written before positions had ids.

export interface OriginPosition {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
}

export const formatOrigin = ({ topicId, partition, offset }: OriginPosition): string =>
  `${topicId}:${partition}:${offset}`;

/** The position in a string; undefined for any other text. */
export function parseOrigin(text: string): OriginPosition | undefined {
  const match = /^(.+):(\d{1,10}):(\d{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [, topicId, partition, offset] = match;
  return { topicId: topicId!, partition: Number(partition), offset: Number(offset) };
}

/** A position that was stored, and when (ms). */
export interface StoredPosition {
  readonly position: string;
  readonly storedAt: number;
}

/** A record where it stands, and since when (ms, by the broker's clock). */
export interface PlacedRecord {
  /** The topic's name. */
  readonly topic: string;
  readonly position: string;
  readonly appendedAt: number;
}

/** How far the clocks of a stage and of a broker may be apart. */
const MAX_SKEW_MS = 300_000;

/**
 * Whether a stored position is that of this record. One of them may name the topic in the way of before, by its name; then
 * it is not, when it was stored before the record came to be: it is of an earlier topic of that name.
 */
export function isSamePosition({ position: stored, storedAt }: StoredPosition, record: PlacedRecord): boolean {
  if (stored === record.position) return true;
  const [one, other] = [parseOrigin(stored), parseOrigin(record.position)];
  if (one === undefined || other === undefined) return false;
  if (one.partition !== other.partition || one.offset !== other.offset) return false;
  const byName = one.topicId === record.topic || other.topicId === record.topic;
  return byName && storedAt >= record.appendedAt - MAX_SKEW_MS;
}
