/** A name prepared for comparison. */

import type { FormClass } from './tables/legal-forms.ts';
import { type Spelling, spellingOf, type Writing } from './token.ts';

/** What kind of bearer a name is read as: the same words mean different things in each. */
export type NameClass = 'person' | 'organisation' | 'object';

export type Role =
  | 'name'
  | 'initial'
  | 'particle'
  | 'kunya'
  | 'title'
  | 'word'
  | 'generic'
  | 'place'
  | 'form'
  | 'repeat';

export interface Part {
  readonly spelling: Spelling;
  readonly role: Role;
  readonly weight: number;
  /** Known to be the family or the given name. */
  readonly side: 'family' | 'given' | 'middle' | undefined;
}

export interface PreparedName {
  readonly class: NameClass;
  /** The name as given. */
  readonly text: string;
  readonly parts: readonly Part[];
  /** Sum of the weights of the parts. */
  readonly weight: number;
  /** Parts that identify: names and initials of a person, words of an organisation that are not generic. */
  readonly bearing: number;
  readonly numbers: readonly number[];
  readonly forms: readonly FormClass[];
  /** First letters of an organisation's words; '' when there are fewer than three. */
  readonly acronym: string;
  /** Which part is the family name was stated, not guessed. */
  readonly explicit: boolean;
  /** A word of it was written in a script without vowels, whether or not it is known with them. */
  readonly abjad: boolean;
  /** The name was longer than what is looked at. */
  readonly cut: boolean;
}

/** Interns spellings, so that equal words of a list share one object. */
export class SpellingPool {
  #known = new Map<string, Spelling>();

  of(text: string, writing: Writing): Spelling {
    const key = writing === 'full' ? text : `${text}/${writing}`;
    const known = this.#known.get(key);
    if (known) return known;
    const spelling = spellingOf(text, writing);
    this.#known.set(key, spelling);
    return spelling;
  }
}

/** For queries: computes every time, remembers nothing. */
export const noPool = { of: spellingOf };
export type Pool = Pick<SpellingPool, 'of'>;
