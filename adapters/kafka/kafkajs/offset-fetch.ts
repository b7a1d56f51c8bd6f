// OffsetFetch version 7: kafkajs stops at version 5, which answers with the last offset before a transaction that is still
// being completed. With requireStable the broker says UNSTABLE_OFFSET_COMMIT instead, so a reader can wait.
import { type Broker, createErrorFromCode, Decoder, Encoder, type WireCall, type WireDecoder } from './internals.ts';

const API_KEY = 9;
const VERSION = 7;
const NO_TAGS = 0;

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** -1 when the group has no offset for the partition. */
  readonly offset: number;
  /** What was committed beside it; empty for nothing. */
  readonly metadata: string;
}

interface Answer {
  readonly errorCode: number;
  readonly offsets: readonly (CommittedOffset & { readonly errorCode: number })[];
}

/**
 * Committed offsets of a group, from its coordinator. Throws UNSTABLE_OFFSET_COMMIT while a transaction is completing; with
 * `evenUnstable` it answers with the last ones before that instead.
 */
export async function fetchStableOffsets(
  coordinator: Broker,
  groupId: string,
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  evenUnstable = false,
): Promise<readonly CommittedOffset[]> {
  const answer = await coordinator.connectionPool.send(offsetFetchCall(groupId, topics, evenUnstable));
  return answer.offsets.map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }));
}

function offsetFetchCall(
  groupId: string,
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  evenUnstable: boolean,
): WireCall<Answer> {
  const encodeTopic = ({ topic, partitions }: (typeof topics)[number]) => {
    const encoded = new Encoder().writeUVarIntString(topic).writeUVarInt(partitions.length + 1);
    for (const partition of partitions) encoded.writeInt32(partition);
    return encoded.writeUVarInt(NO_TAGS);
  };
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: VERSION,
      apiName: 'OffsetFetch',
      // The first byte belongs to the header: flexible versions end it with tagged fields, which kafkajs does not write.
      encode: async () =>
        new Encoder()
          .writeUVarInt(NO_TAGS)
          .writeUVarIntString(groupId)
          .writeUVarIntArray(topics.map(encodeTopic), 'object')
          .writeBoolean(!evenUnstable)
          .writeUVarInt(NO_TAGS),
    },
    response: { decode: async (raw) => decode(new Decoder(raw)), parse: async (answer) => check(answer) },
  };
}

function decode(decoder: WireDecoder): Answer {
  skipTags(decoder);
  decoder.readInt32(); // throttle time
  const offsets: (CommittedOffset & { errorCode: number })[] = [];
  decoder.readUVarIntArray((ofTopic) => {
    const topic = ofTopic.readUVarIntString() ?? '';
    ofTopic.readUVarIntArray((ofPartition) => {
      const partition = ofPartition.readInt32();
      const offset = Number(ofPartition.readInt64());
      ofPartition.readInt32(); // leader epoch
      const metadata = ofPartition.readUVarIntString() ?? '';
      offsets.push({ topic, partition, offset, metadata, errorCode: ofPartition.readInt16() });
      skipTags(ofPartition);
    });
    skipTags(ofTopic);
  });
  return { offsets, errorCode: decoder.readInt16() };
}

function check(answer: Answer): Answer {
  if (answer.errorCode !== 0) throw createErrorFromCode(answer.errorCode);
  const failed = answer.offsets.find(({ errorCode }) => errorCode !== 0);
  if (failed !== undefined) throw createErrorFromCode(failed.errorCode);
  return answer;
}

/** Skips the tagged fields that end a flexible structure. */
export function skipTags(decoder: WireDecoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt();
    decoder.forward(decoder.readUVarInt());
  }
}
