// Errors are routed by a stable code, never by message text.
import { DomainError } from '../domain/error.ts';
import { safeText } from '../domain/text.ts';
import { TextRefused } from '../schemas/strict-strings.ts';

const MAX_DETAIL = 300;
const MAX_FRAMES = 6;
const MAX_TYPE = 60;
const UNREADABLE = 'what was thrown cannot be read';

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

/** Whether it is coded. Never throws: what a client throws may be of a shape that cannot even be asked for its class. */
export function isCoded(thrown: unknown): thrown is CodedError {
  return isOf(thrown, CodedError);
}

/** `instanceof` that never throws. */
export function isOf<T extends Error>(thrown: unknown, kind: abstract new (...given: never[]) => T): thrown is T {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** A dependency that cannot be reached or does not answer in time. */
export function dependencyDown(dependency: string, code: string, cause: unknown): CodedError {
  return new CodedError(code, `${dependency} is unavailable: ${thrownText(cause)}`, {
    faultClass: 'transient-dependency',
    dependency,
    cause,
  });
}

/** What anything thrown says of itself, as it can be shown, in at most `most` characters. Never throws, whatever it is. */
export function thrownText(thrown: unknown, most = MAX_DETAIL): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : String(thrown);
    return typeof text === 'string' ? safeText(text, most) : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

/**
 * What may be told of anything thrown. Coded errors say what they are; the message of any other is left out, since it may
 * quote a record (a name, an account): its type and first frame say where to look.
 */
export function codeAndDetail(error: unknown): { readonly code: string; readonly detail: string } {
  if (isCoded(error)) return { code: error.code, detail: safeText(error.message, MAX_DETAIL) };
  const where = framesOf(error).split('\n')[0] ?? '';
  const code = isOf(error, DomainError) || isOf(error, TextRefused) ? error.code : 'UNEXPECTED_ERROR';
  return { code, detail: `unexpected ${typeOf(error)} ${where}`.trim().slice(0, MAX_DETAIL) };
}

function typeOf(error: unknown): string {
  try {
    return error instanceof Error ? safeText(String(error.name), MAX_TYPE) : typeof error;
  } catch {
    return 'object';
  }
}

/** Frames of the stack of an error, without its message. */
export function framesOf(error: unknown): string {
  const frames = stackOf(error)
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, MAX_FRAMES)
    .map((line) =>
      line.trim().replace(/file:\/\/\S*?\/(?=(?:processors|runtime|adapters|sinks|payouts|topics|test)\/)/, ''),
    )
    .join('\n');
}

/** Its stack as text, or nothing: what is thrown may be of any shape. */
function stackOf(error: unknown): string {
  try {
    const stack: unknown = error instanceof Error ? error.stack : undefined;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
}
