// TxnOffsetCommit version 3: kafkajs stops at version 1, which does not say who commits. With member id and generation the
// group refuses offsets of a member that it has moved on from, so a transaction of a late owner cannot commit them.
import { type Broker, createErrorFromCode, Decoder, Encoder, type OffsetsOfTopic, type WireCall } from './internals.ts';
import { skipTags } from './offset-fetch.ts';

const API_KEY = 28;
const VERSION = 3;
const NO_TAGS = 0;
const NO_LEADER_EPOCH = -1;

/** Who commits: checked by the group. */
export interface Generation {
  readonly generationId: number;
  readonly memberId: string;
}

/** Nobody in the group: the group takes the offsets unchecked. */
const NOBODY: Generation = { generationId: -1, memberId: '' };

export interface TxnOffsets {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly topics: readonly OffsetsOfTopic[];
  /** Absent: not checked. */
  readonly member?: Generation | undefined;
}

/**
 * Puts offsets into the open transaction, at the group's coordinator. Throws ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID when
 * the group has moved on from the member.
 */
export async function commitTxnOffsets(coordinator: Broker, offsets: TxnOffsets): Promise<void> {
  await coordinator.connectionPool.send(txnOffsetCommitCall(offsets));
}

/** The request and how its answer is read: the error codes of its partitions. */
export function txnOffsetCommitCall(offsets: TxnOffsets): WireCall<readonly number[]> {
  const { transactionalId, groupId, producerId, producerEpoch, topics, member = NOBODY } = offsets;
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: VERSION,
      apiName: 'TxnOffsetCommit',
      // The first byte belongs to the header: flexible versions end it with tagged fields, which kafkajs does not write.
      encode: async () =>
        new Encoder()
          .writeUVarInt(NO_TAGS)
          .writeUVarIntString(transactionalId)
          .writeUVarIntString(groupId)
          .writeInt64(producerId)
          .writeInt16(producerEpoch)
          .writeInt32(member.generationId)
          .writeUVarIntString(member.memberId)
          .writeUVarIntString(null) // group instance id
          .writeUVarIntArray(topics.map(encodeTopic), 'object')
          .writeUVarInt(NO_TAGS),
    },
    response: { decode: async (raw) => decode(raw), parse: async (codes) => check(codes) },
  };
}

function encodeTopic({ topic, partitions }: OffsetsOfTopic) {
  const encoded = new Encoder().writeUVarIntString(topic).writeUVarInt(partitions.length + 1);
  for (const { partition, offset, metadata = null } of partitions) {
    encoded.writeInt32(partition).writeInt64(offset).writeInt32(NO_LEADER_EPOCH);
    encoded.writeUVarIntString(metadata).writeUVarInt(NO_TAGS);
  }
  return encoded.writeUVarInt(NO_TAGS);
}

function decode(raw: Buffer): readonly number[] {
  const decoder = new Decoder(raw);
  const codes: number[] = [];
  skipTags(decoder);
  decoder.readInt32(); // throttle time
  decoder.readUVarIntArray((ofTopic) => {
    ofTopic.readUVarIntString();
    ofTopic.readUVarIntArray((ofPartition) => {
      ofPartition.readInt32();
      codes.push(ofPartition.readInt16());
      skipTags(ofPartition);
    });
    skipTags(ofTopic);
  });
  return codes;
}

/** PRODUCER_FENCED, which kafkajs does not know, says what INVALID_PRODUCER_EPOCH said in older versions. */
const PRODUCER_FENCED = 90;
const INVALID_PRODUCER_EPOCH = 47;

function check(codes: readonly number[]): readonly number[] {
  const failed = codes.find((code) => code !== 0);
  if (failed === undefined) return codes;
  throw createErrorFromCode(failed === PRODUCER_FENCED ? INVALID_PRODUCER_EPOCH : failed);
}
