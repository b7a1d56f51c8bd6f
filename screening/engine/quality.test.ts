import { expect, test } from 'vitest';
import { loadLists } from '../../bench/screening/data.ts';
import { listedNames, listedNamesInArabic } from '../../bench/screening/names.ts';
import { caseScores, pairQuality } from '../../bench/screening/quality.ts';
import { indexRecall, indexRecallWithoutVowels, ownScriptRecall } from '../../bench/screening/recall.ts';
import { describeWithPublicData } from '../../test/kit/public-data.ts';
import { buildIndex, DEFAULT_CONFIG } from './index.ts';

/** Work that takes minutes on a busy machine; this only ends what hangs. */
const HANGS_MS = 3_600_000;

describeWithPublicData('quality on the public cases, at the shipped threshold', () => {
  test('labelled pairs: F1 of at least .90, also on each half', () => {
    const quality = new Map(pairQuality(DEFAULT_CONFIG).map((row) => [row.category, row.f1]));
    expect(quality.get('all')).toBeGreaterThanOrEqual(0.9);
    expect(quality.get('half a')).toBeGreaterThanOrEqual(0.88);
    expect(quality.get('half b')).toBeGreaterThanOrEqual(0.88);
  });

  test('listed customers are found, others do not alert; the index finds what a full scan finds', {
    timeout: HANGS_MS,
  }, async () => {
    const lists = await loadLists();
    const index = buildIndex(lists, DEFAULT_CONFIG);
    for (const { file, qualified, alertRate } of caseScores(index, DEFAULT_CONFIG.threshold)) {
      if (file.startsWith('positives')) expect(alertRate, file).toBeGreaterThanOrEqual(qualified ? 0.98 : 0.95);
      else expect(alertRate, file).toBeLessThanOrEqual(0.01);
    }
    const recall = indexRecall(index, listedNames(lists, 'person'), 25, 7);
    const pairs = recall.reduce((sum, row) => sum + row.pairs, 0);
    const missed = recall.reduce((sum, row) => sum + row.missed, 0);
    expect(pairs).toBeGreaterThan(75);
    expect(1 - missed / pairs).toBeGreaterThanOrEqual(0.999);
    const arabic = indexRecallWithoutVowels(index, listedNamesInArabic(lists), 250, 7);
    expect(arabic.pairs).toBeGreaterThan(1000);
    expect(1 - arabic.missed / arabic.pairs).toBeGreaterThanOrEqual(0.999);
  });

  test('persons are found by their names in Arabic and Cyrillic script although only Latin ones are listed', {
    timeout: HANGS_MS,
  }, async () => {
    const [arabic, cyrillic] = ownScriptRecall(await loadLists(), DEFAULT_CONFIG);
    expect(arabic!.names).toBeGreaterThan(500);
    expect(arabic!.recall).toBeGreaterThanOrEqual(0.88);
    expect(cyrillic!.names).toBeGreaterThan(2000);
    expect(cyrillic!.recall).toBeGreaterThanOrEqual(0.97);
  });
});
