// Intents into the log, under the API's seal over who submitted each: that, and nothing else in them, intake believes.
import { hash } from 'node:crypto';
import { sealIntent } from '../../domain/producers/intent-seal.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import type { LogWriter, OutputRecord } from '../../ports/log.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { transferRequested } from '../../topics/boundary.ts';
import { HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import type { IntentLog, OutgoingIntent } from './ports.ts';

const INTENTS = 'transfer.requested';
/** Room for key, headers and framing within the topic's largest record. */
const FRAMING_BYTES = 4_096;

/** An intent as bytes. @throws CodedError RECORD_TOO_LARGE, or what says that the schema refuses it */
export function intentValue(intent: TransferRequested, codec: Codec): Buffer {
  const value = codec.encode(INTENTS, intent);
  if (value.length <= transferRequested.maxMessageBytes - FRAMING_BYTES) return value;
  throw new CodedError('RECORD_TOO_LARGE', `${value.length} bytes, more than ${INTENTS} takes`, {
    faultClass: 'invalid-request',
  });
}

export interface IntentLogComponents {
  /** `transfer.requested` is loaded. */
  readonly codec: Codec;
  readonly writer: Pick<LogWriter, 'send'>;
  readonly chainPartitions: number;
  /** Under which it is sealed who submits; undefined: nobody is told. */
  readonly keys: KeyRing | undefined;
}

/** The trace of the transfer is that of the request which it came by. */
export function intentLog({ codec, writer, chainPartitions, keys }: IntentLogComponents): IntentLog {
  function recordOf({ intent, producer, traceId }: OutgoingIntent): OutputRecord {
    const { transferId } = intent;
    const value = intentValue(intent, codec);
    const spanId = hash('sha256', `${traceId}:${transferId}`, 'hex').slice(0, 16);
    return {
      topic: INTENTS,
      partition: homePartition(transferId, chainPartitions),
      key: transferId,
      value,
      headers: {
        [HEADER.traceparent]: `00-${traceId}-${spanId}-01`,
        ...(keys ? { [HEADER.producer]: producer, [HEADER.producerSeal]: sealIntent(keys, producer, value) } : {}),
      },
    };
  }
  return {
    async publish(intents) {
      const made = intents.map((outgoing) => recordOrWhyNot(() => recordOf(outgoing)));
      const records = made.flatMap((each) => (each instanceof CodedError ? [] : each));
      if (records.length > 0) await writer.send(records);
      return made.map((each) => (each instanceof CodedError ? each : undefined));
    },
  };
}

/** What is wrong with one intent is not its neighbours' trouble. */
function recordOrWhyNot(make: () => OutputRecord): OutputRecord | CodedError {
  try {
    return make();
  } catch (error) {
    if (error instanceof CodedError && isCoded(error)) return error;
    throw error;
  }
}
