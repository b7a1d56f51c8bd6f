// What submitting a transfer over HTTP needs of stores and of the log.
import type { CodedError } from '../../ports/fault.ts';
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
   * Claims transfer ids, each once for ever; no id twice in a batch. One round trip when all are new.
   * @returns for each, in order: the submission that stands, and whether it is the given one
   * @throws CodedError when the store cannot be asked
   */
  claim(
    submissions: readonly Submission[],
  ): Promise<readonly { readonly standing: Submission; readonly isNew: boolean }[]>;
  /** Those that stand on these ids; ids without one are left out. @throws CodedError when the store cannot be asked */
  find(transferIds: readonly string[]): Promise<readonly Submission[]>;
  /** Notes that the log has them. May be repeated. @throws CodedError when the store cannot be asked */
  markPublished(transferIds: readonly string[], publishedAt: number): Promise<void>;
}

/** An intent on its way to the log. */
export interface OutgoingIntent {
  readonly intent: TransferRequested;
  /** Who submitted it: sealed with it. */
  readonly producer: string;
  /** Of the request that it came by. */
  readonly traceId: string;
}

export interface IntentLog {
  /**
   * Publishes intents in one request to the log; resolves when every in-sync replica has them.
   * @returns for each, in order: why it alone cannot be published, such as RECORD_TOO_LARGE; undefined: the log has it
   * @throws CodedError WRITE_UNKNOWN when nobody knows whether the log has them
   */
  publish(intents: readonly OutgoingIntent[]): Promise<readonly (CodedError | undefined)[]>;
}
