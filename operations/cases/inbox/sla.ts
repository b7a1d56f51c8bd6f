// By when a person should have dealt with a case: by where it stands and how much it is about. Pure.
import { type AmountBand, bandOf } from '../../../domain/corridors/amount-bands.ts';
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { CaseBrief, InboxStage } from './row.ts';

/** Longest time from the opening of a case to its decision, in ms. */
export type SlaPolicy = Readonly<Record<InboxStage, Readonly<Record<AmountBand, number>>>>;

const HOUR_MS = 3_600_000;
const hours = (SMALL: number, MEDIUM: number, LARGE: number) => ({
  SMALL: SMALL * HOUR_MS,
  MEDIUM: MEDIUM * HOUR_MS,
  LARGE: LARGE * HOUR_MS,
});

/** Money that may have moved twice comes first, then what holds a price and a reservation, then what holds neither. */
export const DEFAULT_SLA: SlaPolicy = {
  PAYOUT: hours(4, 2, 1),
  PAYOUT_DISPATCH: hours(4, 2, 1),
  LIMITS: hours(8, 4, 2),
  SCREENING: hours(24, 8, 4),
  RESCREENING: hours(24, 24, 8),
};

/** When the case is due, ms since 1970: never after it ends by itself. */
export function dueAt(brief: CaseBrief, policy: SlaPolicy, book: CorridorBook): number {
  const { stage, amount, corridor, openedAt, expiresAt } = brief;
  const due = openedAt + policy[stage][bandOf(amount, corridor, book)];
  return expiresAt === null ? due : Math.min(due, expiresAt);
}
