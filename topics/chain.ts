// The transitions of a transfer, in the order of the chain. Key: transferId.
import type {
  PayoutRequested,
  RequoteRequested,
  TransferAccepted,
  TransferCompleted,
  TransferHeld,
  TransferPriced,
  TransferRejected,
  TransferReserved,
  TransferReturned,
  TransferScreened,
} from '../schemas/types.generated.ts';
import { topic } from './contract.ts';

const keyOf = (event: { envelope: { transferId: string } }) => event.envelope.transferId;

export const transferAccepted = topic<TransferAccepted>()('transfer.accepted', 'transition', {
  doc: 'A valid intent became a transfer.',
  record: 'TransferAccepted',
  keyOf,
});
export const transferScreened = topic<TransferScreened>()('transfer.screened', 'transition', {
  doc: 'Both parties are cleared against the sanctions lists, with the evidence.',
  record: 'TransferScreened',
  keyOf,
});
export const transferPriced = topic<TransferPriced>()('transfer.priced', 'transition', {
  doc: 'The currency exchange has a binding price until it expires.',
  record: 'TransferPriced',
  keyOf,
});
export const transferReserved = topic<TransferReserved>()('transfer.reserved', 'transition', {
  doc: 'All limits hold and are reserved.',
  record: 'TransferReserved',
  keyOf,
});
export const payoutRequested = topic<PayoutRequested>()('payout.requested', 'transition', {
  doc: 'The payout may be made, once, before the price expires.',
  record: 'PayoutRequested',
  keyOf,
});
export const requoteRequested = topic<RequoteRequested>()('transfer.requote-requested', 'transition', {
  doc: 'The price expired before anything was sent; priced again as the next attempt.',
  record: 'RequoteRequested',
  keyOf,
});
export const transferHeld = topic<TransferHeld>()('transfer.held', 'transition', {
  doc: 'The transfer waits for the decision of a person.',
  record: 'TransferHeld',
  keyOf,
});
export const transferRejected = topic<TransferRejected>()('transfer.rejected', 'transition', {
  doc: 'The transfer was declined and nothing was paid: a normal end, never a dead letter.',
  record: 'TransferRejected',
  keyOf,
});
export const transferCompleted = topic<TransferCompleted>()('transfer.completed', 'transition', {
  doc: 'The beneficiary was paid.',
  record: 'TransferCompleted',
  keyOf,
});
export const transferReturned = topic<TransferReturned>()('transfer.returned', 'transition', {
  doc: 'The money came back after it had been paid.',
  record: 'TransferReturned',
  keyOf,
});
