// What a person types before something is done: the act by its name, and how much it is about.
import { CodedError } from '../../ports/fault.ts';
import { askOnTerminal } from '../cases/confirm.ts';

export interface Confirmed {
  /** Names the act: `replay`, `cancel`. */
  readonly word: string;
  /** How many it is about; undefined: the word is enough. */
  readonly count?: number;
  /** What a program said beforehand (`--letters`); it must be the count. */
  readonly said?: number | undefined;
}

/** @throws CodedError EVIDENCE_CHANGED, NOT_CONFIRMED, OPTION_MISSING */
export async function confirmed({ word, count, said }: Confirmed): Promise<void> {
  const phrase = count === undefined ? word : `${word} ${count}`;
  if (said !== undefined && count !== undefined) {
    if (said === count) return;
    throw new CodedError('EVIDENCE_CHANGED', `it is about ${count}, not ${said}: look at it again`);
  }
  if (!process.stdin.isTTY) {
    const how = count === undefined ? '--yes' : '--letters N, with N as you have seen it';
    throw new CodedError('OPTION_MISSING', `without a terminal, say ${how}`);
  }
  if ((await askOnTerminal(`Type "${phrase}" to do it; anything else does nothing: `)).trim() === phrase) return;
  throw new CodedError('NOT_CONFIRMED', `${phrase} was not typed: nothing was done`);
}
