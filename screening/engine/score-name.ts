/** Score of a party's name against a listed name: the words, then the rules about the name as a whole. */
import { align, last } from './align.ts';
import type { NameWeights } from './config.ts';
import type { PreparedName } from './name.ts';
import type { FormClass } from './tables/legal-forms.ts';

/** Rules that applied to the last pair of names; each a factor on the score of the words. */
export const rules = {
  words: 0,
  singleWord: 1,
  numbers: 1,
  forms: 1,
  swapped: 1,
  initials: 1,
  acronym: 0,
};

/** 0 to 1. Fills `rules` and what `align` fills. */
export function scoreNames(query: PreparedName, listed: PreparedName, weights: NameWeights): number {
  rules.words = align(query, listed, weights);
  rules.singleWord = isSingleWord(query, listed)
    ? weights.singleWord * (last.matchedNames === 0 ? weights.singleWord : 1)
    : 1;
  rules.numbers = numbersFactor(query.numbers, listed.numbers, weights);
  rules.forms = formsConflict(query.forms, listed.forms) ? weights.formConflict : 1;
  rules.swapped = query.explicit && listed.explicit && last.swapped ? weights.swappedParts : 1;
  rules.initials = last.initialsDiffer ? weights.initialConflict : 1;
  const score = rules.initials * rules.words * rules.singleWord * rules.numbers * rules.forms * rules.swapped;
  rules.acronym = 0;
  if (score >= weights.acronym || query.class !== 'organisation' || !isAcronym(query, listed)) return score;
  rules.acronym = weights.acronym * rules.numbers * rules.forms;
  return Math.max(score, rules.acronym);
}

/** One name in common is little when either side has more: half the world shares a family name. */
function isSingleWord(query: PreparedName, listed: PreparedName): boolean {
  if (query.class !== 'person') return false;
  if (last.matchedNames >= 2 || (last.matchedNames === 1 && last.matchedInitials > 0)) return false;
  return query.bearing > 1 || listed.bearing > 1;
}

function numbersFactor(a: readonly number[], b: readonly number[], weights: NameWeights): number {
  if (a.length === 0 && b.length === 0) return 1;
  if (a.length === 0 || b.length === 0) return weights.numberMissing;
  return a.length === b.length && a.every((value, at) => value === b[at]) ? 1 : weights.numberConflict;
}

const VAGUE: ReadonlySet<FormClass> = new Set(['limited', 'joint-stock']);

function formsConflict(a: readonly FormClass[], b: readonly FormClass[]): boolean {
  if (a.length === 0 || b.length === 0) return false;
  for (const form of a) {
    if (b.includes(form)) return false;
    // `Company` and `Corporation` say little: they go with any company.
    if (form === 'corporation' && b.some((other) => VAGUE.has(other))) return false;
    if (VAGUE.has(form) && b.includes('corporation')) return false;
  }
  return true;
}

function isAcronym(a: PreparedName, b: PreparedName): boolean {
  return spells(a, b.acronym) || spells(b, a.acronym);
}

/** The only word that identifies this name is the other's first letters. */
function spells(name: PreparedName, acronym: string): boolean {
  if (acronym === '' || name.bearing !== 1) return false;
  return name.parts.some(({ role, spelling }) => role === 'word' && spelling.text === acronym);
}
