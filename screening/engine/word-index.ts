/** The different words of the listed names: from a word of a query to those that are alike. */
import { ABJAD_COSTS, ABJAD_SECOND_COSTS, LATIN_COSTS } from './distance.ts';
import { KeyTable, keys, keysOfListed, keysOfOneEdit, keysOfQuery, VALUES } from './keys.ts';
import {
  alike,
  cannotBeAlike,
  cannotBeRead,
  MIN_LIKENESS,
  MIN_LIKENESS_EXACT,
  mostAlike,
  type Spelling,
} from './token.ts';

/** One word of the list, and how it is found. */
export interface ListedWord {
  readonly spelling: Spelling;
  /** Several words read as one, or a word of a name with initials: looked up for every word of a query. */
  readonly special: boolean;
  /** Several words read as one. */
  readonly joined: boolean;
  /** Written without vowels, and compared only with words that are written without vowels as well. */
  readonly sameScript: boolean;
}

// The record of a word is short, so that those of all words stay in the cache of a core: when it was last compared, then
// what tells quickly whether it can be alike. Its letters and the likeness lie elsewhere, few words get that far.
const RECORD = 4;
const MASK = 1;
/** Classes of consonants; the length above them. */
const CLASSES = 2;
const LENGTH_SHIFT = 26;
const MAX_LENGTH = 63;
/** Half the hash of its letters; marks; its group + 1. */
const MARKS = 3;
const LETTERS_BITS = 0xffff;
const READABLE = 1 << 16;
const POOR = 1 << 17;
const NICKNAMED = 1 << 18;
const GROUP_SHIFT = 19;
const LETTERS_INLINE = 32;

const MAX_FOUND = 8192;
const CLOCK_END = 2 ** 31 - 1000;
const MAX_CONSIDERED = 1 << 16;

export class WordIndex {
  readonly words: readonly ListedWord[];
  readonly #plain: KeyTable;
  readonly #special: KeyTable;
  readonly #records: Int32Array;
  readonly #letters: Uint8Array;
  readonly #likeness: Float64Array;
  readonly #byGroup: ReadonlyMap<number, Int32Array>;
  readonly #byNickname: ReadonlyMap<number, Int32Array>;
  // What a search reads is far apart in memory. Each step of a look-up is a short loop of its own over all keys or words,
  // so that the processor waits for many of them at once.
  readonly #passed = new Int32Array(keys.length);
  readonly #filed = new Int32Array(keys.length);
  readonly #ids = new Int32Array(MAX_CONSIDERED);
  #idCount = 0;
  #clock = 0;
  #word: Spelling | undefined;
  #least = MIN_LIKENESS;
  #marks = 0;
  /** Words found by the look-ups since `clear` and how alike they are, one run a look-up. */
  readonly found = new Int32Array(MAX_FOUND);
  readonly foundLikeness = new Float64Array(MAX_FOUND);
  count = 0;

  constructor(words: readonly ListedWord[]) {
    if (words.length >= VALUES) throw new RangeError(`More than ${VALUES} different words: split the lists.`);
    this.words = words;
    this.#plain = tableOf(words, false);
    this.#special = tableOf(words, true);
    this.#records = new Int32Array(words.length * RECORD);
    this.#letters = new Uint8Array(words.length * LETTERS_INLINE);
    this.#likeness = new Float64Array(words.length);
    words.forEach(({ spelling }, id) => {
      this.#record(spelling, id);
    });
    this.#byGroup = idsBy(words, ({ group }) => (group < 0 ? [] : [group]));
    this.#byNickname = idsBy(words, ({ nicknameSets }) => nicknameSets);
  }

  #record(word: Spelling, id: number): void {
    const record = id * RECORD;
    const { length } = word.codes;
    const fits = length <= LETTERS_INLINE;
    this.#records[record + MASK] = word.mask;
    this.#records[record + CLASSES] = word.classes | (Math.min(length, MAX_LENGTH) << LENGTH_SHIFT);
    this.#records[record + MARKS] =
      (word.letters & LETTERS_BITS) |
      (word.writing === 'full' && fits ? READABLE : 0) |
      (word.writing === 'poor' && fits ? POOR : 0) |
      (word.nicknameSets.length > 0 ? NICKNAMED : 0) |
      ((word.group + 1) << GROUP_SHIFT);
    if (fits) this.#letters.set(word.codes, id * LETTERS_INLINE);
  }

  /** Forgets what was found, for a new search. */
  clear(): void {
    this.count = 0;
  }

  /** Finds the listed words that are alike, and adds them to `found`, the most alike first. */
  lookUp(word: Spelling): void {
    const filled = this.#begin(word, false);
    const oneEdit = keysOfOneEdit;
    if (word.group >= 0) this.#addIds(this.#byGroup.get(word.group));
    for (const set of word.nicknameSets) this.#addIds(this.#byNickname.get(set));
    this.#read(this.#plain, filled);
    this.#read(this.#special, oneEdit);
    this.#compareAll();
  }

  /** The same for special words only. */
  lookUpSpecial(word: Spelling): void {
    this.#begin(word, false);
    this.#read(this.#special, keysOfOneEdit);
    this.#compareAll();
  }

  /** The same for neighbouring words of a query read as one: these may stand for a plain word. */
  lookUpJoined(word: Spelling): void {
    this.#read(this.#plain, this.#begin(word, true));
    this.#compareAll();
  }

  /** Makes `word` the one that `likenessOf` compares with. */
  compareWith(word: Spelling): void {
    this.#begin(word, false);
  }

  /** How alike the word of the last look-up and a listed word are at most; 0 when they are different words. */
  likenessOf(id: number): number {
    const record = id * RECORD;
    if (this.#records[record] === this.#clock) return this.#likeness[id]!;
    this.#records[record] = this.#clock;
    const likeness = this.#cannotBe(record) ? 0 : this.#compare(id);
    this.#likeness[id] = likeness;
    return likeness;
  }

  /** Calls `use` with the words that are filed under exactly this word: a hint at how frequent it is. */
  exactly(word: Spelling, use: (id: number) => void): void {
    keysOfQuery(word, false);
    const filed = this.#plain.find(keys[0]!);
    if (filed > 0) use(filed - 1);
    if (filed >= 0) return;
    const { lists } = this.#plain;
    const end = -filed + lists[-filed]!;
    for (let entry = 1 - filed; entry <= end; entry += 1) use(lists[entry]!);
  }

  #begin(word: Spelling, joined: boolean): number {
    if (this.#clock > CLOCK_END) {
      for (let id = 0; id < this.words.length; id += 1) this.#records[id * RECORD] = 0;
      this.#clock = 0;
    }
    this.#clock += 1;
    this.#idCount = 0;
    this.#word = word;
    this.#least = word.writing === 'exact' ? MIN_LIKENESS_EXACT : MIN_LIKENESS;
    const readable = !word.digits && word.writing !== 'sounds';
    this.#marks = !readable ? 0 : word.writing === 'poor' ? POOR : READABLE;
    return keysOfQuery(word, joined);
  }

  #addIds(ids: Int32Array | undefined): void {
    if (ids === undefined || this.#idCount + ids.length > MAX_CONSIDERED) return;
    this.#ids.set(ids, this.#idCount);
    this.#idCount += ids.length;
  }

  /** Collects the words filed under the first keys. */
  #read(table: KeyTable, count: number): void {
    const passed = table.mayHold(keys, count, this.#passed);
    const filed = table.findAll(this.#passed, passed, this.#filed);
    const { lists } = table;
    const ids = this.#ids;
    let to = this.#idCount;
    for (let at = 0; at < filed; at += 1) {
      const where = this.#filed[at]!;
      if (where > 0) {
        if (to < MAX_CONSIDERED) ids[to++] = where - 1;
        continue;
      }
      const end = -where + lists[-where]!;
      for (let entry = 1 - where; entry <= end && to < MAX_CONSIDERED; entry += 1) ids[to++] = lists[entry]!;
    }
    this.#idCount = to;
  }

  /** Takes those of the collected words that are alike. */
  #compareAll(): void {
    const records = this.#records;
    const ids = this.#ids;
    const clock = this.#clock;
    let left = 0;
    for (let at = 0; at < this.#idCount; at += 1) {
      const id = ids[at]!;
      const record = id * RECORD;
      if (records[record] === clock) continue;
      records[record] = clock;
      if (this.#cannotBe(record)) {
        this.#likeness[id] = 0;
        continue;
      }
      ids[left++] = id;
    }
    const from = this.count;
    for (let at = 0; at < left; at += 1) {
      const id = ids[at]!;
      const value = this.#compare(id);
      this.#likeness[id] = value;
      if (value === 0 || this.count >= MAX_FOUND) continue;
      this.found[this.count] = id;
      this.foundLikeness[this.count] = value;
      this.count += 1;
    }
    this.#sort(from);
  }

  /** Most words that share a key are nothing alike: the record tells without touching the words themselves. */
  #cannotBe(record: number): boolean {
    const records = this.#records;
    const word = this.#word!;
    const marks = records[record + MARKS]!;
    if (this.#marks === 0 || (marks & (READABLE | POOR)) === 0) return false;
    if ((marks & LETTERS_BITS) === (word.letters & LETTERS_BITS) && word.letters !== 0) return false;
    if (word.group >= 0 && marks >>> GROUP_SHIFT === word.group + 1) return false;
    if ((marks & NICKNAMED) !== 0 && word.nicknameSets.length > 0) return false;
    const mask = records[record + MASK]!;
    const packed = records[record + CLASSES]!;
    const length = packed >>> LENGTH_SHIFT;
    const poor = (marks & POOR) !== 0;
    if (poor === (this.#marks === POOR)) {
      const classes = packed & ((1 << LENGTH_SHIFT) - 1);
      return cannotBeAlike(word.codes.length, word.mask, word.classes, length, mask, classes);
    }
    const longer = Math.max(word.codes.length, length);
    return this.#marks === POOR ? cannotBeRead(word.mask, mask, longer) : cannotBeRead(mask, word.mask, longer);
  }

  #compare(id: number): number {
    const word = this.#word!;
    const marks = this.#records[id * RECORD + MARKS]!;
    const written = marks & (READABLE | POOR);
    const looks =
      this.#marks !== 0 &&
      written !== 0 &&
      ((marks & LETTERS_BITS) !== (word.letters & LETTERS_BITS) || word.letters === 0) &&
      (word.group < 0 || marks >>> GROUP_SHIFT !== word.group + 1) &&
      ((marks & NICKNAMED) === 0 || word.nicknameSets.length === 0);
    const value = looks
      ? mostAlike(
          word.codes,
          this.#letters,
          id * LETTERS_INLINE,
          this.#records[id * RECORD + CLASSES]! >>> LENGTH_SHIFT,
          this.#marks === written ? LATIN_COSTS : this.#marks === POOR ? ABJAD_COSTS : ABJAD_SECOND_COSTS,
        )
      : alike(word, this.words[id]!.spelling);
    return value < this.#least ? 0 : value;
  }

  /** Most alike first, so that a name counts with its best word; insertion sort, the runs are short. */
  #sort(from: number): void {
    const { found, foundLikeness } = this;
    for (let at = from + 1; at < this.count; at += 1) {
      const id = found[at]!;
      const value = foundLikeness[at]!;
      let back = at - 1;
      while (back >= from && foundLikeness[back]! < value) {
        found[back + 1] = found[back]!;
        foundLikeness[back + 1] = foundLikeness[back]!;
        back -= 1;
      }
      found[back + 1] = id;
      foundLikeness[back + 1] = value;
    }
  }

  get bytes(): number {
    return (
      this.#records.byteLength +
      this.#letters.byteLength +
      this.#likeness.byteLength +
      this.#plain.bytes +
      this.#special.bytes
    );
  }
}

function tableOf(words: readonly ListedWord[], special: boolean): KeyTable {
  let count = 0;
  for (const word of words) {
    if (word.special === special) count += keysOfListed(word.spelling, word.joined, word.sameScript);
  }
  const pairs = new Float64Array(count);
  let at = 0;
  words.forEach((word, id) => {
    if (word.special !== special) return;
    const filled = keysOfListed(word.spelling, word.joined, word.sameScript);
    for (let i = 0; i < filled; i += 1) pairs[at++] = (keys[i]! >>> 0) * VALUES + id;
  });
  return new KeyTable(pairs);
}

function idsBy(words: readonly ListedWord[], valuesOf: (word: Spelling) => readonly number[]): Map<number, Int32Array> {
  const ids = new Map<number, number[]>();
  words.forEach(({ spelling, joined }, id) => {
    if (joined) return;
    for (const value of valuesOf(spelling)) {
      const known = ids.get(value);
      if (known === undefined) ids.set(value, [id]);
      else known.push(id);
    }
  });
  return new Map([...ids].map(([value, list]) => [value, Int32Array.from(list)]));
}
