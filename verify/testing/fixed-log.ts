// A log that stands still: records at stated offsets (with gaps, as markers leave them), and committed positions.

import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log, LogRecord } from '../../ports/log.ts';

/** So few that a read has many batches. */
const BATCH_RECORDS = 3;

export class FixedLog {
  readonly partitions: number;
  readonly app: string;
  /** The ids by which brokers know the topics; absent for the others. */
  readonly topicIds = new Map<string, string>();
  readonly #records = new Map<string, LogRecord[]>();
  readonly #ends = new Map<string, number>();
  readonly #starts = new Map<string, number>();
  readonly #committed = new Map<string, number>();

  constructor(partitions: number, app = 'corridor') {
    this.partitions = partitions;
    this.app = app;
  }

  /** Puts a record at its offset; the partition ends after the highest. */
  put(record: LogRecord): void {
    const key = `${record.topic}/${record.partition}`;
    const records = this.#records.get(key) ?? [];
    records.push(record);
    records.sort((a, b) => a.offset - b.offset);
    this.#records.set(key, records);
    this.#ends.set(key, Math.max(this.end(record.topic, record.partition), record.offset + 1));
  }

  /** Takes a record out, as if it had never been committed. */
  drop(topic: string, partition: number, offset: number): void {
    const key = `${topic}/${partition}`;
    const left = (this.#records.get(key) ?? []).filter((record) => record.offset !== offset);
    this.#records.set(key, left);
  }

  /** Retention took what was before this offset. */
  trim(topic: string, partition: number, start: number): void {
    const key = `${topic}/${partition}`;
    this.#starts.set(key, start);
    const left = (this.#records.get(key) ?? []).filter(({ offset }) => offset >= start);
    this.#records.set(key, left);
  }

  end(topic: string, partition: number): number {
    return this.#ends.get(`${topic}/${partition}`) ?? 0;
  }

  commit(owner: string, topic: string, partition: number, offset: number): void {
    this.#committed.set(`${groupId(this.app, owner)}/${topic}/${partition}`, offset);
  }

  /** The log as a verification uses it: bounded reads, ends and committed offsets. */
  asLog(): Log {
    const places = (topics: readonly string[]) =>
      topics.flatMap((topic) => Array.from({ length: this.partitions }, (_, partition) => ({ topic, partition })));
    const reader: Pick<ReturnType<Log['reader']>, 'offsets' | 'read'> = {
      offsets: async (topics) =>
        places(topics).map(({ topic, partition }) => ({
          topic,
          partition,
          from: this.#starts.get(`${topic}/${partition}`) ?? 0,
          to: this.end(topic, partition),
        })),
      // In order within a partition; between partitions in the order that suits least: the last asked for come first.
      read: async (ranges, onBatch) => {
        const queues = ranges.toReversed().map(({ topic, partition, from, to }) => {
          const all = this.#records.get(`${topic}/${partition}`) ?? [];
          return { topic, partition, records: all.filter(({ offset }) => offset >= from && offset < to) };
        });
        while (queues.some(({ records }) => records.length > 0)) {
          for (const { topic, partition, records } of queues) {
            const some = records.splice(0, BATCH_RECORDS);
            if (some.length > 0) await onBatch({ topic, partition, records: some });
          }
        }
      },
    };
    const admin: Pick<Awaited<ReturnType<Log['admin']>>, 'describeTopics' | 'committed' | 'close'> = {
      describeTopics: async (names) =>
        names.flatMap((name) => {
          const topicId = this.topicIds.get(name);
          return topicId === undefined
            ? []
            : [{ name, topicId, partitions: this.partitions, replicationFactor: 1, config: {} }];
        }),
      committed: async (group, topics) =>
        places(topics).map(({ topic, partition }) => ({
          topic,
          partition,
          offset: this.#committed.get(`${group}/${topic}/${partition}`),
          note: '',
        })),
      close: async () => undefined,
    };
    return { reader: () => reader, admin: async () => admin } as unknown as Log;
  }
}
