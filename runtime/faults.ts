// What the runtime makes of anything thrown: a class, a stable code, and words that hold no personal data.
import { DomainError } from '../domain/error.ts';
import { CodedError, type FaultClass } from './ports/fault.ts';

const MAX_DETAIL = 300;
const MAX_FRAMES = 6;

export interface Fault {
  readonly faultClass: FaultClass;
  readonly code: string;
  readonly detail: string;
  readonly dependency: string | undefined;
  /** Frames of the stack, without the message. */
  readonly stack: string;
}

/**
 * Coded errors say what they are. Anything else is a bug met by some record: poison. Its message is left out, since it
 * may quote the record (a name, an account); its type and frames say where to look.
 */
export function faultOf(error: unknown): Fault {
  const stack = framesOf(error);
  if (error instanceof CodedError) {
    const { code, faultClass, dependency } = error;
    return { code, faultClass, dependency, detail: error.message.slice(0, MAX_DETAIL), stack };
  }
  const type = error instanceof Error ? error.name.slice(0, 60) : typeof error;
  const where = stack.split('\n')[0] ?? '';
  const detail = `unexpected ${type} ${where}`.trim().slice(0, MAX_DETAIL);
  const code = error instanceof DomainError ? error.code : 'UNEXPECTED_ERROR';
  return { code, faultClass: 'poison', detail, dependency: undefined, stack };
}

function framesOf(error: unknown): string {
  if (!(error instanceof Error) || !error.stack) return '';
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, MAX_FRAMES)
    .map((line) =>
      line.trim().replace(/file:\/\/\S*?\/(?=(?:processors|runtime|adapters|sinks|payouts|topics|test)\/)/, ''),
    )
    .join('\n');
}
