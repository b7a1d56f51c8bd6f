// What a sink is. Types only.
import type { Disposition, Edges, ReceivedFrom } from '../processors/contract.ts';
import type { Stage } from '../schemas/types.generated.ts';

/** What became of a batch. */
export interface WriteReport {
  /** Inserted or replaced. */
  readonly written: number;
  /** Already there, or older than what is stored: the expected result of a redelivery. */
  readonly stale: number;
  /** Records that did not go through, by their place in the batch; all others did. */
  readonly failed: readonly { readonly index: number; readonly disposition: Disposition }[];
}

/**
 * Keeps something outside the log in step with it, at least once: `write` must be idempotent. The host hands in records
 * of several topics and partitions at a time, each partition's in order, never two batches of one partition at once, and
 * never two calls at once. `write` throws on faults as a processor's `prepare` does: a CodedError of a dependency pauses
 * the partitions, anything else is isolated by splitting the batch.
 */
export interface Sink<Reads extends Edges['reads'] = Edges['reads']> {
  readonly name: string;
  readonly reads: Reads;
  /** Set when a dead letter of this consumer stops its transfer (the payout executor): the stage that its status mark names. */
  readonly statusMarkStage?: Stage;
  write(batch: readonly ReceivedFrom<Reads>[]): Promise<WriteReport>;
}
