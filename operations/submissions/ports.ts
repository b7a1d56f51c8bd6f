// What submitting a transfer over HTTP needs of stores and of the log.
import type { TransferRequested } from '../../schemas/types.generated.ts';

/** Who submitted a transfer first, and as what. Kept for ever, as the claim of intake is: a key is never forgotten. */
export interface Submission {
  readonly transferId: string;
  /** Subject of the producer. */
  readonly producer: string;
  /** Payload hash of the intent as it is published (processors/intake/payload-hash.ts). */
  readonly hash: string;
  /** The time that the intent bears, ms: given by the producer, or when it was submitted first. */
  readonly requestedAt: number;
  /** ms */
  readonly submittedAt: number;
  /** When the log acknowledged the intent, ms; undefined: it may or may not be there. */
  readonly publishedAt: number | undefined;
}

export interface Submissions {
  /**
   * Claims a transfer id, once for ever.
   * @returns the submission that stands, and whether it is the given one
   * @throws CodedError when the store cannot be asked
   */
  claim(submission: Submission): Promise<{ readonly standing: Submission; readonly isNew: boolean }>;
  /** @throws CodedError when the store cannot be asked */
  find(transferId: string): Promise<Submission | undefined>;
  /** Notes that the log has it. May be repeated. @throws CodedError when the store cannot be asked */
  markPublished(transferId: string, publishedAt: number): Promise<void>;
}

export interface IntentLog {
  /**
   * Publishes an intent; resolves when every in-sync replica has it.
   * @param traceId of the request that it came by
   * @throws CodedError RECORD_TOO_LARGE, WRITE_UNKNOWN when nobody knows whether the log has it
   */
  publish(intent: TransferRequested, traceId: string): Promise<void>;
}
