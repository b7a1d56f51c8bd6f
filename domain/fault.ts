/** Codes of broken rules. ports/error-codes/domain.ts says of each what to do. */
export type DomainErrorCode =
  | 'AMOUNT_OVERFLOW'
  | 'CORRIDORS_INVALID'
  | 'CURRENCY_MISMATCH'
  | 'CURRENCY_UNKNOWN'
  | 'DECRYPTION_FAILED'
  | 'JUSTIFICATION_INVALID'
  | 'KEY_RING_INVALID'
  | 'LIMIT_RULES_INVALID'
  | 'TERMS_INVALID'
  | 'MARGIN_OUT_OF_RANGE'
  | 'NETWORKS_INVALID'
  | 'PERSON_INVALID'
  | 'PRODUCERS_INVALID'
  | 'RATE_MALFORMED'
  | 'RATE_NOT_POSITIVE'
  | 'ROUTE_BROKEN'
  | 'SIGNING_KEY_INVALID';

/** A broken rule of the domain: a bug or a corrupt record, never a business decline. The code is stable. */
export class DomainError extends Error {
  readonly code: DomainErrorCode;
  constructor(code: DomainErrorCode, message: string) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
  }
}
