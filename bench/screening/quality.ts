/** How good the decisions are, on the public labelled cases. */
import { createHash } from 'node:crypto';
import {
  comparePair,
  readParty,
  type ScreeningConfig,
  type ScreeningIndex,
  screenParty,
} from '../../screening/engine/index.ts';
import { casesOf, type LabelledPair, labelledPairs, type Row } from './data.ts';

export interface Quality {
  readonly category: string;
  readonly pairs: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

interface Judged extends LabelledPair {
  readonly score: number;
  readonly said: boolean;
}

function qualityOf(category: string, judged: readonly Judged[]): Quality {
  const hits = judged.filter(({ match, said }) => match && said).length;
  const false_ = judged.filter(({ match, said }) => !match && said).length;
  const missed = judged.filter(({ match, said }) => match && !said).length;
  const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
  return {
    category,
    pairs: judged.length,
    precision: share(hits, hits + false_),
    recall: share(hits, hits + missed),
    f1: share(2 * hits, 2 * hits + false_ + missed),
  };
}

/** Which half of the pairs a pair is in: by a hash of its content, so that nobody chose. */
const half = (pair: LabelledPair): 'a' | 'b' =>
  createHash('sha256')
    .update(`1:${JSON.stringify([pair.query, pair.candidate])}`)
    .digest()[0]! %
    2 ===
  0
    ? 'a'
    : 'b';

/** Precision, recall and F1 over all pairs, by schema and by half. */
export function pairQuality(config: ScreeningConfig): Quality[] {
  const judged = labelledPairs().map((pair): Judged => {
    const { score, match } = comparePair(pair.schema, pair.query, pair.candidate, config);
    return { ...pair, score, said: match };
  });
  const schemas = [...new Set(judged.map(({ schema }) => schema))].sort();
  return [
    qualityOf('all', judged),
    ...schemas.map((schema) =>
      qualityOf(
        schema,
        judged.filter((pair) => pair.schema === schema),
      ),
    ),
    qualityOf(
      'labelled variations',
      judged.filter(({ label }) => label !== undefined),
    ),
    qualityOf(
      'half a',
      judged.filter((pair) => half(pair) === 'a'),
    ),
    qualityOf(
      'half b',
      judged.filter((pair) => half(pair) === 'b'),
    ),
  ];
}

export interface CaseScores {
  readonly file: string;
  readonly qualified: boolean;
  /** Best score of each customer, in the order of the file. */
  readonly scores: readonly number[];
  /** Whether that best score was reached by an entity with an identical or respelt name only (positives). */
  readonly alertRate: number;
}

const FILES = ['positives_un_untreated.csv', 'negatives_global_1k.csv', 'negatives_us_1k.csv'];

const partyOf = (row: Row, qualified: boolean) =>
  readParty(
    'Person',
    qualified
      ? {
          name: row['full_name'],
          birthDate: row['date_of_birth'],
          nationality: row['nationality'],
          gender: row['gender'],
        }
      : { name: row['full_name'] },
  );

/**
 * Every customer of the case files against the lists, with dates and countries and by name alone.
 * @param index with a floor low enough for the curve
 */
export function caseScores(index: ScreeningIndex, threshold: number): CaseScores[] {
  return FILES.flatMap((file) => {
    const rows = casesOf(file);
    return [true, false].map((qualified) => {
      // A positive must be found on the list it is on: hits elsewhere do not count.
      const positive = file.startsWith('positives');
      const scores = rows.map((row) => {
        const { candidates } = screenParty(index, partyOf(row, qualified));
        const counted = positive ? candidates.filter(({ entity }) => entity.source === 'UN') : candidates;
        return counted[0]?.score ?? 0;
      });
      return { file, qualified, scores, alertRate: rateAt(scores, threshold) };
    });
  });
}

export const rateAt = (scores: readonly number[], threshold: number): number =>
  scores.filter((score) => score >= threshold).length / scores.length;
