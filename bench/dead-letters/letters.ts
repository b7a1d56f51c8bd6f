// Dead letters as a bad night leaves them: a few causes that hit thousands, and many that hit a handful.
import { sealedRecovery } from '../../ports/seals.ts';
import { groupIdOf } from '../../sinks/dead-letters/cause.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { testRings } from '../../test/kit/rings.ts';
import { deadLetterId } from '../../topics/dead-letter-id.ts';

export const OWNER = 'limits';
export const PARTITIONS = 4;
const CORRIDORS = [
  ['GB-IN', 'GBP'],
  ['US-MX', 'USD'],
  ['DE-PL', 'EUR'],
  ['CH-LK', 'CHF'],
] as const;
const MINUTE_MS = 60_000;
/** The letters of half a day. */
const SPREAD_MS = 12 * 60 * MINUTE_MS;

/** Group of the n-th of so many letters: half of all are of the first cause, a quarter of the second, and so on. */
export function causeOf(n: number, groups: number): number {
  const share = ((n * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  const skewed = Math.floor(-Math.log2(1 - share));
  return skewed < 6 ? skewed : 6 + (n % Math.max(1, groups - 6));
}

/** The n-th letter in the index. `topicId`: of the dead-letter topic. */
export function letterAt(n: number, groups: number, now: number, topicId: string): DeadLetterDocument {
  const partition = n % PARTITIONS;
  const source = { topicId: 'priced', partition, offset: n };
  const id = deadLetterId({ owner: OWNER, source: { ...source, replayCount: 0 } });
  const cause = `it broke at step ${causeOf(n, groups)}`;
  const [corridor, currency] = CORRIDORS[n % CORRIDORS.length]!;
  const failedAt = new Date(now - Math.floor((n * 7_919) % SPREAD_MS));
  return {
    ...{ _id: id, letterId: id, proven: true, owner: OWNER, code: 'UNEXPECTED_ERROR', class: 'poison' },
    ...{ detail: cause, frame: null, group: groupIdOf({ owner: OWNER, code: 'UNEXPECTED_ERROR', cause }), cause },
    place: { topicId, partition, offset: Math.floor(n / PARTITIONS) },
    source: { ...source, topic: 'transfer.priced', lastOffset: null },
    ...{ firstFailedAt: failedAt, failedAt, tries: 1, replayCount: 0, replayId: null },
    ...{ transferId: `T-${n}`, sequence: 3, corridor, amountMinor: BigInt(1_000 + (n % 90_000)), currency },
    ...{ bytes: VALUE.length + 8, state: 'PARKED', takenBy: null, stateAt: failedAt },
  };
}

/** As large as a priced event is. */
const VALUE = Buffer.alloc(1_500, 'v');

/** The record of that letter, as its stage sealed it. */
export function recordAt(n: number) {
  const partition = n % PARTITIONS;
  const headers = {
    'dlq-id': deadLetterId({ owner: OWNER, source: { topicId: 'priced', partition, offset: n, replayCount: 0 } }),
    'replay-count': '0',
    'source-topic': 'transfer.priced',
    'source-topic-id': 'priced',
    'source-partition': String(partition),
    'source-offset': String(n),
  };
  return sealedRecovery(testRings, { topic: `${OWNER}.dlq`, partition, key: `T-${n}`, value: VALUE, headers });
}
