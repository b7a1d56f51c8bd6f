/** The listed names of one class (persons, organisations, vessels), indexed by their words. */

import type { NameWeights } from './config.ts';
import { KeyTable, keysOfListed, keysOfQuery, VALUES } from './keys.ts';
import type { Part, PreparedName } from './name.ts';
import { isSoftTitle } from './prepare-person.ts';
import { scoreNames } from './score-name.ts';
import {
  alike,
  cannotBeAlike,
  joinSpellings,
  LEAST_ALIKE,
  LEAST_ALIKE_EXACT,
  mostAlike,
  SAME_GROUP,
  type Spelling,
} from './token.ts';

export interface IndexedName {
  readonly prepared: PreparedName;
  /** Number of the entity in the index. */
  readonly entity: number;
  /** Number of the name within the entity. */
  readonly name: number;
  readonly weak: boolean;
  /** Compared only with names that are written without vowels as well. */
  readonly sameScript: boolean;
}

/** A posting list longer than this is not read for new candidates while a rarer word of the person's name can. */
const LONG_LIST = 128;
/** With more candidates than this it is worth reading even a long list to sort them out. */
const MANY_CANDIDATES = 24;
const HARD_ROLES = new Set(['name', 'word', 'generic', 'place', 'kunya']);
// The record of a name: when it was last touched (a whole number), the sums of the running search, and fixed numbers.
const NAME_RECORD = 8;
const MATCHED_QUERY = 1;
const MATCHED_LISTED = 2;
const QUALITY = 3;
const HARD = 4;
const SOFT = 5;
const INITIALS = 6;
// The record of a word: when it was last considered, then what tells quickly whether it can be alike.
const WORD_RECORD = 8;
const MASK = 1;
const LENGTH = 2;
const LETTERS_FROM = 3;
const LETTERS = 4;
const WRITTEN_FULL = 5;
const CLASSES = 6;

// A title that is often a name (Said, Khan) is filed like one: the other side may mean the name.
const isHard = (part: Part): boolean =>
  HARD_ROLES.has(part.role) || (part.role === 'title' && isSoftTitle(part.spelling.text));

/** A word of the query, or neighbouring words read as one, with the listed words it may stand for. */
interface Probe {
  weight: number;
  /** Listed words and their likeness, in the shared arrays from `from` to `to`. */
  from: number;
  to: number;
  postings: number;
  joined: boolean;
}

const MAX_PROBES = 96;
const MAX_FOUND = 8192;

export class Partition {
  readonly names: readonly IndexedName[];
  readonly #person: boolean;
  readonly #words: Spelling[] = [];
  readonly #table: KeyTable;
  readonly #postingStarts: Int32Array;
  readonly #postings: Int32Array;
  readonly #postingWeights: Float32Array;
  readonly #byGroup = new Map<number, Int32Array>();
  readonly #byNickname = new Map<number, Int32Array>();
  readonly #byAcronym = new Map<string, number[]>();
  /** Words of organisations that may be an acronym. */
  readonly #byText = new Map<string, number>();
  // Scratch space of a search, as long as there are names and words.
  // One record a name and one a word, so that looking at one is one line of cache.
  readonly #nameNumbers: Float32Array;
  readonly #nameSeen: Int32Array;
  readonly #wordFacts: Int32Array;
  readonly #letters: Uint8Array;
  /** The word under consideration comes from a table of related words, not by its letters. */
  #related = false;
  readonly #touched: Int32Array;
  readonly #found = new Int32Array(MAX_FOUND);
  readonly #foundLikeness = new Float64Array(MAX_FOUND);
  readonly #probes: Probe[] = [];
  #touchedCount = 0;
  #foundCount = 0;
  #clock = 1;
  #word: Spelling | undefined;
  #probe: ((key: number) => void) | undefined;

  constructor(names: readonly IndexedName[], person: boolean) {
    this.names = names;
    this.#person = person;
    const ids = new Map<Spelling, number>();
    const joinedWords = new Map<string, number>();
    const joinedIdOf = (joined: Spelling): number => {
      const key = `${joined.text}/${joined.writing}`;
      const known = joinedWords.get(key);
      if (known !== undefined) return known;
      const id = this.#words.push(joined) - 1;
      joinedWords.set(key, id);
      return id;
    };
    const idOf = (spelling: Spelling): number => {
      const known = ids.get(spelling);
      if (known !== undefined) return known;
      const id = this.#words.push(spelling) - 1;
      ids.set(spelling, id);
      return id;
    };
    this.#nameNumbers = new Float32Array(names.length * NAME_RECORD);
    this.#nameSeen = new Int32Array(this.#nameNumbers.buffer);
    const entries: [word: number, name: number, weight: number][] = [];
    names.forEach(({ prepared }, name) => {
      const { parts } = prepared;
      parts.forEach((part) => {
        if (isHard(part)) {
          this.#nameNumbers[name * NAME_RECORD + HARD]! += part.weight;
          entries.push([idOf(part.spelling), name, part.weight]);
        } else {
          this.#nameNumbers[name * NAME_RECORD + SOFT]! += part.weight;
          if (part.role === 'initial') this.#nameNumbers[name * NAME_RECORD + INITIALS]! += 1;
        }
      });
      if (prepared.acronym !== '')
        this.#byAcronym.set(prepared.acronym, [...(this.#byAcronym.get(prepared.acronym) ?? []), name]);
    });
    const plain = this.#words.length;
    if (!person) {
      this.#words.forEach(({ text }, id) => {
        if (text.length <= LONGEST_ACRONYM) this.#byText.set(text, id);
      });
    }
    names.forEach(({ prepared: { parts } }, name) => {
      for (let at = 0; at + 1 < parts.length; at += 1) {
        for (let size = 2; size <= 3 && at + size <= parts.length; size += 1) {
          const run = parts.slice(at, at + size);
          if (run.some(({ role, spelling }) => role === 'place' || role === 'initial' || spelling.digits)) break;
          const joined = run.map(({ spelling }) => spelling).reduce(joinSpellings);
          if (joined.text.length > LONGEST_JOINED) break;
          const id = joinedIdOf(joined);
          entries.push([id, name, run.reduce((sum, { weight }) => sum + weight, 0)]);
        }
      }
    });
    [this.#postingStarts, this.#postings, this.#postingWeights] = this.#file(entries);
    this.#table = this.#keys(plain);
    this.#groups(plain);
    this.#touched = new Int32Array(names.length);
    [this.#wordFacts, this.#letters] = factsOfWords(this.#words);
    for (let at = 0; at < MAX_PROBES; at += 1) {
      this.#probes.push({ weight: 0, from: 0, to: 0, postings: 0, joined: false });
    }
  }

  #file(entries: [word: number, name: number, weight: number][]): [Int32Array, Int32Array, Float32Array] {
    const starts = new Int32Array(this.#words.length + 1);
    for (const [word] of entries) starts[word + 1]! += 1;
    for (let at = 0; at < this.#words.length; at += 1) starts[at + 1]! += starts[at]!;
    const next = starts.slice();
    const postings = new Int32Array(entries.length);
    const weights = new Float32Array(entries.length);
    for (const [word, name, weight] of entries) {
      const at = next[word]!++;
      postings[at] = name;
      weights[at] = weight;
    }
    return [starts, postings, weights];
  }

  #keys(plain: number): KeyTable {
    if (this.#words.length >= VALUES) throw new RangeError(`More than ${VALUES} different words: split the lists.`);
    // Words without vowels that must be found by names with vowels.
    const open = new Set(
      this.names.flatMap(({ prepared, sameScript }) =>
        sameScript ? [] : prepared.parts.map(({ spelling }) => spelling),
      ),
    );
    let count = 0;
    const add = (): void => {
      count += 1;
    };
    this.#words.forEach((word, id) => {
      keysOfListed(word, id >= plain, word.writing === 'poor' && !open.has(word), add);
    });
    const pairs = new Float64Array(count);
    let at = 0;
    this.#words.forEach((word, id) => {
      keysOfListed(word, id >= plain, word.writing === 'poor' && !open.has(word), (key) => {
        pairs[at++] = key * VALUES + id;
      });
    });
    return new KeyTable(pairs);
  }

  #groups(plain: number): void {
    const byGroup = new Map<number, number[]>();
    const byNickname = new Map<number, number[]>();
    for (let id = 0; id < plain; id += 1) {
      const { group, nicknameSets } = this.#words[id]!;
      if (group >= 0) byGroup.set(group, [...(byGroup.get(group) ?? []), id]);
      for (const set of nicknameSets) byNickname.set(set, [...(byNickname.get(set) ?? []), id]);
    }
    for (const [group, words] of byGroup) this.#byGroup.set(group, Int32Array.from(words));
    for (const [set, words] of byNickname) this.#byNickname.set(set, Int32Array.from(words));
  }

  /**
   * Calls `use` with each listed name whose score is at least `floor`, in the order of their numbers.
   */
  search(query: PreparedName, floor: number, weights: NameWeights, use: (name: number, score: number) => void): void {
    this.#touchedCount = 0;
    this.#foundCount = 0;
    if (this.#clock > CLOCK_END) this.#rewind();
    const start = this.#clock;
    const probes = this.#look(query);
    const assumed = this.#gather(probes, start);
    this.#gatherAcronyms(query, start);
    this.#judge(query, floor, weights, assumed, use);
  }

  #rewind(): void {
    for (let name = 0; name < this.names.length; name += 1) this.#nameSeen[name * NAME_RECORD] = 0;
    for (let word = 0; word < this.#words.length; word += 1) this.#wordFacts[word * WORD_RECORD] = 0;
    this.#clock = 1;
  }

  /** Every listed name compared in full: the slow truth that the index is measured against. */
  scan(query: PreparedName, floor: number, weights: NameWeights, use: (name: number, score: number) => void): void {
    const poor = query.parts.some(({ spelling }) => spelling.writing === 'poor');
    for (let name = 0; name < this.names.length; name += 1) {
      const score = scoreNames(query, this.names[name]!.prepared, weights);
      if (score >= floor && (poor || !this.names[name]!.sameScript)) use(name, score);
    }
  }

  /** Finds the listed words for each word of the query. Returns how many probes there are. */
  #look(query: PreparedName): number {
    const { parts } = query;
    let count = 0;
    for (const part of parts) {
      if (count >= MAX_PROBES || !isHard(part)) continue;
      this.#lookUp(this.#probes[count]!, part.spelling, part.weight, false);
      count += 1;
    }
    for (let at = 0; at + 1 < parts.length; at += 1) {
      let joined = parts[at]!.spelling;
      let weight = parts[at]!.weight;
      for (let to = at + 1; to < parts.length && to < at + 4 && count < MAX_PROBES; to += 1) {
        const part = parts[to]!;
        if (part.role === 'place' || part.role === 'form' || parts[at]!.role === 'place' || part.spelling.digits) break;
        joined = joinSpellings(joined, part.spelling);
        weight += part.weight;
        if (joined.text.length > LONGEST_JOINED) break;
        this.#lookUp(this.#probes[count]!, joined, weight, true);
        if (this.#probes[count]!.postings > 0) count += 1;
      }
    }
    return count;
  }

  #lookUp(probe: Probe, word: Spelling, weight: number, joined: boolean): void {
    probe.weight = weight;
    probe.from = this.#foundCount;
    probe.postings = 0;
    probe.joined = joined;
    this.#clock += 1;
    this.#word = word;
    this.#probe ??= (key: number): void => {
      const slot = this.#table.find(key);
      if (slot < 0) return;
      const end = this.#table.endOf(slot);
      for (let at = this.#table.startOf(slot); at < end; at += 1) this.#consider(this.#table.values[at]!);
    };
    // What the tables say of a word comes before what its letters say: a word is taken once.
    if (!joined) {
      this.#related = true;
      if (word.group >= 0) for (const id of this.#byGroup.get(word.group) ?? EMPTY) this.#take(id, SAME_GROUP);
      for (const set of word.nicknameSets) for (const id of this.#byNickname.get(set) ?? EMPTY) this.#consider(id);
      this.#related = false;
    }
    keysOfQuery(word, joined, this.#probe);
    probe.to = this.#foundCount;
    for (let at = probe.from; at < probe.to; at += 1) {
      const id = this.#found[at]!;
      probe.postings += this.#postingStarts[id + 1]! - this.#postingStarts[id]!;
    }
    this.#sortFound(probe.from, probe.to);
  }

  #consider(id: number): void {
    const fact = id * WORD_RECORD;
    const facts = this.#wordFacts;
    if (facts[fact] === this.#clock || this.#foundCount >= MAX_FOUND) return;
    facts[fact] = this.#clock;
    const word = this.#word!;
    const value =
      this.#related || word.writing === 'poor' || word.writing === 'sounds' || facts[fact + WRITTEN_FULL] === 0
        ? alike(word, this.#words[id]!)
        : this.#mostAlike(word, id, fact);
    if (value < (word.writing === 'exact' ? LEAST_ALIKE_EXACT : LEAST_ALIKE)) return;
    this.#found[this.#foundCount] = id;
    this.#foundLikeness[this.#foundCount] = value;
    this.#foundCount += 1;
  }

  #take(id: number, value: number): void {
    const fact = id * WORD_RECORD;
    if (this.#wordFacts[fact] === this.#clock || this.#foundCount >= MAX_FOUND) return;
    this.#wordFacts[fact] = this.#clock;
    this.#found[this.#foundCount] = id;
    this.#foundLikeness[this.#foundCount] = value;
    this.#foundCount += 1;
  }

  /** Most words that share a key are nothing alike: the records tell without touching the words themselves. */
  #mostAlike(word: Spelling, id: number, fact: number): number {
    const facts = this.#wordFacts;
    const length = facts[fact + LENGTH]!;
    if (word.digits) return alike(word, this.#words[id]!);
    if (word.letters === facts[fact + LETTERS] && word.letters !== 0) return alike(word, this.#words[id]!);
    if (cannotBeAlike(word.codes.length, word.mask, word.classes, length, facts[fact + MASK]!, facts[fact + CLASSES]!))
      return 0;
    return mostAlike(word.codes, this.#letters, facts[fact + LETTERS_FROM]!, length);
  }

  /** Most alike first, so that a name counts with its best word; insertion sort, the runs are short. */
  #sortFound(from: number, to: number): void {
    for (let at = from + 1; at < to; at += 1) {
      const id = this.#found[at]!;
      const value = this.#foundLikeness[at]!;
      let back = at - 1;
      while (back >= from && this.#foundLikeness[back]! < value) {
        this.#found[back + 1] = this.#found[back]!;
        this.#foundLikeness[back + 1] = this.#foundLikeness[back]!;
        back -= 1;
      }
      this.#found[back + 1] = id;
      this.#foundLikeness[back + 1] = value;
    }
  }

  /** Sums up the weight of matching words per listed name. Returns the weight of a word left unread, 0 for none. */
  #gather(probes: number, start: number): number {
    let plain = 0;
    let largest = -1;
    for (let at = 0; at < probes; at += 1) {
      const probe = this.#probes[at]!;
      if (probe.joined) continue;
      plain += 1;
      if (largest < 0 || probe.postings > this.#probes[largest]!.postings) largest = at;
    }
    // A person's name needs two words in common: the most frequent one cannot make a candidate by itself.
    const skip = this.#person && plain > 1 && this.#probes[largest]!.postings > LONG_LIST ? largest : -1;
    for (let at = 0; at < probes; at += 1) if (at !== skip) this.#add(this.#probes[at]!, start, true);
    if (skip < 0) return 0;
    if (this.#touchedCount <= MANY_CANDIDATES) return this.#probes[skip]!.weight;
    this.#add(this.#probes[skip]!, start, false);
    return 0;
  }

  #add(probe: Probe, start: number, create: boolean): void {
    this.#clock += 1;
    const clock = this.#clock;
    const seen = this.#nameSeen;
    const sums = this.#nameNumbers;
    for (let at = probe.from; at < probe.to; at += 1) {
      const id = this.#found[at]!;
      const value = this.#foundLikeness[at]!;
      const end = this.#postingStarts[id + 1]!;
      for (let posting = this.#postingStarts[id]!; posting < end; posting += 1) {
        const name = this.#postings[posting]!;
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
        const weight = this.#postingWeights[posting]!;
        sums[record + MATCHED_QUERY]! += probe.weight;
        sums[record + MATCHED_LISTED]! += weight;
        sums[record + QUALITY]! += 0.5 * (probe.weight + weight) * value;
      }
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
    for (let at = this.#postingStarts[id]!; at < this.#postingStarts[id + 1]!; at += 1) {
      this.#touch(this.#postings[at]!, start, query.weight);
    }
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
  #judge(
    query: PreparedName,
    floor: number,
    weights: NameWeights,
    assumed: number,
    use: (name: number, score: number) => void,
  ): void {
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
      const sum = numbers[record + MATCHED_QUERY]! + assumed;
      // All but the long words agree: a long word may be alike with more edits than it is found by.
      const hidden = long > 0 && sum > 1 && sum >= hard - long - 0.05 ? Math.max(0, hard - sum) : 0;
      const matchedQuery = sum + hidden;
      const matchedListed = numbers[record + MATCHED_LISTED]! + (assumed + hidden) * weights.family;
      const slack = weights.family;
      const openQuery = Math.max(0, hard - matchedQuery - initialsListed * slack);
      const openListed = Math.max(0, numbers[record + HARD]! - matchedListed - initials * slack);
      const conflict = Math.min(openQuery, openListed);
      const bonus = Math.min(soft, numbers[record + SOFT]!) + (initials + initialsListed) * weights.initial;
      const quality = numbers[record + QUALITY]! + (assumed + hidden) * weights.family + bonus;
      const matched = Math.max(quality, 0.5 * (matchedQuery + matchedListed) + bonus);
      const extra = this.#person
        ? weights.extraQuery * (openQuery - conflict) + weights.extraListed * (openListed - conflict)
        : weights.placeExtra * weights.extraOrganisation * Math.max(openQuery - conflict, openListed - conflict);
      if (
        quality / (matched + weights.conflict * conflict * (this.#person ? 1 : weights.placeExtra) + extra) <
        floor - BOUND_SLACK
      )
        continue;
      this.#touched[kept++] = name;
    }
    const poor = query.parts.some(({ spelling }) => spelling.writing === 'poor');
    this.#touched.subarray(0, kept).sort();
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
    const arrays = [
      this.#postingStarts,
      this.#postings,
      this.#postingWeights,
      this.#nameNumbers,
      this.#wordFacts,
      this.#letters,
    ];
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0) + this.#table.bytes;
    return { names: this.names.length, words: this.#words.length, bytes };
  }
}

/** Words this long may differ by three edits and still be alike. */
const MANY_EDITS_FROM = 9;
const LONGEST_JOINED = 24;
const LONGEST_ACRONYM = 10;
function factsOfWords(words: readonly Spelling[]): [Int32Array, Uint8Array] {
  const facts = new Int32Array(words.length * WORD_RECORD);
  const letters = new Uint8Array(words.reduce((sum, { codes }) => sum + codes.length, 0));
  let from = 0;
  words.forEach((word, id) => {
    letters.set(word.codes, from);
    const fact = id * WORD_RECORD;
    facts[fact + MASK] = word.mask;
    facts[fact + CLASSES] = word.classes;
    facts[fact + LENGTH] = word.codes.length;
    facts[fact + LETTERS_FROM] = from;
    facts[fact + LETTERS] = word.letters;
    facts[fact + WRITTEN_FULL] = word.writing === 'full' ? 1 : 0;
    from += word.codes.length;
  });
  return [facts, letters];
}

const EMPTY = new Int32Array(0);
const CLOCK_END = 2 ** 31 - 1000;
const BOUND_SLACK = 0.02;
