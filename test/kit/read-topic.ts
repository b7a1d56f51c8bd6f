// What a topic holds, read_committed, from given offsets on.
import type { Log, LogRecord } from '../../ports/log.ts';

/** Records of a topic from `from` (by `topic/partition`; else the start) to its present end. */
export async function readTopic(
  log: Log,
  topic: string,
  from: ReadonlyMap<string, number> = new Map(),
): Promise<readonly LogRecord[]> {
  const reader = log.reader();
  const ranges = (await reader.offsets([topic])).map((range) => ({
    ...range,
    from: Math.max(range.from, from.get(`${range.topic}/${range.partition}`) ?? range.from),
  }));
  const records: LogRecord[] = [];
  await reader.read(ranges, (batch) => {
    records.push(...batch.records);
  });
  return records;
}
