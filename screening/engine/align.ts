/**
 * Which word of one name stands for which word of the other, and what the names are worth to each other as a whole.
 * Runs for every candidate of every query, so it works on preallocated arrays and allocates nothing.
 */
import type { NameWeights } from './config.ts';
import { distance } from './distance.ts';
import type { Part, PreparedName } from './name.ts';
import { alike, costsFor, MIN_LIKENESS, related, type Writing } from './token.ts';

/** Words of a name that take part in the alignment; longer names are compared by their first words. */
export const MAX_PARTS = 24;
const CONCAT_LOSS = 0.03;
const INITIAL_LIKENESS = 0.9;
const STEEPNESS = 1.4;
const MAX_CONCATENATED = 4;

const likeness = new Float64Array(MAX_PARTS * MAX_PARTS);
/** Partner of each part (-1: none) and how alike they are; written by `align`, read by whoever explains the score. */
export const partnerOfQuery = new Int8Array(MAX_PARTS);
export const partnerOfListed = new Int8Array(MAX_PARTS);
const likenessOfQuery = new Float64Array(MAX_PARTS);
export const likenessOfListed = new Float64Array(MAX_PARTS);
const joined = new Uint8Array(128);

/** What the last alignment found, beside the partners. */
export const last = {
  matched: 0,
  quality: 0,
  extraQuery: 0,
  extraListed: 0,
  conflict: 0,
  matchedNames: 0,
  matchedInitials: 0,
  initialsDiffer: false,
  swapped: false,
};

/** Score of two names by their words alone, 0 to 1. Fills `last` and the partner arrays. */
export function align(query: PreparedName, listed: PreparedName, weights: NameWeights): number {
  const n = Math.min(query.parts.length, MAX_PARTS);
  const m = Math.min(listed.parts.length, MAX_PARTS);
  compareWords(query.parts, n, listed.parts, m, query.explicit && listed.explicit);
  assignBest(n, m);
  joinWords(query.parts, n, partnerOfQuery, likenessOfQuery, listed.parts, m, partnerOfListed, likenessOfListed);
  joinWords(listed.parts, m, partnerOfListed, likenessOfListed, query.parts, n, partnerOfQuery, likenessOfQuery);
  if (query.class === 'person') matchInitials(query.parts, n, listed.parts, m);
  return total(query, n, listed, m, weights);
}

function compareWords(a: readonly Part[], n: number, b: readonly Part[], m: number, explicit: boolean): void {
  for (let i = 0; i < n; i += 1) {
    const part = a[i]!;
    for (let j = 0; j < m; j += 1) {
      const other = b[j]!;
      let value = comparable(part, other) ? alike(part.spelling, other.spelling) : 0;
      // Where both sides say which name is the family name, a family name is not a given name.
      if (explicit && value > 0 && (part.side === 'family') !== (other.side === 'family')) value *= 0.5;
      likeness[i * MAX_PARTS + j] = value;
    }
  }
}

/** Roles that may stand for each other. A place is exactly that place; an initial waits for `matchInitials`. */
function comparable(a: Part, b: Part): boolean {
  if (a.role === 'place' || b.role === 'place') return a.role === b.role && a.spelling.text === b.spelling.text;
  if (a.role === 'initial' || b.role === 'initial') return a.role === b.role && a.spelling.text === b.spelling.text;
  // A particle or a title is not a misspelt name.
  if (isMinor(a) !== isMinor(b)) return related(a.spelling, b.spelling);
  if (a.role === 'generic' && b.role === 'generic') return a.spelling.text === b.spelling.text;
  return true;
}

const isMinor = ({ role }: Part): boolean => role === 'particle' || role === 'title' || role === 'form';

function assignBest(n: number, m: number): void {
  partnerOfQuery.fill(-1, 0, n);
  partnerOfListed.fill(-1, 0, m);
  likenessOfQuery.fill(0, 0, n);
  likenessOfListed.fill(0, 0, m);
  const most = Math.min(n, m);
  for (let round = 0; round < most; round += 1) {
    let best = MIN_LIKENESS - 1e-9;
    let bestI = -1;
    let bestJ = -1;
    for (let i = 0; i < n; i += 1) {
      if (partnerOfQuery[i]! >= 0) continue;
      for (let j = 0; j < m; j += 1) {
        if (partnerOfListed[j]! >= 0) continue;
        const value = likeness[i * MAX_PARTS + j]!;
        if (value > best) {
          best = value;
          bestI = i;
          bestJ = j;
        }
      }
    }
    if (bestI < 0) return;
    partnerOfQuery[bestI] = bestJ;
    partnerOfListed[bestJ] = bestI;
    likenessOfQuery[bestI] = best;
    likenessOfListed[bestJ] = best;
  }
}

/** `Patr ushev` for `Patrushev`: neighbouring words of `a` that together are one word of `b`. */
function joinWords(
  a: readonly Part[],
  n: number,
  partnerOfA: Int8Array,
  likenessOfA: Float64Array,
  b: readonly Part[],
  m: number,
  partnerOfB: Int8Array,
  likenessOfB: Float64Array,
): void {
  if (n < 2) return;
  for (let j = 0; j < m; j += 1) {
    const target = b[j]!.spelling;
    const size = target.codes.length;
    if (size < 4 || likenessOfB[j]! >= 0.9 || b[j]!.role === 'place' || target.digits) continue;
    for (let from = 0; from + 1 < n; from += 1) {
      let length = 0;
      let writing: Writing = 'full';
      for (let to = from; to < n && to - from < MAX_CONCATENATED; to += 1) {
        const part = a[to]!;
        if (part.role === 'place' || part.role === 'form' || part.spelling.digits) break;
        if (partnerOfA[to]! >= 0 && partnerOfA[to] !== j && likenessOfA[to]! > 0.8) break;
        const codes = part.spelling.codes;
        if (length + codes.length > size + 2) break;
        const seam = length > 0 && joined[length - 1] === codes[0] ? 1 : 0;
        joined.set(seam === 1 ? codes.subarray(1) : codes, length);
        length += codes.length - seam;
        if (part.spelling.writing !== 'full') writing = part.spelling.writing;
        if (to === from || length < size - 2) continue;
        const value = joinedLikeness(length, target.codes, writing, target.writing);
        if (value > likenessOfB[j]! + 0.02 && value >= 0.8) {
          release(j, n, partnerOfA, likenessOfA, partnerOfB, likenessOfB);
          for (let i = from; i <= to; i += 1) {
            const before = partnerOfA[i]!;
            if (before >= 0) {
              partnerOfB[before] = -1;
              likenessOfB[before] = 0;
            }
            partnerOfA[i] = j;
            likenessOfA[i] = value;
          }
          partnerOfB[j] = from;
          likenessOfB[j] = value;
        }
      }
    }
  }
}

function release(
  j: number,
  n: number,
  partnerOfA: Int8Array,
  likenessOfA: Float64Array,
  partnerOfB: Int8Array,
  likenessOfB: Float64Array,
): void {
  for (let i = 0; i < n; i += 1) {
    if (partnerOfA[i] !== j) continue;
    partnerOfA[i] = -1;
    likenessOfA[i] = 0;
  }
  partnerOfB[j] = -1;
  likenessOfB[j] = 0;
}

function joinedLikeness(length: number, target: Uint8Array, writing: Writing, other: Writing): number {
  const longer = Math.max(length, target.length);
  const loss = longer >= 8 ? 0.13 : 0.18;
  const costs = costsFor(writing, other);
  const source = joined.subarray(0, length);
  const cost = distance(source, target, 1.6, costs);
  return cost > 1.6 ? 0 : 1 - CONCAT_LOSS - cost * loss;
}

function matchInitials(a: readonly Part[], n: number, b: readonly Part[], m: number): void {
  for (let i = 0; i < n; i += 1) {
    if (partnerOfQuery[i]! >= 0) continue;
    const part = a[i]!;
    if (part.role === 'initial') {
      const j = unmatchedStartingWith(part.spelling.text, b, m, partnerOfListed);
      if (j >= 0) pair(i, j, INITIAL_LIKENESS);
    } else if (part.role === 'name' && part.spelling.text.length === 2) {
      // `JC` for Jean-Claude: two letters that begin two neighbouring names.
      for (let j = 0; j + 1 < m; j += 1) {
        const free = partnerOfListed[j]! < 0 && partnerOfListed[j + 1]! < 0;
        const text = part.spelling.text;
        if (!free || b[j]!.spelling.text[0] !== text[0] || b[j + 1]!.spelling.text[0] !== text[1]) continue;
        pair(i, j, INITIAL_LIKENESS);
        partnerOfListed[j + 1] = i;
        likenessOfListed[j + 1] = INITIAL_LIKENESS;
        break;
      }
    }
  }
  for (let j = 0; j < m; j += 1) {
    if (partnerOfListed[j]! >= 0 || b[j]!.role !== 'initial') continue;
    const i = unmatchedStartingWith(b[j]!.spelling.text, a, n, partnerOfQuery);
    if (i >= 0) pair(i, j, INITIAL_LIKENESS);
  }
}

function pair(i: number, j: number, value: number): void {
  partnerOfQuery[i] = j;
  partnerOfListed[j] = i;
  likenessOfQuery[i] = value;
  likenessOfListed[j] = value;
}

function unmatchedStartingWith(letter: string, parts: readonly Part[], count: number, partners: Int8Array): number {
  for (let at = 0; at < count; at += 1) {
    const { role, spelling } = parts[at]!;
    if (partners[at]! < 0 && (role === 'name' || role === 'initial') && spelling.text[0] === letter) return at;
  }
  return -1;
}

/** Words that are only alike count for less than their likeness: two of them are hardly a name. */
const steep = (value: number): number => 1 - STEEPNESS * (1 - value);

// oxlint-disable-next-line eslint/max-lines-per-function -- one sum over preallocated arrays for every candidate: parts of it would hand a dozen numbers on
function total(query: PreparedName, n: number, listed: PreparedName, m: number, weights: NameWeights): number {
  let matched = 0;
  let quality = 0;
  let names = 0;
  let initials = 0;
  let extraQuery = 0;
  let extraListed = 0;
  let placesQuery = 0;
  let placesListed = 0;
  let openInitialQuery = false;
  let openInitialListed = false;
  let openNameQuery = false;
  let openNameListed = false;
  let crossed = 0;
  let straight = 0;
  for (let i = 0; i < n; i += 1) {
    const part = query.parts[i]!;
    const j = partnerOfQuery[i]!;
    if (j < 0) {
      extraQuery += part.role === 'place' ? 0 : part.weight;
      if (part.role === 'place') placesQuery += part.weight;
      if (part.role === 'initial') openInitialQuery = true;
      if (part.role === 'name') openNameQuery = true;
      continue;
    }
    const other = listed.parts[j]!;
    const weight = other.role === 'initial' ? Math.min(part.weight, other.weight) : part.weight;
    // What an initial leaves open of a name is not known to agree.
    extraQuery += part.weight - weight;
    matched += 0.5 * weight;
    quality += 0.5 * weight * steep(likenessOfQuery[i]!);
    if (part.role === 'initial' || other.role === 'initial') initials += 1;
    else if (part.role === 'name' || part.role === 'word' || other.role === 'name' || other.role === 'word') names += 1;
    if (part.side !== undefined && other.side !== undefined && part.role === 'name') {
      if ((part.side === 'family') === (other.side === 'family')) straight += 1;
      else crossed += 1;
    }
  }
  let namesListed = 0;
  for (let j = 0; j < m; j += 1) {
    const part = listed.parts[j]!;
    const i = partnerOfListed[j]!;
    if (i >= 0) {
      const weight = query.parts[i]!.role === 'initial' ? Math.min(part.weight, query.parts[i]!.weight) : part.weight;
      extraListed += part.weight - weight;
      matched += 0.5 * weight;
      quality += 0.5 * weight * steep(likenessOfListed[j]!);
      if ((part.role === 'name' || part.role === 'word') && query.parts[i]!.role !== 'initial') namesListed += 1;
      continue;
    }
    let joinedIn = false;
    for (let k = 0; k < n; k += 1) if (partnerOfQuery[k] === j) joinedIn = true;
    if (joinedIn) {
      matched += 0.5 * part.weight;
      quality += 0.5 * part.weight * steep(likenessOfListed[j]!);
      continue;
    }
    extraListed += part.role === 'place' ? 0 : part.weight;
    if (part.role === 'place') placesListed += part.weight;
    if (part.role === 'initial') openInitialListed = true;
    if (part.role === 'name') openNameListed = true;
  }
  // Two places that differ contradict each other; a place that only one side names is a detail.
  const placesDiffer = placesQuery > 0 && placesListed > 0;
  extraQuery += placesDiffer ? 2 * placesQuery : weights.placeExtra * placesQuery;
  extraListed += placesDiffer ? 2 * placesListed : weights.placeExtra * placesListed;
  const conflict = Math.min(extraQuery, extraListed);
  last.matched = matched;
  last.quality = quality;
  last.conflict = conflict;
  last.extraQuery = extraQuery - conflict;
  last.extraListed = extraListed - conflict;
  last.matchedNames = Math.max(names, namesListed);
  last.matchedInitials = initials;
  last.initialsDiffer =
    (openInitialQuery && (openNameListed || openInitialListed)) || (openInitialListed && openNameQuery);
  last.swapped = crossed > 0 && straight === 0;
  if (matched === 0) return 0;
  const person = query.class === 'person';
  const costs =
    weights.conflict * conflict +
    (person ? weights.extraQuery : weights.extraOrganisation) * last.extraQuery +
    (person ? weights.extraListed : weights.extraOrganisation) * last.extraListed;
  return quality / (matched + costs);
}
