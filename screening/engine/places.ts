/** Where a party lives and was born: evidence that can speak for a match and never against one. */
import type { QualifierWeights } from './config.ts';

/** What is known of places beside the countries that are compared as such. */
export interface Places {
  /** ISO alpha-2 codes of the address and of the place of birth. */
  readonly countries: readonly string[];
  /** Towns of birth, as given. */
  readonly birthTowns: readonly string[];
}

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Shorter ones are codes and abbreviations. */
const MIN_TOWN_CHARACTERS = 3;

/** Whether a list names one of the towns as a place of birth: `Kerman` is in `Kerman, Iran`, and not in `Kermanshah`. */
function sharesTown(towns: readonly string[], listed: readonly string[]): boolean {
  const named = new Set(listed.flatMap((place) => place.split(/[,;()/]/).map(plain)));
  return towns.map(plain).some((town) => town.length >= MIN_TOWN_CHARACTERS && named.has(town));
}

/** What the towns of birth add to a score. The weight is that of a country, since either says where somebody is from. */
export function birthPlaceFeatures(
  { birthTowns }: Places,
  listed: readonly string[],
  weights: QualifierWeights,
): readonly { readonly name: string; readonly value: string; readonly effect: number }[] {
  if (!sharesTown(birthTowns, listed)) return [];
  return [{ name: 'birth_place', value: 'equal', effect: placeBonus(weights) }];
}

/** The most that a place of birth can add. */
export const placeBonus = ({ countryEqual }: QualifierWeights): number => Math.max(0, countryEqual);
