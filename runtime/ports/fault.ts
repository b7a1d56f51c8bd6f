// Errors are routed by a stable code, never by message text.

/** How the runtime treats a fault. */
export type FaultClass =
  /** A dependency is down or slow: the partition pauses with back-off, nothing moves aside. */
  | 'transient-dependency'
  /** Authorisation, fencing for good, corrupt configuration: stop the process. */
  | 'fatal'
  /** A bug or a record that breaks the code: isolate by splitting the batch, then dead-letter. */
  | 'poison';

/** An error with a stable code. Adapters wrap what client libraries throw into one of these. */
export class CodedError extends Error {
  readonly code: string;
  readonly faultClass: FaultClass;
  /** The dependency at fault, for health: kafka, registry, mongo, redis-limits, redis-queue, provider. */
  readonly dependency: string | undefined;
  constructor(
    code: string,
    message: string,
    options: { faultClass: FaultClass; dependency?: string; cause?: unknown } = { faultClass: 'poison' },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.faultClass = options.faultClass;
    this.dependency = options.dependency;
  }
}

/** A dependency that cannot be reached or does not answer in time. */
export function dependencyDown(dependency: string, code: string, cause: unknown): CodedError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new CodedError(code, `${dependency} is unavailable: ${detail}`, {
    faultClass: 'transient-dependency',
    dependency,
    cause,
  });
}
