// The life of a transfer as data: which stage may take it from which state to which. Verification walks every stream of
// events along it.

export const STATES = [
  'ACCEPTED',
  'SCREENED',
  'HELD',
  'PRICED',
  'RESERVED',
  'DISPATCHED',
  'REQUOTING',
  'COMPLETED',
  'REJECTED',
  'RETURNED',
] as const;
export type TransferState = (typeof STATES)[number];
export type StageName = 'INTAKE' | 'SCREENING' | 'FX_PRICING' | 'LIMITS' | 'PAYOUT_DISPATCH' | 'SETTLEMENT';

export interface Transition {
  readonly from: TransferState | undefined;
  readonly to: TransferState;
  readonly by: StageName;
  /** The pricing attempt: the same, or the next one (a new quote). */
  readonly attempt: 'same' | 'next';
}

type Row = readonly [from: TransferState | undefined, by: StageName, to: readonly TransferState[]];

// A held transfer is resumed by the stage that holds it (see isLegal).
const SAME_ATTEMPT: readonly Row[] = [
  [undefined, 'INTAKE', ['ACCEPTED']],
  ['ACCEPTED', 'SCREENING', ['SCREENED', 'HELD', 'REJECTED']],
  ['HELD', 'SCREENING', ['SCREENED', 'HELD', 'REJECTED']],
  ['SCREENED', 'FX_PRICING', ['PRICED', 'REJECTED']],
  ['REQUOTING', 'FX_PRICING', ['REJECTED']],
  ['PRICED', 'LIMITS', ['RESERVED', 'HELD', 'REJECTED']],
  ['HELD', 'LIMITS', ['RESERVED', 'REJECTED']],
  ['RESERVED', 'PAYOUT_DISPATCH', ['DISPATCHED', 'REQUOTING', 'HELD', 'REJECTED']],
  ['HELD', 'PAYOUT_DISPATCH', ['DISPATCHED', 'REQUOTING', 'HELD', 'REJECTED']],
  // RETURNED without COMPLETED: a provider may report the return first.
  ['DISPATCHED', 'SETTLEMENT', ['COMPLETED', 'REJECTED', 'REQUOTING', 'RETURNED']],
  ['COMPLETED', 'SETTLEMENT', ['RETURNED']],
];

export const TRANSITIONS: readonly Transition[] = [
  ...SAME_ATTEMPT.flatMap(([from, by, targets]) =>
    targets.map((to): Transition => ({ from, to, by, attempt: 'same' })),
  ),
  { from: 'REQUOTING', to: 'PRICED', by: 'FX_PRICING', attempt: 'next' },
];

/** States after which nothing more happens by itself; COMPLETED may still become RETURNED. */
export const ENDED: ReadonlySet<TransferState> = new Set(['COMPLETED', 'REJECTED', 'RETURNED']);

/** Where a transfer stands: enough to judge its next event. */
export interface ReachedState {
  readonly state: TransferState;
  readonly stage: StageName;
  readonly sequence: number;
  readonly attempt: number;
}

/** Why `next` may not follow `previous` (undefined: no event yet), or undefined when it may. */
export function brokenTransition(previous: ReachedState | undefined, next: ReachedState): string | undefined {
  const expectedSequence = (previous?.sequence ?? 0) + 1;
  if (next.sequence !== expectedSequence) return `sequence ${next.sequence} where ${expectedSequence} is due`;
  const row = TRANSITIONS.find(
    ({ from, to, by }) => from === previous?.state && to === next.state && by === next.stage,
  );
  if (row === undefined) return `${previous?.state ?? 'nothing'} may not become ${next.state} by ${next.stage}`;
  if (previous?.state === 'HELD' && previous.stage !== next.stage) {
    return `held by ${previous.stage} but resumed by ${next.stage}`;
  }
  const expectedAttempt = (previous?.attempt ?? 1) + (row.attempt === 'next' ? 1 : 0);
  if (next.attempt !== expectedAttempt) return `attempt ${next.attempt} where ${expectedAttempt} is due`;
  return undefined;
}

/** State after the transition that each chain topic records. */
export const STATE_OF_TOPIC: Readonly<Record<string, TransferState>> = {
  'transfer.accepted': 'ACCEPTED',
  'transfer.screened': 'SCREENED',
  'transfer.held': 'HELD',
  'transfer.priced': 'PRICED',
  'transfer.reserved': 'RESERVED',
  'payout.requested': 'DISPATCHED',
  'transfer.requote-requested': 'REQUOTING',
  'transfer.completed': 'COMPLETED',
  'transfer.rejected': 'REJECTED',
  'transfer.returned': 'RETURNED',
};
