// The log, as skips use it: read alone.
import { groupId } from '../../ports/consumer-groups/names.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord } from '../../ports/log.ts';
import { type Rings, recoverySealFlaw } from '../../ports/seals.ts';
import { consumers } from '../../processors/topology.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import type { SkipLog, SkipPlace } from './ports.ts';

/** So many offsets are read to find the next record: ends of transactions take some. */
const READ_AHEAD = 200;
/** Sinks seal no letters: what they write moves no money. The executor does. */
const UNSEALED: ReadonlySet<string> = new Set(Object.keys(consumers).filter((name) => name !== 'payout-executor'));

export function skipLog(log: Pick<Log, 'reader' | 'admin'>, app: string, rings: Rings): SkipLog {
  /** One client and one look at the topics for all of them, and one at each group. */
  async function committed(places: readonly Pick<SkipPlace, 'owner' | 'topic' | 'partition'>[]) {
    const admin = await log.admin();
    try {
      const described = await admin.describeTopics([...new Set(places.map(({ topic }) => topic))]);
      const topicIds = new Map(described.map(({ name, topicId }) => [name, topicId ?? name]));
      const positions = new Map<string, number | undefined>();
      for (const [owner, of] of Map.groupBy(places, (place) => place.owner)) {
        const topics = [...new Set(of.map(({ topic }) => topic))];
        const offsets = await admin.committed(groupId(app, owner), topics, { evenUnstable: true });
        for (const { topic, partition, offset } of offsets) positions.set(`${owner}/${topic}/${partition}`, offset);
      }
      return places.map(({ owner, topic, partition }) => ({
        topicId: topicIds.get(topic) ?? topic,
        position: positions.get(`${owner}/${topic}/${partition}`),
      }));
    } finally {
      await admin.close();
    }
  }

  return {
    async standingPoint(owner, topic, partition) {
      const [{ topicId, position }] = (await committed([{ owner, topic, partition }])) as [Committed];
      const range = (await log.reader().offsets([topic])).find((each) => each.partition === partition);
      if (!range) throw new CodedError('SKIP_TARGET_UNKNOWN', `${topic} has no partition ${partition}`);
      const from = Math.max(range.from, position ?? range.from);
      let head: LogRecord | undefined;
      for (let next = from; next < range.to && head === undefined; next += READ_AHEAD) {
        const some = { topic, partition, from: next, to: Math.min(range.to, next + READ_AHEAD) };
        await log.reader().read([some], ({ records }) => {
          head ??= records[0];
        });
      }
      return { topicId, position, head, end: range.to };
    },
    async positions(places) {
      if (places.length === 0) return [];
      const found = await committed(places);
      return found.map(({ topicId, position }, i) => (topicId === places[i]!.topicId ? position : undefined));
    },
    async skipped(open) {
      const owners = [...Map.groupBy(open, ({ owner }) => owner)];
      const ranges = await Promise.all(
        owners.map(([owner, of]) => {
          const since = Math.min(...of.map((each) => each.since.getTime()));
          return log.reader().offsetsSince([deadLetterTopic(owner)], since);
        }),
      );
      const ownerOf = new Map(owners.map(([owner]) => [deadLetterTopic(owner), owner]));
      const wanted = new Set(open.map(({ owner, approvalId }) => `${owner}/${approvalId}`));
      const found = new Set<string>();
      await log.reader().read(ranges.flat(), ({ topic, records }) => {
        const owner = ownerOf.get(topic)!;
        for (const record of records) {
          const approvalId = headerText(record.headers, RECOVERY_HEADER.skipId);
          if (approvalId === undefined || !wanted.has(`${owner}/${approvalId}`)) continue;
          if (UNSEALED.has(owner) || recoverySealFlaw(rings, record) === undefined) found.add(approvalId);
        }
      });
      return found;
    },
  };
}

interface Committed {
  readonly topicId: string;
  readonly position: number | undefined;
}
