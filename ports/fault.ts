// Errors are routed by a stable code, never by message text.
import { DomainError } from '../domain/fault.ts';
import { safeText } from '../domain/text/text.ts';
import { TextRefused } from '../schemas/strict-strings.ts';
import { type ClassOf, type ErrorCode, errorCodes, type FaultClass } from './error-codes.ts';

const MAX_DETAIL = 300;
const MAX_FRAMES = 6;
const MAX_TYPE = 60;
const UNREADABLE = 'what was thrown cannot be read';

export type { FaultClass } from './error-codes.ts';

interface CodedOptions<Class extends FaultClass> {
  /** Absent: the first class that the catalogue has for the code. */
  readonly faultClass?: Class;
  readonly dependency?: string;
  readonly cause?: unknown;
}

/** An error with a code of the catalogue. Adapters wrap what client libraries throw into one of these. */
export class CodedError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly faultClass: FaultClass;
  /** The dependency at fault, for health: kafka, registry, mongo, redis-limits, redis-queue, provider. */
  readonly dependency: string | undefined;
  constructor(code: Code, message: string, options: CodedOptions<ClassOf<Code>> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.faultClass = options.faultClass ?? firstClassOf(code);
    this.dependency = options.dependency;
  }
}

/** What a code means where nothing else is said. A notice that is thrown is a bug. */
function firstClassOf(code: ErrorCode): FaultClass {
  const first = errorCodes[code].classes[0];
  return first === 'notice' ? 'poison' : first;
}

/** Whether it is coded. Never throws: what a client throws may be of a shape that cannot even be asked for its class. */
export function isCoded(thrown: unknown): thrown is CodedError {
  return isOf(thrown, CodedError);
}

/** Whether a dependency does not do its work, so that it is tried again and nothing is held against a record. Never throws. */
export const isOutage = (thrown: unknown): boolean => isCoded(thrown) && thrown.faultClass === 'transient-dependency';

/** `instanceof` that never throws. */
export function isOf<T extends Error>(thrown: unknown, kind: abstract new (...given: never[]) => T): thrown is T {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** Codes that may be of a dependency that is down. */
type DownCode = { [Code in ErrorCode]: 'transient-dependency' extends ClassOf<Code> ? Code : never }[ErrorCode];

/** A dependency that cannot be reached or does not answer in time. */
export function dependencyDown(dependency: string, code: DownCode, cause: unknown): CodedError {
  return new CodedError<ErrorCode>(code, `${dependency} is unavailable: ${thrownText(cause)}`, {
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
 * What may be said of anything thrown. Coded errors say what they are; the message of any other is left out, since it may
 * quote a record (a name, an account): its type and first frame say where to look.
 */
export function codeAndDetail(error: unknown): { readonly code: ErrorCode; readonly detail: string } {
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
