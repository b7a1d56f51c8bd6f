import type { LocalStackCode } from '../../ports/error-codes.ts';

/** What went wrong with the local stack, and what the reader can do about it. */
export class StackError extends Error {
  readonly code: LocalStackCode;
  /** One or two sentences in the imperative. */
  readonly cure: string;

  constructor(code: LocalStackCode, message: string, cure: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
    this.code = code;
    this.cure = cure;
  }

  override toString(): string {
    return `${this.message} ${this.cure} (${this.code})`;
  }
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
