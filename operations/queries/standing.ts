// Where a transfer stands, as far as anybody knows: in the view, or refused by intake.
import { CodedError } from '../../ports/fault.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import type { Submission } from '../submissions/ports.ts';
import type { TransferEvents, TransferViews } from './ports.ts';
import { stepsOf } from './transfer.ts';

export type TransferStanding =
  | { readonly kind: 'transfer'; readonly transfer: TransferDocument }
  /** It was submitted over HTTP, and nothing came of it yet. */
  | { readonly kind: 'submitted'; readonly submission: Submission }
  /** It never became a transfer. */
  | {
      readonly kind: 'intent-rejected';
      readonly transferId: string;
      readonly occurredAt: Date;
      readonly reasonCodes: readonly string[];
      readonly producer: string | null;
    };

/**
 * @param submission of this transfer, where it was submitted over HTTP
 * @param onlyOf producer whose refused intents alone are told; absent: of all
 * @throws CodedError TRANSFER_UNKNOWN
 */
export async function transferStanding(
  { views, events }: { readonly views: Pick<TransferViews, 'find'>; readonly events: TransferEvents },
  transferId: string,
  submission: Submission | undefined,
  onlyOf?: string,
): Promise<TransferStanding> {
  const transfer = await views.find(transferId);
  if (transfer) return { kind: 'transfer', transfer };
  const known = await events.of(transferId);
  const visible = onlyOf === undefined ? known : eventsFor(known, onlyOf, submission !== undefined);
  const rejections = stepsOf(visible).filter(({ state }) => state === 'intent.rejected');
  const last = rejections.at(-1);
  if (last === undefined) {
    if (submission) return { kind: 'submitted', submission };
    throw transferUnknown(transferId);
  }
  const { occurredAt, reasonCodes, producer } = last;
  return { kind: 'intent-rejected', transferId, occurredAt, reasonCodes, producer };
}

/** What a producer may see of the events under an id: of intents its own, and of a transfer that is its own all. */
export function eventsFor(
  events: readonly EventDocument[],
  producer: string,
  isOwner: boolean,
): readonly EventDocument[] {
  return events.filter(({ topic, producerId }) => {
    const isOfIntent = topic === 'intent.rejected' || topic === 'intent.duplicated';
    // What bears no producer is of before, or came by Kafka unproven.
    return isOfIntent ? producerId === producer || (isOwner && (producerId ?? null) === null) : isOwner;
  });
}

/** The same words for what is not there and for what belongs to another. */
export const transferUnknown = (transferId: string): CodedError =>
  new CodedError(
    'TRANSFER_UNKNOWN',
    `nothing is known of ${transferId}: it was never accepted, or the sinks have not got there yet`,
  );
