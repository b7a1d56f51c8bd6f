// What the runtime makes of anything thrown: a class, a stable code, and words that hold no personal data.

import { DomainError } from '../domain/fault.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { type CodedError, codeAndDetail, type FaultClass, framesOf, isCoded, isOf } from '../ports/fault.ts';

/** In a host nobody has asked for anything: what would be a caller's mistake is held against the record. */
export type RuntimeClass = Exclude<FaultClass, 'invalid-request'>;

export interface Fault {
  readonly faultClass: RuntimeClass;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly dependency: string | undefined;
  /** Somebody said what it is. Otherwise it may be a bug met by some record, or a dependency's error that nobody coded. */
  readonly known: boolean;
  /** Frames of the stack, without the message. */
  readonly stack: string;
}

/** Coded errors say what they are. Anything else is a bug met by some record: poison, told without its message. */
export function faultOf(error: unknown): Fault {
  const coded = isCoded(error);
  return {
    ...codeAndDetail(error),
    faultClass: coded ? runtimeClassOf(error) : 'poison',
    dependency: coded ? error.dependency : undefined,
    known: coded || isOf(error, DomainError),
    stack: framesOf(error),
  };
}

const runtimeClassOf = ({ faultClass }: CodedError): RuntimeClass =>
  faultClass === 'invalid-request' ? 'poison' : faultClass;
