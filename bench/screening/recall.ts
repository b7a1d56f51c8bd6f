/** What the index finds of what comparing with every listed name finds. */
import { readParty, type ScreeningIndex, screenParty } from '../../processors/screening/engine/index.ts';
import { noPool } from '../../processors/screening/engine/name.ts';
import { prepareName } from '../../processors/screening/engine/pair.ts';
import { misspelt, randomFrom, type Slip } from './names.ts';

export interface IndexRecall {
  readonly slip: Slip | typeof WITHOUT_VOWELS;
  readonly queries: number;
  /** Pairs of query and listed name at or above the threshold, by full scan. */
  readonly pairs: number;
  readonly missed: number;
}

/** Names in Arabic script as they are listed, against all listed names, those in Latin script included. */
export const WITHOUT_VOWELS = 'Arabic script, as listed';

export const SLIPS: readonly Slip[] = ['typo', 'transposition', 'transliteration'];

/** Misspells listed names and compares the index with a full scan, pair by pair, at the shipped threshold. */
export function indexRecall(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): IndexRecall[] {
  return SLIPS.map((slip, at) => {
    const random = randomFrom(seed + at);
    const made: string[] = [];
    while (made.length < queries) {
      const name = misspelt(listed[Math.floor(random() * listed.length)]!, slip, random);
      if (name !== undefined) made.push(name);
    }
    return { slip, ...compareWithScan(index, made) };
  });
}

/** The same for some of the listed names that are written without vowels, as they are. */
export function indexRecallWithoutVowels(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): IndexRecall {
  const random = randomFrom(seed);
  const made = Array.from({ length: queries }, () => listed[Math.floor(random() * listed.length)]!);
  return { slip: WITHOUT_VOWELS, ...compareWithScan(index, made) };
}

function compareWithScan(index: ScreeningIndex, names: readonly string[]): Omit<IndexRecall, 'slip'> {
  const { config } = index;
  const partition = index.partitions.person;
  let pairs = 0;
  let missed = 0;
  for (const name of names) {
    for (const query of prepareName({ name }, 'person', config, noPool, true)) {
      const found = new Set<number>();
      partition.search(query, config.threshold, config.weights, (number) => void found.add(number));
      partition.scan(query, config.threshold, config.weights, (number) => {
        pairs += 1;
        if (!found.has(number)) missed += 1;
      });
    }
  }
  return { queries: names.length, pairs, missed };
}

/** Share of misspelt listed names whose own entity alerts. */
export function slipRecall(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): { slip: Slip; recall: number }[] {
  return SLIPS.map((slip, at) => {
    const random = randomFrom(seed + 100 + at);
    let made = 0;
    let found = 0;
    while (made < queries) {
      const original = listed[Math.floor(random() * listed.length)]!;
      const name = misspelt(original, slip, random);
      if (name === undefined) continue;
      made += 1;
      if (screenParty(index, readParty('Person', { name })).hits.length > 0) found += 1;
    }
    return { slip, recall: found / made };
  });
}
