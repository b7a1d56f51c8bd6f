// Metadata version 10, for topic ids: kafkajs stops at version 6, which has none.
import { type Broker, createErrorFromCode, Decoder, Encoder, type WireCall, type WireDecoder } from './internals.ts';
import { skipTags } from './offset-fetch.ts';

const API_KEY = 3;
const VERSION = 10;
const NO_TAGS = 0;
const UNKNOWN_TOPIC = 3;

export interface TopicMetadata {
  readonly name: string;
  /** Made anew with the topic: tells a topic from one of the same name before it. 32 hexadecimal digits. */
  readonly topicId: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Partitions without a leader, as this broker knows. */
  readonly leaderless: number;
}

/** The topics of these names that exist. */
export async function fetchTopicMetadata(broker: Broker, names: readonly string[]): Promise<readonly TopicMetadata[]> {
  if (names.length === 0) return [];
  return broker.connectionPool.send(metadataCall(names));
}

/** The broker's own id of a topic. Throws a broker error that passes when the topic is not known (any more). */
export async function fetchTopicId(broker: Broker, topic: string): Promise<string> {
  const [found] = await fetchTopicMetadata(broker, [topic]);
  if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC);
  return found.topicId;
}

function metadataCall(names: readonly string[]): WireCall<readonly TopicMetadata[]> {
  const anyId = Buffer.alloc(16);
  const encodeTopic = (name: string) => new Encoder().writeBuffer(anyId).writeUVarIntString(name).writeUVarInt(NO_TAGS);
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: VERSION,
      apiName: 'Metadata',
      // The first byte belongs to the header: flexible versions end it with tagged fields, which kafkajs does not write.
      encode: async () =>
        new Encoder()
          .writeUVarInt(NO_TAGS)
          .writeUVarIntArray(names.map(encodeTopic), 'object')
          .writeBoolean(false) // create missing topics
          .writeBoolean(false) // tell what is allowed on the cluster
          .writeBoolean(false) // tell what is allowed on the topics
          .writeUVarInt(NO_TAGS),
    },
    response: { decode: async (raw) => decode(new Decoder(raw)), parse: async (topics) => topics },
  };
}

function decode(decoder: WireDecoder): readonly TopicMetadata[] {
  skipTags(decoder);
  decoder.readInt32(); // throttle time
  decoder.readUVarIntArray((broker) => {
    broker.readInt32();
    broker.readUVarIntString();
    broker.readInt32();
    broker.readUVarIntString();
    skipTags(broker);
  });
  decoder.readUVarIntString(); // cluster id
  decoder.readInt32(); // controller
  const topics = decoder.readUVarIntArray(decodeTopic) ?? [];
  return topics.filter((topic) => topic !== undefined);
}

function decodeTopic(decoder: WireDecoder): TopicMetadata | undefined {
  const errorCode = decoder.readInt16();
  const name = decoder.readUVarIntString() ?? '';
  const topicId = decoder.buffer.toString('hex', decoder.offset, decoder.offset + 16);
  decoder.forward(16);
  decoder.readInt8(); // internal
  const partitions = decoder.readUVarIntArray(decodePartition) ?? [];
  decoder.readInt32(); // what is allowed
  skipTags(decoder);
  if (errorCode === UNKNOWN_TOPIC) return undefined;
  if (errorCode !== 0) throw createErrorFromCode(errorCode);
  const replicationFactor = Math.min(...partitions.map(({ replicas }) => replicas));
  const leaderless = partitions.filter(({ leader }) => leader < 0).length;
  return { name, topicId, partitions: partitions.length, replicationFactor, leaderless };
}

function decodePartition(decoder: WireDecoder): { readonly leader: number; readonly replicas: number } {
  decoder.readInt16(); // error: the leader says as much
  decoder.readInt32(); // partition
  const leader = decoder.readInt32();
  decoder.readInt32(); // leader epoch
  const replicas = decoder.readUVarIntArray((replica) => replica.readInt32()) ?? [];
  decoder.readUVarIntArray((replica) => replica.readInt32()); // in sync
  decoder.readUVarIntArray((replica) => replica.readInt32()); // offline
  skipTags(decoder);
  return { leader, replicas: replicas.length };
}
