// Errors are routed by a stable code, never by message text.
import { DomainError } from '../../domain/error.ts';
import { safeText } from '../../domain/text.ts';
import { TextRefused } from '../../schemas/strict-strings.ts';

const MAX_DETAIL = 300;
const MAX_FRAMES = 6;

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

/**
 * What may be told of anything thrown. Coded errors say what they are; the message of any other is left out, since it may
 * quote a record (a name, an account): its type and first frame say where to look.
 */
export function codeAndDetail(error: unknown): { readonly code: string; readonly detail: string } {
  if (error instanceof CodedError) return { code: error.code, detail: safeText(error.message, MAX_DETAIL) };
  const type = error instanceof Error ? error.name.slice(0, 60) : typeof error;
  const where = framesOf(error).split('\n')[0] ?? '';
  const code = error instanceof DomainError || error instanceof TextRefused ? error.code : 'UNEXPECTED_ERROR';
  return { code, detail: `unexpected ${type} ${where}`.trim().slice(0, MAX_DETAIL) };
}

/** Frames of the stack of an error, without its message. */
export function framesOf(error: unknown): string {
  if (!(error instanceof Error) || !error.stack) return '';
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, MAX_FRAMES)
    .map((line) =>
      line.trim().replace(/file:\/\/\S*?\/(?=(?:processors|runtime|adapters|sinks|payouts|topics|test)\/)/, ''),
    )
    .join('\n');
}
