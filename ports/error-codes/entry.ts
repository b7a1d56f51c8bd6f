// The shape of the catalogue of error codes.

/** How a fault is treated. */
export type FaultClass =
  /** A dependency is down or slow: the partition pauses with back-off, nothing moves aside. */
  | 'transient-dependency'
  /** Authorisation, fencing for good, corrupt configuration: stop the process. */
  | 'fatal'
  /** A bug or a record that breaks the code: isolate by splitting the batch, then dead-letter. */
  | 'poison'
  /** A caller's mistake, refused before anything was changed: an API answers 4xx. */
  | 'invalid-request';

/** What a code may stand for: a fault, or (`notice`) something that health, logs and metrics show and that no error bears. */
export type CodeClass = FaultClass | 'notice';

/** What a code is about. */
export type Concern =
  | 'a record'
  | 'a batch'
  | 'a transfer'
  | 'a payout'
  | 'a stored document'
  | 'a partition'
  | 'a dependency'
  | 'the process'
  | 'the caller'
  | 'configuration'
  | 'the program'
  | 'the local stack';

/** What an API answers with. */
export type HttpStatus =
  | (200 | 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 428 | 429)
  | (500 | 502 | 503 | 504);

export interface CatalogueEntry<Class extends CodeClass = CodeClass> {
  /** Usually one. With several, the place that throws says which; where it does not, the first one is meant. */
  readonly classes: readonly [Class, ...Class[]];
  readonly concern: Concern;
  readonly status: HttpStatus;
  /** One or two imperative sentences. */
  readonly action: string;
}

/** One entry. */
export const entry = <Class extends CodeClass>(
  classes: Class | readonly [Class, ...Class[]],
  concern: Concern,
  status: HttpStatus,
  action: string,
): CatalogueEntry<Class> => ({
  classes: typeof classes === 'string' ? [classes] : classes,
  concern,
  status,
  action,
});
