// What could not be read on the way to a list. Such a list is shown, and says that it is not whole.
import type { ErrorCode } from '../../ports/error-codes.ts';
import { type CodedError, codeAndDetail, isCoded } from '../../ports/fault.ts';

/** What a list lacks, and why. */
export interface Missing<Source extends string = string> {
  readonly source: Source;
  readonly code: ErrorCode;
  readonly detail: string;
}

export class Gaps<Source extends string = string> {
  readonly missing: Missing<Source>[] = [];
  /** The first fault that was met. */
  first: CodedError | undefined;

  /** What `ask` answers, or `otherwise` when a dependency is at fault. @throws what is no coded error: a bug is no gap */
  async read<T>(source: Source, otherwise: T, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!isCoded(error)) throw error;
      this.first ??= error;
      this.missing.push({ source, ...codeAndDetail(error) });
      return otherwise;
    }
  }

  /** Says that a source has more than was looked at. */
  cut(source: Source, detail: string, code: 'LIST_CUT' | 'INBOX_CUT' = 'LIST_CUT'): void {
    this.missing.push({ source, code, detail });
  }
}
