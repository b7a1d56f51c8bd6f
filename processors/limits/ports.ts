// What limits needs from outside: a ledger of reservations. Amounts are bigints of minor units below 2^53.
import type { LimitAction, LimitMetric } from '../../domain/limits/limit-rules.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';

/** The ledger counts in doubles: amounts from here on are refused, never rounded. */
export const MAX_COUNTED_MINOR = 2n ** 53n;

/** One limit that a transfer is to count against. */
export interface LimitRequest {
  readonly ruleId: string;
  readonly subjectToken: string;
  /** Id of the window, from the append time of the priced event; domain/limits/windows.ts says which ids are counted. */
  readonly window: string;
  /** ISO 4217; XXX when no money is counted. */
  readonly currency: string;
  /** Minor units; 1 when transfers or beneficiaries are counted. */
  readonly minor: bigint;
  readonly limitMinor: bigint;
  /** `reject`: not above the limit. `shadow`: never stands against it. Else counted all the same, and a person decides. */
  readonly action: LimitAction;
  readonly metric: LimitMetric['kind'];
  /** Counts as one of several: again in the same window, it adds nothing. */
  readonly member: string | null;
  /** Used elsewhere: the limit is that much lower for this transfer. */
  readonly declaredMinor: bigint | null;
  /** When the window ends, ms since 1970; null: not by time. */
  readonly freesAt: number | null;
  readonly freedByReturn: boolean;
}

/** Reserves all limits of one pricing attempt, or none. Takes the place of the attempt before. */
export interface Reserve {
  readonly kind: 'reserve';
  readonly transferId: string;
  readonly attempt: number;
  readonly requests: readonly LimitRequest[];
  /** Name and version of the rules that ask; kept with the outcome. */
  readonly limitRules?: string;
}

/** The transfer came to an end, or is known from the log to hold a reservation. */
export interface Settle {
  readonly kind: 'settle';
  readonly transferId: string;
  readonly attempt: number;
  /** `open` restores a reservation that the log shows and the ledger lost. */
  readonly state: 'open' | 'released' | 'committed' | 'returned';
  /** What the event says was reserved: counted now if the ledger does not know the transfer. */
  readonly uses: readonly SettledUse[];
}

export interface SettledUse extends Omit<LimitUse, 'freedByReturn'> {
  /** Whether a return after payment frees this limit. */
  readonly freedByReturn: boolean;
}

export type LimitOperation = Reserve | Settle;

/** What rules said, and which set they are of; absent: of before sets were kept. */
interface Stated {
  readonly uses: readonly LimitUse[];
  readonly limitRules?: string;
}

export type ReserveOutcome =
  /** Reserved, now or when this attempt ran before. Uses include this transfer. */
  | ({ readonly kind: 'reserved' } & Stated)
  /** Nothing reserved. Uses are without this transfer; `refused` names the rules that stood against it. */
  | ({ readonly kind: 'refused'; readonly refused: readonly string[] } & Stated)
  /** A later attempt has taken the place of this one. */
  | { readonly kind: 'superseded' }
  /** The transfer has ended. */
  | { readonly kind: 'ended' };

export type LimitResult = ReserveOutcome | { readonly kind: 'settled'; readonly changed: boolean };

/** The ledger of reservations: one atomic step for a batch, in order; every operation is idempotent. */
export interface LimitLedger {
  /**
   * @returns one result per operation, in order: a `settled` for each settle, a ReserveOutcome for each reserve
   * @throws CodedError REDIS_UNAVAILABLE, LIMITS_NOT_HYDRATED (both transient: nothing was decided)
   */
  apply(operations: readonly LimitOperation[]): Promise<readonly LimitResult[]>;
}

/** One transfer as the ledger keeps it. */
export interface LedgerRecord {
  readonly transferId: string;
  readonly attempt: number;
  readonly state: 'open' | 'released' | 'committed' | 'returned';
  readonly uses: readonly SettledUse[];
}

/** One counter: how much a subject has used of a rule in a window, and by how many open reservations. */
export interface LedgerCounter {
  readonly ruleId: string;
  readonly subjectToken: string;
  readonly window: string;
  /** Of amounts and transfers their sum; of beneficiaries how many there are. */
  readonly usedMinor: bigint;
  readonly open: number;
  /** How many transfers count for each member, where different beneficiaries are counted. */
  readonly members?: ReadonlyMap<string, number>;
}

/** All that the ledger holds, as recomputed from the log. */
export interface LedgerState {
  readonly records: Iterable<LedgerRecord>;
  readonly counters: Iterable<LedgerCounter>;
  /** Rules that count less than was used, as the log does not reach back; kept with the ledger. */
  readonly short?: readonly { readonly ruleId: string; readonly until: number | null }[];
  /** How far the log was read for it; kept with the ledger until what was committed behind that is taken in. */
  readonly catchUp?: string;
}

/** Which generation of the ledger is in force. */
export interface LedgerStatus {
  /** False when the server restarted, failed over or was wiped since the ledger was filled: all that counts is unknown. */
  readonly hydrated: boolean;
  /** Names the generation; null when there is none. */
  readonly marker: string | null;
  /** As the ledger was filled with; absent: of none. */
  readonly short?: readonly { readonly ruleId: string; readonly until: number | null }[];
  /** It was filled so far, and nobody has taken in yet what was committed behind that; absent: it is caught up. */
  readonly catchUp?: string;
}

/** The ledger as it is filled and replaced. */
export interface LedgerStore extends LimitLedger {
  /** @throws CodedError REDIS_UNAVAILABLE */
  status(): Promise<LedgerStatus>;
  /**
   * Puts the ledger out of force: every `apply` answers LIMITS_NOT_HYDRATED until it is replaced.
   * @param marker this generation alone; absent: whichever is in force
   */
  close(marker?: string): Promise<void>;
  /** Notes that this generation is caught up. */
  caughtUp(marker: string): Promise<void>;
  /**
   * Fills a new generation and puts it in force in one step.
   * @param expected the marker that `status` showed before the log was read
   * @returns `overtaken` when another process replaced the ledger meanwhile: then that one stands
   * @throws CodedError REDIS_UNAVAILABLE
   */
  replaceAll(state: LedgerState, expected: string | null): Promise<'replaced' | 'overtaken'>;
}

/** Failpoints of limits alone: reservations are made, holds are not claimed yet. */
export const LIMITS_FAILPOINTS = ['limits.after-ledger'] as const;
export type LimitsFailpoint = (typeof LIMITS_FAILPOINTS)[number];
