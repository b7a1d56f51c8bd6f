// The log, as replays use it.
import { groupId, replayTransactionalId } from '../../../ports/consumer-groups/names.ts';
import type { Log, LogAdmin, LogRecord } from '../../../ports/log.ts';
import { type Rings, recoverySealFlaw } from '../../../ports/seals.ts';
import { deadLetterTopic, replayTopic } from '../../../topics/recovery.ts';
import type { ReplayLog } from './ports.ts';
import { letterSentIn } from './record.ts';

/** A read of so many records for one letter is worth less than another read. */
const MAX_GAP_RECORDS = 1_000;
/** Letters that are held at once, by what they really take; a single one may be larger. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * @param app prefix of groups and transactional ids
 * @param rings a record of a replay counts as sent only under the seal of operators
 */
export function replayLog(
  log: Log,
  app: string,
  rings: Rings,
  maxHeldBytes = MAX_HELD_BYTES,
): ReplayLog & { close(): Promise<void> } {
  let admin: Promise<LogAdmin> | undefined;
  return {
    async letters(owner, places) {
      const topic = deadLetterTopic(owner);
      const found = new Map<string, LogRecord>();
      const left = new Set<string>();
      let bytes = 0;
      // Of a topic that was made anew, old offsets are other records.
      admin ??= log.admin();
      const [{ topicId = topic } = {}] = await (await admin).describeTopics([topic]);
      const wanted = new Set(
        places.filter((place) => place.topicId === topicId).map(({ partition, offset }) => `${partition}/${offset}`),
      );
      const kept = await log.reader().offsets([topic]);
      for (const ranges of rangesOf(topic, places, new Map(kept.map((range) => [range.partition, range])))) {
        await log.reader().read(ranges, ({ records: read }) => {
          for (const record of read) {
            const place = `${record.partition}/${record.offset}`;
            if (!wanted.has(place)) continue;
            const size = bytesOf(record);
            if (bytes > 0 && bytes + size > maxHeldBytes) left.add(place);
            else {
              bytes += size;
              found.set(place, record);
            }
          }
        });
      }
      return { found, left };
    },
    async targetEnds(owner) {
      // With what is not committed: what this process has just sent must stand before them.
      return log.reader().ends([replayTopic(owner)]);
    },
    async handled(owner) {
      admin ??= log.admin();
      const committed = await (await admin).committed(groupId(app, owner), [replayTopic(owner)]);
      return committed.map(({ partition, offset }) => ({ partition, offset: offset ?? 0 }));
    },
    async sent(owner, replayId, from) {
      const topic = replayTopic(owner);
      const sent = new Set<string>();
      await log.reader().read(await rangesSince(log, topic, from), ({ records }) => {
        for (const record of records) {
          if (record.unreadable || recoverySealFlaw(rings, record)) continue;
          const letter = letterSentIn(record, replayId);
          if (letter !== undefined) sent.add(letter);
        }
      });
      return sent;
    },
    takeOver: (owner, replayId) => log.transactions(replayTransactionalId(app, replayId), replayTopic(owner)),
    async close() {
      await (await admin)?.close();
    },
  };
}

/** Key, value and headers, in bytes. */
function bytesOf({ key, value, headers }: LogRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of Object.values(headers)) bytes += header?.length ?? 0;
  return bytes;
}

interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** All of a topic from these offsets on. */
async function rangesSince(log: Log, topic: string, from: Parameters<ReplayLog['sent']>[2]): Promise<readonly Range[]> {
  const starts = new Map(from.map(({ partition, offset }) => [partition, offset]));
  // Up to the ends with what is not committed: another's open transaction would hide what was sent behind it.
  const ends = new Map((await log.reader().ends([topic])).map(({ partition, offset }) => [partition, offset]));
  return (await log.reader().offsets([topic])).map((range) => ({
    ...range,
    // Of a partition that was added since, all of it.
    from: Math.max(range.from, starts.get(range.partition) ?? 0),
    to: Math.max(range.to, ends.get(range.partition) ?? 0),
  }));
}

/** Reads that cover these places: in each, one range of a partition at most. What the log has not kept is left out. */
function rangesOf(
  topic: string,
  places: readonly { readonly partition: number; readonly offset: number }[],
  kept: ReadonlyMap<number, Range>,
): readonly (readonly Range[])[] {
  const reads: Range[][] = [];
  for (const [partition, of] of Map.groupBy(places, (place) => place.partition)) {
    const ranges: { topic: string; partition: number; from: number; to: number }[] = [];
    for (const offset of of.map((place) => place.offset).toSorted((a, b) => a - b)) {
      const bounds = kept.get(partition);
      if (!bounds || offset < bounds.from || offset >= bounds.to) continue;
      const last = ranges.at(-1);
      if (last && offset - last.to < MAX_GAP_RECORDS) last.to = offset + 1;
      else ranges.push({ topic, partition, from: offset, to: offset + 1 });
    }
    for (const [i, range] of ranges.entries()) {
      reads[i] ??= [];
      reads[i].push(range);
    }
  }
  return reads;
}
