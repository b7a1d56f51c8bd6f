// A verdict that a person types while looking at the case. Nothing is suggested, and silence is not a verdict.
import { createInterface } from 'node:readline/promises';
import type { FoundCase } from '../../operations/cases/inbox/find.ts';
import { VERDICTS, type Verdict } from '../../operations/cases/inbox/verdict.ts';
import { CodedError } from '../../ports/fault.ts';

export type Ask = (question: string) => Promise<string>;

/**
 * The verdict that the person types, whole: of several cases with their number, `approve 12`.
 * @param wanted what the command said; it has to be typed all the same
 * @throws CodedError NOT_CONFIRMED
 */
export async function typedVerdict(
  ask: Ask,
  { kind }: Pick<FoundCase, 'kind'>,
  wanted: Verdict | undefined,
  count = 1,
): Promise<Verdict> {
  const may = wanted ? [wanted] : VERDICTS[kind];
  const typed = (verdict: Verdict) => `${verdict.toLowerCase()}${count === 1 ? '' : ` ${count}`}`;
  const words = may.map(typed).join(' or ');
  const answer = (await ask(`Type ${words}; anything else decides nothing: `)).trim().toLowerCase();
  const verdict = may.find((each) => typed(each) === answer);
  if (verdict) return verdict;
  throw new CodedError('NOT_CONFIRMED', `nothing was decided: ${words} was not typed`);
}

/** Asks on the terminal. */
export async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
