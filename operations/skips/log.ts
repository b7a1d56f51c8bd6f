// The log, as skips use it: read alone.
import { groupId } from '../../ports/consumer-groups/names.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord } from '../../ports/log.ts';
import { type Rings, recoverySealFlaw } from '../../ports/seals.ts';
import { consumers } from '../../processors/topology.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import type { SkipLog } from './ports.ts';

/** So many offsets are read to find the next record: ends of transactions take some. */
const READ_AHEAD = 200;
/** Sinks seal no letters: what they write moves no money. The executor does. */
const UNSEALED: ReadonlySet<string> = new Set(Object.keys(consumers).filter((name) => name !== 'payout-executor'));

export function skipLog(log: Pick<Log, 'reader' | 'admin'>, app: string, rings: Rings): SkipLog {
  async function committed(owner: string, topic: string, partition: number) {
    const admin = await log.admin();
    try {
      const [described] = await admin.describeTopics([topic]);
      const offsets = await admin.committed(groupId(app, owner), [topic], { evenUnstable: true });
      const position = offsets.find((each) => each.partition === partition)?.offset;
      return { topicId: described?.topicId ?? topic, position };
    } finally {
      await admin.close();
    }
  }

  return {
    async standingPoint(owner, topic, partition) {
      const { topicId, position } = await committed(owner, topic, partition);
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
    async position(owner, topic, topicId, partition) {
      const now = await committed(owner, topic, partition);
      return now.topicId === topicId ? now.position : undefined;
    },
    async hasLetter(owner, approvalId, since) {
      const topic = deadLetterTopic(owner);
      let isThere = false;
      await log.reader().read(await log.reader().offsetsSince([topic], since.getTime()), ({ records }) => {
        isThere ||= records.some(
          (record) =>
            headerText(record.headers, RECOVERY_HEADER.skipId) === approvalId &&
            (UNSEALED.has(owner) || recoverySealFlaw(rings, record) === undefined),
        );
      });
      return isThere;
    },
  };
}
