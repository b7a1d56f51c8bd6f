// What intake needs from outside.

/** Who used a transfer id first, and with which payload. Never changes once made. */
export interface IntentClaim {
  readonly transferId: string;
  /** Payload hash with its version, such as v1:ab12…. */
  readonly hash: string;
  readonly originPosition: string;
  readonly homePartition: number;
  /** When the claim was made, ms: the time of the accepted event, however often it is emitted. */
  readonly acceptedAt: number;
  /** Producer of the intent; null: nobody could tell, also of claims of before. */
  readonly producerId: string | null;
}

/** Durable, atomic claims on transfer ids. */
export interface IntentClaims {
  /**
   * Claims ids that nobody claimed before; at most one claim per id in a batch. One round trip when all are new.
   * @returns for each given claim, in order, the claim that stands: the given one or an earlier one
   * @throws CodedError MONGO_UNAVAILABLE
   */
  claim(claims: readonly IntentClaim[]): Promise<readonly IntentClaim[]>;
  /** The claims that stand on these ids; ids without one are left out. @throws CodedError MONGO_UNAVAILABLE */
  find(transferIds: readonly string[]): Promise<readonly IntentClaim[]>;
}

/** Failpoints of intake, and of whoever keeps its claims. */
export const INTAKE_FAILPOINTS = [
  'intake.before-claim',
  'intake.after-claim',
  /** New ids are claimed; claims of others are not read yet. */
  'intent-claims.after-insert',
] as const;
export type IntakeFailpoint = (typeof INTAKE_FAILPOINTS)[number];
