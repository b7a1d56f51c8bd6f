// Where a transfer stands, as far as anybody knows: in the view, or refused by intake.
import { CodedError } from '../../ports/fault.ts';
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
    };

/**
 * @param submission of this transfer, where it was submitted over HTTP
 * @throws CodedError TRANSFER_UNKNOWN
 */
export async function transferStanding(
  { views, events }: { readonly views: TransferViews; readonly events: TransferEvents },
  transferId: string,
  submission: Submission | undefined,
): Promise<TransferStanding> {
  const transfer = await views.find(transferId);
  if (transfer) return { kind: 'transfer', transfer };
  const rejections = stepsOf(await events.of(transferId)).filter(({ state }) => state === 'intent.rejected');
  const last = rejections.at(-1);
  if (last === undefined) {
    if (submission) return { kind: 'submitted', submission };
    throw transferUnknown(transferId);
  }
  const { occurredAt, reasonCodes } = last;
  return { kind: 'intent-rejected', transferId, occurredAt, reasonCodes };
}

/** The same words for what is not there and for what belongs to another. */
export const transferUnknown = (transferId: string): CodedError =>
  new CodedError(
    'TRANSFER_UNKNOWN',
    `nothing is known of ${transferId}: it was never accepted, or the sinks have not got there yet`,
  );
