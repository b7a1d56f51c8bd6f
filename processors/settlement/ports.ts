// What settlement needs from outside: durable claims on payout versions, one document per transfer.

/** The transition that a payout update led to. */
export type SettlementEnd = 'completed' | 'returned' | 'rejected' | 'requote';

export interface SettlementStep {
  /** The command that led to it. */
  readonly commandId: string;
  /** Where that command stands in the log: the same command may be published twice, and only one of them leads here. */
  readonly position: string;
  /** Version of the payout. */
  readonly version: number;
  /** Pricing attempt of the payout. */
  readonly attempt: number;
  /** Sequence of the event. */
  readonly sequence: number;
  readonly end: SettlementEnd;
  /** When it was claimed, ms: the time of the event, however often it is emitted. */
  readonly at: number;
}

/** What settlement made of a transfer's payout so far: at least one step, versions and sequences rising. */
export interface SettlementClaim {
  readonly transferId: string;
  readonly steps: readonly SettlementStep[];
}

export interface SettlementClaims {
  /** Inserts claims for transfers that have none. @returns the ids that had one already. @throws CodedError MONGO_UNAVAILABLE */
  insert(claims: readonly SettlementClaim[]): Promise<ReadonlySet<string>>;
  /** @throws CodedError MONGO_UNAVAILABLE */
  find(transferIds: readonly string[]): Promise<readonly SettlementClaim[]>;
  /**
   * Replaces each claim if it still has `expectedSteps` steps.
   * @returns the ids whose claim had changed meanwhile (or was gone)
   * @throws CodedError MONGO_UNAVAILABLE
   */
  replace(
    claims: readonly { readonly claim: SettlementClaim; readonly expectedSteps: number }[],
  ): Promise<ReadonlySet<string>>;
}

/** Failpoints of settlement, and of whoever keeps its claims. */
export const SETTLEMENT_FAILPOINTS = [
  'settlement.after-claim',
  'settlement-claims.after-insert',
  'settlement-claims.after-replace',
] as const;
export type SettlementFailpoint = (typeof SETTLEMENT_FAILPOINTS)[number];
