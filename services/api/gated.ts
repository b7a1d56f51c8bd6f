// Work that is dear: a few at once, and whoever comes beyond them is told to come again rather than to wait.
import { CodedError } from '../../ports/fault.ts';

/** The same function, of which at most `most` calls are under way. @throws CodedError TOO_BUSY when there are so many */
export function gated<Given extends readonly unknown[], Result>(
  most: number,
  work: (...given: Given) => Promise<Result>,
): (...given: Given) => Promise<Result> {
  let underWay = 0;
  return async (...given) => {
    if (underWay >= most) throw new CodedError('TOO_BUSY', `${most} of these are under way already`);
    underWay += 1;
    try {
      return await work(...given);
    } finally {
      underWay -= 1;
    }
  };
}

/** Work that is dear, of which a few go on at once. @throws CodedError TOO_BUSY */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export const gateOf = (most: number): Gate => gated(most, (work: () => Promise<unknown>) => work()) as Gate;
