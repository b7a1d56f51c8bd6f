// How long one person may keep letters from everybody else by selecting them, and never asking for what is selected. Pure.
import { CodedError } from '../../../ports/fault.ts';

/** Selections of so long ago do not count any more, ms. */
export const HOLDING_WINDOW_MS = 4 * 3_600_000;
/** So long all selections of one person that were never asked for may have lasted together in that time, ms. */
const MAX_HELD_MS = 2 * 3_600_000;
/** More of them in the window than anybody makes by hand. */
export const MAX_SELECTIONS = 200;

/** A selection that nobody was asked to let through. */
export interface NeverAsked {
  readonly createdAt: Date;
  /** When its letters were given back; null: it has them. */
  readonly until: Date | null;
}

/**
 * Refuses one more selection of who has held letters for too long: what they hold is cancelled by anybody who may replay, and
 * another person may select at once.
 * @throws CodedError SELECTIONS_HELD
 */
export function checkHolding(selections: readonly NeverAsked[], now: Date, by: string): void {
  const heldMs = selections.reduce(
    (sum, { createdAt, until }) => sum + Math.max(0, (until ?? now).getTime() - createdAt.getTime()),
    0,
  );
  if (heldMs < MAX_HELD_MS && selections.length < MAX_SELECTIONS) return;
  const what = `${by} has selected letters ${selections.length} times in four hours, has kept them for ${Math.round(heldMs / 60_000)} minutes in all and asked nobody`;
  throw new CodedError('SELECTIONS_HELD', `${what}: ask for what is selected, or have another person select`);
}
