// Reason codes: those of ISO 20022 (ExternalStatusReason1Code) that Corridor uses, and its own where ISO has none.

export interface CatalogueEntry {
  /** Whose code it is. */
  readonly owner: 'ISO 20022' | 'Corridor';
  /** Name of the code. */
  readonly name: string;
  /** What it means for an operator, and what to do about it. */
  readonly text: string;
}

const iso = (name: string, text: string): CatalogueEntry => ({ owner: 'ISO 20022', name, text });
const own = (name: string, text: string): CatalogueEntry => ({ owner: 'Corridor', name, text });

export const REASONS = {
  AC01: iso('IncorrectAccountNumber', 'The account number is invalid or missing.'),
  AC02: iso('InvalidDebtorAccountNumber', "The sender's account number is invalid or missing."),
  AC03: iso('InvalidCreditorAccountNumber', "The beneficiary's account number is invalid or missing."),
  AC04: iso('ClosedAccountNumber', 'The account is closed.'),
  AC06: iso('BlockedAccount', 'The account is blocked.'),
  AC13: iso('InvalidDebtorAccountType', "The sender's account is of a kind that this corridor does not take."),
  AC14: iso('InvalidCreditorAccountType', "The beneficiary's account is of a kind that this corridor does not pay."),
  AG01: iso('TransactionForbidden', 'This kind of transfer is not allowed on the account.'),
  AG03: iso('TransactionNotSupported', 'No corridor carries this transfer, or not on these terms.'),
  AM01: iso('ZeroAmount', 'The amount is zero.'),
  AM02: iso('NotAllowedAmount', 'The amount is above what the corridor carries in one transfer.'),
  AM03: iso('NotAllowedCurrency', 'The currency is not known or not served.'),
  AM04: iso('InsufficientFunds', 'The funds do not cover the amount.'),
  AM06: iso('TooLowAmount', 'The amount is below what the corridor carries, or does not cover its fees.'),
  AM11: iso('InvalidTransactionCurrency', 'The currency does not fit the side that the amount fixes.'),
  AM12: iso('InvalidAmount', 'The amount is not valid.'),
  AM14: iso('AmountExceedsAgreedLimit', 'A limit of the customer is exceeded.'),
  BE01: iso(
    'InconsistentWithEndCustomer',
    'The name of the beneficiary is not that of the account, as a check of both said.',
  ),
  BE04: iso('MissingCreditorAddress', "The beneficiary's address is missing, or says too little."),
  BE07: iso('MissingDebtorAddress', "The sender's address is missing, or says too little."),
  BE10: iso('InvalidDebtorCountry', "The sender's country is invalid or does not fit the corridor."),
  BE11: iso('InvalidCreditorCountry', "The beneficiary's country is invalid or does not fit the corridor."),
  CH03: iso('RequestedExecutionDateTooFarInFuture', 'Execution on a later day is not offered.'),
  CH04: iso('RequestedExecutionDateTooFarInPast', 'The day of execution has passed.'),
  CH16: iso('ElementContentFormallyIncorrect', 'A field does not have the form it must have.'),
  CH17: iso('ElementNotAdmitted', 'A field is filled that must be empty here.'),
  CH21: iso('RequiredCompulsoryElementMissing', 'A field is empty that must be filled.'),
  DT01: iso('InvalidDate', 'A date is not a valid ISO 8601 date.'),
  DT02: iso('InvalidCreationDate', 'The intent claims to be made in the future, or too long ago.'),
  DUPL: iso('DuplicatePayment', 'The transfer id was used before with another payload.'),
  FF07: iso('InvalidPurpose', 'The purpose code is not one that the corridor takes.'),
  NARR: iso('Narrative', 'See the detail.'),
  RC06: iso('InvalidDebtorBICIdentifier', "The sender's BIC is invalid."),
  RC07: iso('InvalidCreditorBICIdentifier', "The beneficiary's BIC is invalid."),
  RC09: iso('InvalidDebtorClearingSystemMemberIdentifier', "The sender's bank code is invalid."),
  RC10: iso(
    'InvalidCreditorClearingSystemMemberIdentifier',
    "The beneficiary's bank code (IFSC, sort code) is invalid.",
  ),
  RR01: iso(
    'MissingDebtorAccountOrIdentification',
    'What regulation asks for of the sender, beside name and address, is missing.',
  ),
  RR02: iso('MissingDebtorNameOrAddress', "The sender's name is missing, or what regulation asks for beside it."),
  RR03: iso('MissingCreditorNameOrAddress', "The beneficiary's name is missing."),
  RR04: iso('RegulatoryReason', 'Declined or held for a regulatory reason.'),
  DISC: own(
    'Discarded',
    'It could not be handled, and operators ended it: nothing was paid. Send it again under a new id.',
  ),
  HDOC: own('HeldForDocuments', 'More of a limit is used than passes without documents: ask the producer for them.'),
  HLIM: own('HeldForLimitReview', 'The customer uses more of a limit than passes without review.'),
  PRID: own(
    'IdOfAnotherProducer',
    'The transfer id is of another producer, or not one of those that this producer may use.',
  ),
  PRSL: own(
    'ProducerNotProven',
    'Nothing proves which producer the intent is from: its seal is missing, wrong, or under a key that is not known.',
  ),
  QDIF: own(
    'QuoteDiffers',
    'The transfer asks for something else than was quoted: amount, side, currencies, or what its price depends on.',
  ),
  QEXP: own(
    'QuoteExpired',
    'The quote expired before the transfer was paid. It is not priced in another way: ask for a quote, and send a new transfer.',
  ),
  QFLT: own('QuoteFailed', 'The request for a quote could not be read or priced: operators have to look.'),
  QIND: own('QuoteIndicative', 'The quote is indicative: no transfer can have its price.'),
  QOLD: own(
    'QuoteAskedTooLongAgo',
    'The request for a quote lay for more than a minute: ask again, under another key.',
  ),
  QPRD: own('QuoteOfNobodyProven', 'Nothing proves whose the transfer is, and a quote is of one producer.'),
  QSTP: own('QuotesStopped', 'Operators have stopped the corridor: no quote of it is given until it goes on.'),
  QUNK: own(
    'QuoteUnknown',
    'There is no such quote of this producer, it has no price, or nothing proves that Corridor made it.',
  ),
  QUOT: own(
    'QuotedTooOften',
    'The price expired more often than a transfer is priced again; let the producer send a new one.',
  ),
  QUSD: own('QuoteUsed', 'Another transfer has the price of the quote: each is for one.'),
  QVOI: own('QuoteVoided', 'Operators have voided the quotes of that time: ask for a quote, and send a new transfer.'),
  RATE: own('NoFreshRate', 'No fresh rate was to be had within the longest wait; check the rate source.'),
  SEAL: own('SealedPartiesNotTaken', 'Sealed parties are not taken on this topic; send them open.'),
  XPRD: own('PriceExpired', 'The price expired before the payout was sent.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ReasonCode = keyof typeof REASONS;

/** A reason of the catalogue; without a detail, its operator text. Details hold no personal data. */
export function reason(code: ReasonCode, detail: string = REASONS[code].text): { code: ReasonCode; detail: string } {
  return { code, detail };
}

export const isKnownReason = (code: string): code is ReasonCode => Object.hasOwn(REASONS, code);

/** The reasons for which operators may end a transfer that could not be handled. Codes of other stages' findings are not among them. */
export const DISCARD_REASONS = [
  'DISC',
  'AC01',
  'AC04',
  'AC06',
  'AG01',
  'AG03',
  'CH16',
  'FF07',
  'NARR',
  'RR04',
] as const satisfies readonly ReasonCode[];
export type DiscardReason = (typeof DISCARD_REASONS)[number];
export const isDiscardReason = (code: string): code is DiscardReason =>
  (DISCARD_REASONS as readonly string[]).includes(code);
