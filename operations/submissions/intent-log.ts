// Intents into the log, as any producer writes them: they bear no seal, and intake trusts nothing in them.
import { hash } from 'node:crypto';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogWriter } from '../../ports/log.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { transferRequested } from '../../topics/boundary.ts';
import { HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import type { IntentLog } from './ports.ts';

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

export interface IntentLogParts {
  /** `transfer.requested` is loaded. */
  readonly codec: Codec;
  readonly writer: Pick<LogWriter, 'send'>;
  readonly chainPartitions: number;
}

/** The trace of the transfer is that of the request which it came by. */
export function intentLog({ codec, writer, chainPartitions }: IntentLogParts): IntentLog {
  return {
    async publish(intent, traceId) {
      const { transferId } = intent;
      const spanId = hash('sha256', `${traceId}:${transferId}`, 'hex').slice(0, 16);
      await writer.send([
        {
          topic: INTENTS,
          partition: homePartition(transferId, chainPartitions),
          key: transferId,
          value: intentValue(intent, codec),
          headers: { [HEADER.traceparent]: `00-${traceId}-${spanId}-01` },
        },
      ]);
    },
  };
}
