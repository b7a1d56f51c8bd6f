// Hands a broker a record batch as it is, byte for byte, whoever made it.
import { Connections, connectCluster, discardCluster, findLeader } from '../../../adapters/kafka/client.ts';
import { Encoder, type WireRequest } from '../../../adapters/kafka/kafkajs/internals.ts';
import { settingsOf } from '../../../adapters/kafka/options.ts';

interface RawConnection {
  send(call: {
    request: WireRequest;
    response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): Promise<Buffer> };
  }): Promise<Buffer>;
}

/** Error code of the broker's answer: 0 when it took the batch. */
export async function produceRaw(
  brokers: readonly string[],
  topic: string,
  partition: number,
  batch: Buffer,
): Promise<number> {
  const cluster = new Connections(settingsOf({ brokers, appName: 'raw', clientId: 'raw' })).cluster();
  await connectCluster(cluster, [topic]);
  try {
    const leader = await findLeader(cluster, topic, partition);
    const records = new Encoder().writeInt32(partition).writeBytes(batch);
    const topics = [new Encoder().writeString(topic).writeArray([records], 'object')];
    const request: WireRequest = {
      apiKey: 0,
      apiVersion: 7,
      apiName: 'Produce',
      encode: async () =>
        new Encoder().writeString(null).writeInt16(-1).writeInt32(30_000).writeArray(topics, 'object'),
    };
    const { connectionPool } = leader as unknown as { connectionPool: RawConnection };
    const whole = { decode: async (raw: Buffer) => raw, parse: async (raw: Buffer) => raw };
    const answer = await connectionPool.send({ request, response: whole });
    // [topics] name, [partitions] index, error code
    return answer.readInt16BE(4 + 2 + Buffer.byteLength(topic) + 4 + 4);
  } finally {
    discardCluster(cluster);
  }
}
