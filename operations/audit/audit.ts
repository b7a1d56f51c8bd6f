// The audit log as everybody sees it who lets somebody do something. What matters is the order: an act is in the log before
// it takes effect (`record`), and what came of it follows (`note`).
import { codeAndDetail } from '../../ports/fault.ts';
import type { Act, Target } from './entry.ts';

export interface Audit {
  /**
   * Writes what is about to be done, or shown unmasked. Resolves with the ids of the entries when they are durable: all of
   * them, in this order.
   * @throws CodedError AUDIT_UNAVAILABLE: then do not do it. It may be in the log all the same.
   */
  record(acts: readonly Act[]): Promise<readonly string[]>;
  /**
   * Writes what has been: denied, shown masked, done, failed. Neither waits nor throws: it is kept in memory until it is
   * written, and written again until it is.
   */
  note(acts: readonly Act[]): void;
}

/** An item of an act over several. */
export type ItemOfAct = Pick<Act, 'on' | 'outcome' | 'reasonCode' | 'decidedOn'>;

/** What is known of an act when it is done. */
export interface ActResult {
  /** Which one it was, now that there is one. */
  readonly on?: Target;
  readonly reasonCode?: string | undefined;
  readonly decidedOn?: string | undefined;
  readonly items?: readonly ItemOfAct[];
}

/**
 * Does something that must not be done unrecorded: an entry before (ALLOWED), the work, an entry after (DONE or FAILED), and
 * one for each item. An entry before without one after says that the program ended in between: it may have taken effect.
 *
 * @param work is given the entryId of the first entry
 * @param resultOf reads from the result what the entries after say beside
 * @throws CodedError AUDIT_UNAVAILABLE before anything was done, and what the work throws
 */
export async function audited<T>(
  audit: Audit,
  act: Omit<Act, 'outcome' | 'partOf'>,
  work: (entryId: string) => Promise<T>,
  resultOf: (result: T) => ActResult = () => ({}),
): Promise<T> {
  const { isKnown: _, ...asked } = act.on;
  const [entryId] = await audit.record([{ ...act, on: asked, outcome: 'ALLOWED' }]);
  const partOf = entryId!;
  try {
    const result = await work(partOf);
    const { items = [], on = { ...act.on, isKnown: true }, ...more } = resultOf(result);
    const done: Act = { ...act, ...given(more), on, outcome: 'DONE', partOf };
    const { who, action, requestId, reference } = act;
    audit.note([done, ...items.map((item): Act => ({ who, action, requestId, reference, partOf, ...item }))]);
    return result;
  } catch (error) {
    audit.note([{ ...act, outcome: 'FAILED', reasonCode: codeAndDetail(error).code, partOf }]);
    throw error;
  }
}

/** Without what is undefined: it would hide what the act said before. */
const given = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
