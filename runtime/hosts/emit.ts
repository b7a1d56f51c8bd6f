// From what `decide` returned to records: encoded, keyed, on the right partition, with their headers, their lifecycle
// record, and what they change of the open position.

import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import type { Rings } from '../../ports/seals.ts';
import { type ChainEvent, lifecycleOf } from '../../processors/lifecycle.ts';
import { positionOf } from '../../processors/positions.ts';
import type { Stage } from '../../schemas/types.generated.ts';
import { fxPosition, transferLifecycle } from '../../topics/boundary.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { homePartitionOf, idOf, transferIdOf } from '../../topics/identity.ts';
import { isReplayTopic } from '../../topics/recovery.ts';
import type { AcceptedRecord } from './inbound-records.ts';

/** Room for key, headers and framing within a topic's largest record. */
const FRAMING_BYTES = 4_096;

export interface EmitterOptions {
  readonly owner: string;
  readonly stage: Stage;
  readonly writes: readonly TopicName[];
  readonly codec: Codec;
  readonly rings: Rings;
  readonly chainPartitions: number;
  /** Intake alone: outputs go to the home partition of their transfer instead of the input's partition. */
  readonly rekeys: boolean;
}

interface Emitted {
  readonly to: string;
  readonly value: unknown;
}

/** Makes the records of one input's emissions. Throws a poison CodedError for what must never be written. */
export type Emitter = (input: AcceptedRecord, emissions: readonly Emitted[]) => readonly OutputRecord[];

export function createEmitter(options: EmitterOptions): Emitter {
  const { owner, codec, rings, chainPartitions } = options;
  const writes = options.writes.map((name) => contractOf(name)!);
  const declared: ReadonlySet<string> = new Set(options.writes);
  const make = recordMaker({ owner, codec, rings, writes });
  const makeLifecycle = recordMaker({ owner, codec, rings, writes: [transferLifecycle] });
  const makePosition = recordMaker({ owner, codec, rings, writes: [fxPosition] });

  let known = { topicId: '', source: '' };

  return (input, emissions) => {
    const outputs: OutputRecord[] = [];
    for (const emitted of emissions) {
      const { to, value } = emitted;
      const partition = partitionOf(input, to, value);
      let nth = 0;
      for (const { topic } of outputs) if (topic === to) nth++;
      outputs.push(record(input, emitted, partition, causeOf(input, nth)));
      if (contractOf(to)?.kind !== 'transition') continue;
      outputs.push(lifecycle(input, to, value as ChainEvent, partition));
      const position = positionOf(to, value as ChainEvent);
      if (position) outputs.push(makePosition(fxPosition.name, position, { partition, eventId: position.eventId }));
    }
    return outputs;
  };

  function causeOf({ topicId, record: { partition, offset } }: AcceptedRecord, nth: number): string {
    if (known.topicId !== topicId || known.source === '') known = { topicId, source: sourceOf(owner, topicId) };
    return formatCause({ source: known.source, partition, offset, nth });
  }

  function partitionOf(input: AcceptedRecord, to: string, value: unknown): number {
    const home = homePartitionOf(to, value);
    if (options.rekeys) return home ?? homePartition(transferIdOf(to, value) ?? '', chainPartitions);
    const { partition } = input.record;
    if (home !== undefined && home !== partition) {
      throw refuse('HOME_PARTITION_MISMATCH', `${owner} emitted home partition ${home} from partition ${partition}`);
    }
    const transferId = transferIdOf(input.received.topic, input.received.value);
    // What is not declared is refused for that, when its record is made.
    if (declared.has(to) && transferIdOf(to, value) !== transferId) {
      throw refuse('TRANSFER_MISMATCH', `${owner} emitted an event of another transfer than its input's`);
    }
    return partition;
  }

  function record(input: AcceptedRecord, { to, value }: Emitted, partition: number, cause: string): OutputRecord {
    const { traceparent, received } = input;
    const { originPosition } = received;
    const terms = { partition, eventId: idOf(to, value) ?? '', originPosition, traceparent, cause };
    const made = make(to as TopicName, value as never, terms);
    if (made.value!.length > contractOf(to)!.maxMessageBytes - FRAMING_BYTES) {
      throw refuse('RECORD_TOO_LARGE', `${made.value!.length} bytes do not fit ${to}`);
    }
    return made;
  }

  function lifecycle(
    { record: { topic: from, headers }, received }: AcceptedRecord,
    topic: string,
    event: ChainEvent,
    partition: number,
  ): OutputRecord {
    const replayId = isReplayTopic(from) ? (headerText(headers, RECOVERY_HEADER.replayId) ?? null) : null;
    const value = lifecycleOf(topic, event, options.stage, { ...received, replayId });
    if (!value) throw refuse('LIFECYCLE_UNKNOWN', `${topic} has no lifecycle state`);
    return makeLifecycle(transferLifecycle.name, value, { partition, eventId: value.eventId });
  }
}

const refuse = (code: ErrorCode, detail: string) => new CodedError(code, detail);
