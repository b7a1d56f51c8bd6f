// The batches of a partition as a broker gives them, byte for byte.
import { Connections, connectCluster, discardCluster, findLeader } from '../../../adapters/kafka/client.ts';
import { type FetchResponse, READ_COMMITTED, type WireCall } from '../../../adapters/kafka/kafkajs/internals.ts';
import { requestDefinition } from '../../../adapters/kafka/kafkajs/requests.ts';
import { Cursor } from '../../../adapters/kafka/kafkajs/varint.ts';
import { settingsOf } from '../../../adapters/kafka/options.ts';

const VERSION = 11;
const BATCH_PREFIX = 12;
const MAX_BYTES = 16 * 1_048_576;

/** All complete batches of one answer, from the one that holds `fetchOffset` on. */
export async function rawBatches(
  brokers: readonly string[],
  topic: string,
  partition: number,
  fetchOffset: number,
): Promise<readonly Buffer[]> {
  const cluster = new Connections(settingsOf({ brokers, appName: 'raw', clientId: 'raw' })).cluster();
  await connectCluster(cluster, [topic]);
  try {
    const leader = await findLeader(cluster, topic, partition);
    const { request } = requestDefinition<object, FetchResponse>('Fetch').protocol({ version: VERSION })({
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: 0,
      minBytes: 0,
      maxBytes: MAX_BYTES,
      topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes: MAX_BYTES }] }],
    });
    const response = { decode: async (raw: Buffer) => raw, parse: async (raw: Buffer) => raw };
    const call: WireCall<Buffer> = { request, response };
    return batchesIn(await leader.connectionPool.send(call));
  } finally {
    discardCluster(cluster);
  }
}

function batchesIn(answer: Buffer): readonly Buffer[] {
  const cursor = new Cursor(answer, 4 + 2 + 4 + 4);
  cursor.string();
  cursor.at += 4 + 4 + 2 + 8 + 8 + 8;
  for (let aborted = cursor.int32(); aborted > 0; aborted--) cursor.at += 16;
  cursor.at += 4;
  const bytes = answer.subarray(cursor.at + 4, cursor.at + 4 + Math.max(0, answer.readInt32BE(cursor.at)));
  const batches: Buffer[] = [];
  for (let at = 0; at + BATCH_PREFIX <= bytes.length; ) {
    const end = at + BATCH_PREFIX + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    batches.push(bytes.subarray(at, end));
    at = end;
  }
  return batches;
}
