/** A score taken apart: what the words gave, which rules applied, what the other facts added. */
import { last } from './align.ts';
import { rules } from './score-name.ts';

export interface Feature {
  /** Stable: evidence of years ago is read with the same names. */
  readonly name: FeatureName;
  /** What was found, in a word or a number. */
  readonly value: string | number;
  /** What the score became or changed by; see `kind`. */
  readonly effect: number;
  /** `score`: the effect is a score of its own; `factor`: it multiplies; `add`: it is added; `cap`: it limits. */
  readonly kind: 'score' | 'factor' | 'add' | 'cap';
}

export type FeatureName =
  | 'name_words'
  | 'name_conflict'
  | 'name_extra_query'
  | 'name_extra_listed'
  | 'single_word'
  | 'numbers'
  | 'legal_form'
  | 'swapped_parts'
  | 'initials'
  | 'acronym'
  | 'weak_alias'
  | 'birth_date'
  | 'country'
  | 'gender'
  | 'identifier'
  | 'birth_place';

/** Scores and effects have four decimals, so that equal inputs print equal bytes. */
export const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Features of the names that were compared last. */
export function nameFeatures(): Feature[] {
  const features: Feature[] = [
    { name: 'name_words', value: last.matchedNames, effect: rounded(rules.words), kind: 'score' },
  ];
  const weigh = (name: FeatureName, weight: number): void => {
    if (weight > 0) features.push({ name, value: rounded(weight), effect: 0, kind: 'add' });
  };
  // How much weight had no counterpart. It is part of `name_words`, and shown so that a person can follow the score.
  weigh('name_conflict', last.conflict);
  weigh('name_extra_query', last.extraQuery);
  weigh('name_extra_listed', last.extraListed);
  const factor = (name: FeatureName, value: string, effect: number): void => {
    if (effect !== 1) features.push({ name, value, effect: rounded(effect), kind: 'factor' });
  };
  factor('single_word', 'one name in common', rules.singleWord);
  factor('numbers', 'differ', rules.numbers);
  factor('legal_form', 'differs', rules.forms);
  factor('swapped_parts', 'family and given name', rules.swapped);
  factor('initials', 'contradict', rules.initials);
  if (rules.acronym > 0)
    features.push({ name: 'acronym', value: 'first letters', effect: rounded(rules.acronym), kind: 'score' });
  return features;
}
