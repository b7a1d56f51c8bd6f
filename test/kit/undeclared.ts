// What an intent of before 2026-11 does not say: the same as nothing.
import type { Instruction, Party, Price, TransferLifecycle, TransferRequested } from '../../schemas/types.generated.ts';

export const NO_PLACES = { postalAddress: null, birthPlace: null } as const satisfies Partial<Party>;

export const NO_DECLARATIONS = {
  nationalPurpose: null,
  funding: null,
  payeeVerification: null,
  arrangement: null,
  taxes: [],
  kycTier: null,
  declaredUse: null,
  quoteId: null,
} as const satisfies Partial<TransferRequested>;

/** Of an instruction, with what intake adds. */
export const NOT_INSTRUCTED = {
  ...NO_DECLARATIONS,
  ...{
    verifiedNameToken: null,
    fundingToken: null,
    uetr: null,
    transferRules: null,
    reviewRules: [],
    corridorId: null,
    tokenKeyId: null,
  },
} as const satisfies Partial<Instruction>;

/** Of a price. */
export const UNTERMED = {
  ...{ taxes: [], terms: null, valueDate: null, availableAt: null, cancelUntil: null },
} as const satisfies Partial<Price>;

/** Of a lifecycle record of before it named the key of its tokens. */
const UNKEYED_ROW = { tokenKeyId: null } as const satisfies Partial<TransferLifecycle>;

/** Of a lifecycle record of before it named the rates of its price, and the limit rules. */
export const UNLEGGED_ROW = {
  ...UNKEYED_ROW,
  ...{ priceLegs: [], pivotCurrency: null, limitRulesVersion: null },
} as const satisfies Partial<TransferLifecycle>;

/** Of a lifecycle record of before terms were named. */
export const UNTERMED_ROW = {
  ...UNLEGGED_ROW,
  ...{ termsVersion: null, termIds: [], market: null, chargedTaxesMinor: null, chargedTaxes: [] },
  ...{ valueDate: null, availableAt: null, cancelUntil: null },
} as const satisfies Partial<TransferLifecycle>;

/** Of a lifecycle record. */
export const NOT_IN_LIFECYCLE = {
  nationalPurpose: null,
  fundingMethod: null,
  payeeVerification: null,
  arrangement: null,
  kycTier: null,
  transferRules: null,
  ...{ eventKind: null, contractVersion: null, corridorId: null },
  ...{ instructedMinor: null, instructedCurrency: null, amountSide: null, sourceExponent: null, targetExponent: null },
  ...{ principalMinor: null, marginMinor: null, residual: null, fees: [], taxes: [] },
  ...{ engineVersion: null, screeningConfiguration: null, screeningLists: [], limitRuleIds: [], holdId: null },
  ...{ payoutAttemptKey: null, ended: null, endedAt: null, returnedMinor: null },
  ...{ previousState: null, previousOccurredAt: null, heldMs: null, replayId: null },
  ...UNTERMED_ROW,
} as const satisfies Partial<TransferLifecycle>;
