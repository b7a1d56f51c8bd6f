// Asking about some of a batch in one call, with the answers back at their places.
import { CodedError } from './fault.ts';

/**
 * Asks all questions that there are in one call, and not at all when there are none.
 *
 * @param questions one place a record; undefined: nothing to ask about it
 * @param ask answers with one answer a question, in order
 * @returns one place a record; undefined where nothing was asked
 * @throws CodedError OUTCOMES_MISSING when there are more or fewer answers; whatever `ask` throws
 */
export async function askSome<Q, A>(
  questions: readonly (Q | undefined)[],
  ask: (questions: readonly Q[]) => Promise<readonly A[]>,
): Promise<readonly (A | undefined)[]> {
  const asked = questions.filter((question) => question !== undefined);
  if (asked.length === 0) return questions.map(() => undefined);
  const answers = await ask(asked);
  if (answers.length !== asked.length) {
    const detail = `${answers.length} answers to ${asked.length} questions`;
    throw new CodedError('OUTCOMES_MISSING', detail, { faultClass: 'fatal' });
  }
  let next = 0;
  return questions.map((question) => (question === undefined ? undefined : answers[next++]));
}
