// Attempts as the log has them, for those who close cases of payouts with the executor's key.
import type { ClaimedAttempt } from '../payouts/attempt-ledger.ts';
import { systemClock } from '../ports/clock.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { CodedError, codeAndDetail, isOutage } from '../ports/fault.ts';
import { ClaimReader } from '../runtime/claim-reader.ts';
import type { Connections } from './connections.ts';

export interface ReadClaims {
  highest(payoutId: string): ClaimedAttempt | undefined;
}

/** Reads all that was claimed by now, once. @throws CodedError when it cannot be read, or not all of it be believed */
export async function readClaims(connections: Connections): Promise<ReadClaims> {
  const reader = claimReader(connections, () => {});
  try {
    await reader.start();
    return { highest: (payoutId) => reader.highest(payoutId) };
  } finally {
    await reader.stop();
  }
}

/** The same for a process that closes again and again: read once, and followed from then on until `stop`. */
export function followedClaims(
  connections: Connections,
  onFault: (code: ErrorCode, detail: string) => void,
): { readonly claims: () => Promise<ReadClaims>; stop(): Promise<void> } {
  let reader: ClaimReader | undefined;
  return {
    async claims() {
      reader ??= claimReader(connections, onFault);
      try {
        // From the second time on this resolves at once, with what has come by then.
        await reader.start();
      } catch (error) {
        throw isOutage(error) ? error : unreadable(error);
      }
      if (reader.failure !== undefined) throw unreadable(reader.failure);
      return reader;
    },
    stop: async () => reader?.stop(),
  };
}

const claimReader = ({ log, codec, config }: Connections, onFault: (code: ErrorCode, detail: string) => void) =>
  new ClaimReader({ log, codec, rings: config.keys, clock: systemClock, onFault });

/** The closing waits, and has not failed: what the log has is not known. */
const unreadable = (failure: unknown): CodedError =>
  new CodedError('ATTEMPT_CLAIMS_LATE', `claims of attempts cannot be read: ${codeAndDetail(failure).detail}`);
