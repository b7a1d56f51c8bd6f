// Topics of a test's own, and records for them.
import { randomBytes } from 'node:crypto';
import type { Log, OutputRecord } from '../../../runtime/ports/log.ts';

/** A name that no other test uses. */
export function unique(name: string): string {
  return `${name}-${randomBytes(4).toString('hex')}`;
}

/** Creates topics with that many partitions each. */
export async function createTopics(
  log: Log,
  names: readonly string[],
  partitions = 2,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = await log.admin();
  await admin.createTopics(names.map((name) => ({ name, partitions, replicationFactor: 1, config })));
  await admin.close();
}

/** Creates topics and gives the group offsets to start from, as `corridor topics apply` does. */
export async function provision(
  log: Log,
  groupId: string,
  inputs: readonly string[],
  outputs: readonly string[],
  partitions = 2,
): Promise<void> {
  await createTopics(log, [...inputs, ...outputs], partitions);
  const admin = await log.admin();
  await admin.initialiseOffsets(groupId, inputs);
  await admin.close();
}

/** `count` records with keys `<prefix>0`, `<prefix>1` …, dealt out over the partitions. */
export function numbered(
  topic: string,
  count: number,
  options: { partitions?: number; from?: number; prefix?: string; bytes?: number } = {},
): OutputRecord[] {
  const { partitions = 2, from = 0, prefix = 'k', bytes = 100 } = options;
  return Array.from({ length: count }, (_, index) => {
    const key = `${prefix}${from + index}`;
    const value = Buffer.from(key.padEnd(bytes, '.'));
    return { topic, partition: (from + index) % partitions, key, value, headers: { 'event-id': key } };
  });
}
