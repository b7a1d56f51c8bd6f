/** The listed names of one class (persons, organisations, vessels), indexed by their words. */

import type { NameWeights } from './config.ts';
import type { PreparedName } from './name.ts';
import { scoreNames } from './score-name.ts';
import { joinSpellings, type Spelling } from './token.ts';
import { type Entry, fileWords, type IndexedName, isHard, MAX_JOINED_LENGTH } from './word-filing.ts';
import { WordIndex } from './word-index.ts';

/** With more candidates than this a word left aside is looked up, with fewer it is compared with their words. */
const MANY_CANDIDATES = 160;
// The record of a name: when it was last touched (a whole number), the sums of the running search, and fixed numbers.
const NAME_RECORD = 8;
const MATCHED_QUERY = 1;
const MATCHED_LISTED = 2;
const QUALITY = 3;
const HARD = 4;
const SOFT = 5;
const INITIALS = 6;

/** A word of the query, or neighbouring words read as one, with the listed words it may stand for. */
interface Probe {
  word: Spelling | undefined;
  weight: number;
  /** Its run among the found words. */
  from: number;
  to: number;
  /** Left aside: it makes no candidate, but counts for those that the others make. */
  aside: boolean;
}

const MAX_PROBES = 96;

export class Partition {
  readonly names: readonly IndexedName[];
  readonly #person: boolean;
  readonly #words: WordIndex;
  /** Names by word, with the weight of the word in them; and the hard words of each name, with their weights. */
  readonly #postings: Lists;
  readonly #wordsOfName: Lists;
  readonly #byAcronym = new Map<string, number[]>();
  /** Words of organisations that may be an acronym. */
  readonly #byText = new Map<string, number>();
  // Scratch space of a search: one record a name, so that looking at one is one line of cache.
  readonly #nameNumbers: Float32Array;
  readonly #nameSeen: Int32Array;
  readonly #touched: Int32Array;
  readonly #probes: Probe[] = [];
  #touchedCount = 0;
  #clock = 1;

  constructor(names: readonly IndexedName[], person: boolean) {
    this.names = names;
    this.#person = person;
    this.#nameNumbers = new Float32Array(names.length * NAME_RECORD);
    this.#nameSeen = new Int32Array(this.#nameNumbers.buffer);
    names.forEach(({ prepared }, name) => {
      this.#sumUp(prepared, name * NAME_RECORD);
    });
    const { words, entries, plainEntries, idByText } = fileWords(names);
    this.#words = new WordIndex(words);
    this.#postings = listsOf(words.length, entries);
    this.#wordsOfName = listsOf(
      names.length,
      plainEntries.map(([word, name, weight]) => [name, word, weight]),
    );
    if (!person) this.#fileAcronyms(names, idByText);
    this.#touched = new Int32Array(names.length);
    for (let at = 0; at < MAX_PROBES; at += 1) {
      this.#probes.push({ word: undefined, weight: 0, from: 0, to: 0, aside: false });
    }
  }

  #sumUp({ parts }: PreparedName, record: number): void {
    for (const part of parts) {
      this.#nameNumbers[record + (isHard(part) ? HARD : SOFT)]! += part.weight;
      if (part.role === 'initial') this.#nameNumbers[record + INITIALS]! += 1;
    }
  }

  #fileAcronyms(names: readonly IndexedName[], idByText: ReadonlyMap<string, number>): void {
    for (const [text, id] of idByText) if (text.length <= MAX_ACRONYM_LENGTH) this.#byText.set(text, id);
    names.forEach(({ prepared: { acronym } }, name) => {
      if (acronym === '') return;
      const known = this.#byAcronym.get(acronym);
      if (known === undefined) this.#byAcronym.set(acronym, [name]);
      else known.push(name);
    });
  }

  /**
   * Calls `use` with each listed name whose score is at least `floor`, in the order of their numbers.
   */
  search(query: PreparedName, floor: number, weights: NameWeights, use: (name: number, score: number) => void): void {
    this.#touchedCount = 0;
    this.#words.clear();
    if (this.#clock > CLOCK_END) this.#rewind();
    const start = this.#clock;
    this.#gather(this.#look(query, floor, weights), start);
    this.#gatherAcronyms(query, start);
    this.#judge(query, floor, weights, use);
  }

  #rewind(): void {
    for (let name = 0; name < this.names.length; name += 1) this.#nameSeen[name * NAME_RECORD] = 0;
    this.#clock = 1;
  }

  /** Every listed name compared in full: the slow truth that the index is measured against. */
  scan(query: PreparedName, floor: number, weights: NameWeights, use: (name: number, score: number) => void): void {
    const poor = isWithoutVowels(query);
    for (let name = 0; name < this.names.length; name += 1) {
      const score = scoreNames(query, this.names[name]!.prepared, weights);
      if (score >= floor && (poor || !this.names[name]!.sameScript)) use(name, score);
    }
  }

  /** Finds the listed words for each word of the query. Returns how many probes there are. */
  #look(query: PreparedName, floor: number, weights: NameWeights): number {
    const { parts } = query;
    let count = 0;
    for (const part of parts) {
      if (count >= MAX_PROBES || !isHard(part)) continue;
      const probe = this.#probes[count]!;
      probe.word = part.spelling;
      probe.weight = part.weight;
      probe.aside = false;
      count += 1;
    }
    if (this.#person) this.#leaveNameAside(query, count);
    else this.#leaveGeneralWordsAside(query, floor, weights);
    for (let at = 0; at < count; at += 1) {
      const probe = this.#probes[at]!;
      probe.from = this.#words.count;
      if (probe.aside) this.#words.lookUpSpecial(probe.word!);
      else this.#words.lookUp(probe.word!);
      probe.to = this.#words.count;
    }
    for (let at = 0; at + 1 < parts.length; at += 1) {
      let joined = parts[at]!.spelling;
      let weight = parts[at]!.weight;
      for (let to = at + 1; to < parts.length && to < at + 4 && count < MAX_PROBES; to += 1) {
        const part = parts[to]!;
        if (part.role === 'place' || part.role === 'form' || parts[at]!.role === 'place' || part.spelling.digits) break;
        joined = joinSpellings(joined, part.spelling);
        weight += part.weight;
        if (joined.codes.length > MAX_JOINED_LENGTH) break;
        const probe = this.#probes[count]!;
        probe.word = joined;
        probe.weight = weight;
        probe.aside = false;
        probe.from = this.#words.count;
        this.#words.lookUpJoined(joined);
        probe.to = this.#words.count;
        if (probe.to > probe.from) count += 1;
      }
    }
    return count;
  }

  /**
   * Persons need two names in common, so one name of the query need not make candidates: the others do. Names with
   * initials, where one name may do, and words read as one are special words, which are looked up for it as well.
   */
  #leaveNameAside({ parts, bearing }: PreparedName, count: number): void {
    if (bearing < 2 || parts.length < 2) return;
    let most = -1;
    let costliest = -1;
    let at = 0;
    let short = 0;
    for (const part of parts) {
      // Words without vowels are found less surely: there each word is a second chance.
      if (part.role === 'initial' || part.spelling.writing === 'poor') return;
      if (!isHard(part) || at >= count) continue;
      // Two letters may be the first letters of two names: then every other name must be looked up.
      if (part.role === 'name' && part.spelling.text.length === 2) {
        short += 1;
        if (short > 1) return;
        costliest = at;
        most = Number.POSITIVE_INFINITY;
      }
      if (part.role === 'name') {
        const cost = this.#costOf(part.spelling);
        if (cost > most) {
          most = cost;
          costliest = at;
        }
      }
      at += 1;
    }
    if (costliest >= 0) this.#probes[costliest]!.aside = true;
  }

  /** What a look-up costs, as far as can be told beforehand: names under exactly this word, and keys. */
  #costOf(word: Spelling): number {
    let names = 0;
    this.#words.exactly(word, (id) => {
      names += this.#postings.starts[id + 1]! - this.#postings.starts[id]!;
    });
    return names + KEY_COST * word.codes.length;
  }

  /** General words and places that even together are no match make no candidates: the words that identify do. */
  #leaveGeneralWordsAside({ parts, weight }: PreparedName, floor: number, weights: NameWeights): void {
    let aside = 0;
    let at = 0;
    const cost = weights.extraOrganisation * Math.min(1, weights.placeExtra);
    for (const part of parts) {
      if (!isHard(part)) continue;
      if (part.role === 'generic' || part.role === 'place') {
        // The listed word may be one that identifies, and count for more.
        const sum = aside + part.weight;
        const best = 0.5 * (sum + Math.max(sum, 1));
        if (best / (best + cost * Math.max(0, weight - sum)) >= floor - BOUND_SLACK) return;
        aside = sum;
        if (at < MAX_PROBES) this.#probes[at]!.aside = true;
      }
      at += 1;
    }
  }

  /** Sums up the weight of matching words per listed name. */
  #gather(probes: number, start: number): void {
    for (let at = 0; at < probes; at += 1) {
      const probe = this.#probes[at]!;
      this.#clock += 1;
      this.#add(probe, start, true);
    }
    for (let at = 0; at < probes; at += 1) {
      const probe = this.#probes[at]!;
      if (!probe.aside || this.#touchedCount === 0) continue;
      // The names its special words found have been counted with it once: they are counted too high, which is safe.
      this.#clock += 1;
      if (this.#touchedCount <= MANY_CANDIDATES) {
        this.#compareWithTouched(probe);
        continue;
      }
      probe.from = this.#words.count;
      this.#words.lookUp(probe.word!);
      probe.to = this.#words.count;
      this.#add(probe, start, false);
    }
  }

  #add(probe: Probe, start: number, create: boolean): void {
    const clock = this.#clock;
    const seen = this.#nameSeen;
    const sums = this.#nameNumbers;
    const { found, foundLikeness } = this.#words;
    const { starts, values, weights } = this.#postings;
    for (let at = probe.from; at < probe.to; at += 1) {
      const id = found[at]!;
      const value = foundLikeness[at]!;
      const end = starts[id + 1]!;
      for (let posting = starts[id]!; posting < end; posting += 1) {
        const name = values[posting]!;
        const record = name * NAME_RECORD;
        const last = seen[record]!;
        if (last === clock) continue;
        if (last <= start) {
          if (!create) continue;
          this.#touched[this.#touchedCount++] = name;
          sums[record + MATCHED_QUERY] = 0;
          sums[record + MATCHED_LISTED] = 0;
          sums[record + QUALITY] = 0;
        }
        seen[record] = clock;
        const weight = weights[posting]!;
        sums[record + MATCHED_QUERY]! += probe.weight;
        sums[record + MATCHED_LISTED]! += weight;
        sums[record + QUALITY]! += 0.5 * (probe.weight + weight) * value;
      }
    }
  }

  /** A word left aside is compared with the words of the candidates, each of them once. */
  #compareWithTouched(probe: Probe): void {
    const sums = this.#nameNumbers;
    const { starts, values, weights } = this.#wordsOfName;
    this.#words.compareWith(probe.word!);
    for (let at = 0; at < this.#touchedCount; at += 1) {
      const name = this.#touched[at]!;
      const record = name * NAME_RECORD;
      let best = 0;
      let weight = 0;
      const end = starts[name + 1]!;
      for (let entry = starts[name]!; entry < end; entry += 1) {
        const value = this.#words.likenessOf(values[entry]!);
        if (value <= best) continue;
        best = value;
        weight = weights[entry]!;
      }
      if (best === 0) continue;
      sums[record + MATCHED_QUERY]! += probe.weight;
      sums[record + MATCHED_LISTED]! += weight;
      sums[record + QUALITY]! += 0.5 * (probe.weight + weight) * best;
    }
  }

  #gatherAcronyms(query: PreparedName, start: number): void {
    if (query.class !== 'organisation') return;
    if (query.bearing === 1) {
      for (const { role, spelling } of query.parts) {
        if (role !== 'word' || spelling.text.length < 3) continue;
        for (const name of this.#byAcronym.get(spelling.text) ?? []) this.#touch(name, start, query.weight);
      }
    }
    if (query.acronym === '') return;
    const id = this.#byText.get(query.acronym);
    if (id === undefined) return;
    const { starts, values } = this.#postings;
    for (let at = starts[id]!; at < starts[id + 1]!; at += 1) this.#touch(values[at]!, start, query.weight);
  }

  /** Makes a name a candidate whatever its words say. */
  #touch(name: number, start: number, weight: number): void {
    const record = name * NAME_RECORD;
    if (this.#nameSeen[record]! <= start) this.#touched[this.#touchedCount++] = name;
    const hard = this.#nameNumbers[record + HARD]!;
    this.#nameSeen[record] = this.#clock;
    this.#nameNumbers[record + MATCHED_QUERY] = weight;
    this.#nameNumbers[record + MATCHED_LISTED] = hard;
    this.#nameNumbers[record + QUALITY] = 0.5 * (weight + hard);
  }

  /** Compares in full the candidates whose best possible score reaches the floor. */
  #judge(query: PreparedName, floor: number, weights: NameWeights, use: (name: number, score: number) => void): void {
    let hard = 0;
    let soft = 0;
    let initials = 0;
    let long = 0;
    for (const part of query.parts) {
      if (isHard(part)) hard += part.weight;
      else soft += part.weight;
      if (part.role === 'initial') initials += 1;
      if (isHard(part) && part.spelling.codes.length >= MANY_EDITS_FROM) long += part.weight;
    }
    const numbers = this.#nameNumbers;
    let kept = 0;
    for (let at = 0; at < this.#touchedCount; at += 1) {
      const name = this.#touched[at]!;
      const record = name * NAME_RECORD;
      const initialsListed = numbers[record + INITIALS]!;
      const sum = numbers[record + MATCHED_QUERY]!;
      // Most of it agrees, or all but the long words: the rest may be alike with more edits than it is found by.
      const rest = Math.max(0, hard - sum);
      const hidden = (sum >= MAX_AGREEMENT && rest <= sum) || (long > 0 && sum > 1 && rest <= long + 0.05) ? rest : 0;
      const matchedQuery = sum + hidden;
      const matchedListed = numbers[record + MATCHED_LISTED]! + hidden * weights.family;
      const slack = weights.family;
      const openQuery = Math.max(0, hard - matchedQuery - initialsListed * slack);
      const openListed = Math.max(0, numbers[record + HARD]! - matchedListed - initials * slack);
      const conflict = Math.min(openQuery, openListed);
      const bonus = Math.min(soft, numbers[record + SOFT]!) + (initials + initialsListed) * weights.initial;
      const quality = numbers[record + QUALITY]! + hidden * weights.family + bonus;
      const matched = Math.max(quality, 0.5 * (matchedQuery + matchedListed) + bonus);
      const extra = this.#person
        ? weights.extraQuery * (openQuery - conflict) + weights.extraListed * (openListed - conflict)
        : weights.placeExtra * weights.extraOrganisation * Math.max(openQuery - conflict, openListed - conflict);
      const cost = weights.conflict * conflict * (this.#person ? 1 : weights.placeExtra) + extra;
      if (quality / (matched + cost) < floor - BOUND_SLACK) continue;
      this.#touched[kept++] = name;
    }
    if (kept === 0) return;
    const poor = isWithoutVowels(query);
    if (kept > 1) this.#touched.subarray(0, kept).sort();
    for (let at = 0; at < kept; at += 1) {
      const name = this.#touched[at]!;
      const indexed = this.names[name]!;
      if (indexed.sameScript && !poor) continue;
      const score = scoreNames(query, indexed.prepared, weights);
      if (score >= floor) use(name, score);
    }
  }

  /** Words, postings and bytes of the typed arrays. */
  get size(): { names: number; words: number; bytes: number } {
    const bytes =
      this.#nameNumbers.byteLength + this.#words.bytes + bytesOf(this.#postings) + bytesOf(this.#wordsOfName);
    return { names: this.names.length, words: this.#words.words.length, bytes };
  }
}

/** Lists of numbers with weights, one a key. */
interface Lists {
  readonly starts: Int32Array;
  readonly values: Int32Array;
  readonly weights: Float32Array;
}

function listsOf(keys: number, entries: readonly Entry[]): Lists {
  const starts = new Int32Array(keys + 1);
  for (const [key] of entries) starts[key + 1]! += 1;
  for (let at = 0; at < keys; at += 1) starts[at + 1]! += starts[at]!;
  const next = starts.slice();
  const values = new Int32Array(entries.length);
  const weights = new Float32Array(entries.length);
  for (const [key, value, weight] of entries) {
    const at = next[key]!++;
    values[at] = value;
    weights[at] = weight;
  }
  return { starts, values, weights };
}

const bytesOf = ({ starts, values, weights }: Lists): number =>
  starts.byteLength + values.byteLength + weights.byteLength;

/** Compared also with names that only names of their own script are compared with. */
const isWithoutVowels = ({ abjad, parts }: PreparedName): boolean =>
  abjad || parts.some(({ spelling }) => spelling.writing === 'poor');

/** Words this long may differ by three edits and still be alike. */
const MANY_EDITS_FROM = 9;
/** The weight of nearly two words. */
const MAX_AGREEMENT = 1.4;
const MAX_ACRONYM_LENGTH = 10;
const CLOCK_END = 2 ** 31 - 1000;
const BOUND_SLACK = 0.02;
const KEY_COST = 8;
