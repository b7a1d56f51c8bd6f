/**
 * Speed, memory and quality of the screening engine against the full public lists. Writes bench/results/screening.json,
 * the curve and the measured sections of docs/screening.md. `--quick`: fewer names, nothing written unless
 * `--write` is given as well. `--keep-speed`: what a busy machine would spoil stays as it was written last.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { buildIndex, DEFAULT_CONFIG, ENGINE_VERSION } from '../../screening/engine/index.ts';
import { percent, table, writeSection } from '../report.ts';
import { type Curve, drawCurves } from './curve.ts';
import { casesOf, loadLists, requireData } from './data.ts';
import { dateRows } from './dates.ts';
import { customerNames, listedNames, listedNamesInArabic, misspelt, randomFrom } from './names.ts';
import { type CaseScores, caseScores, pairQuality, rateAt } from './quality.ts';
import { indexRecall, indexRecallWithoutVowels, ownScriptRecall, slipRecall } from './recall.ts';
import { measure } from './speed.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SEED = 20_260_101;
const quick = process.argv.includes('--quick');
const NAMES = quick ? 10_000 : 60_000;
const RECALL_QUERIES = quick ? 100 : 500;
const CURVE_FLOOR = 0.5;
const DATE_PERSONS = 300;
const keepSpeed = process.argv.includes('--keep-speed');
const RESULTS = resolve(ROOT, 'bench/results/screening.json');

requireData();
const lists = await loadLists();
const heapBefore = memory();
const cpu = process.cpuUsage();
const built = performance.now();
const index = buildIndex(lists, DEFAULT_CONFIG);
const buildMs = performance.now() - built;
const buildCpu = process.cpuUsage(cpu);
const indexMegabytes = (memory() - heapBefore) / 2 ** 20;

/** What is reachable, in bytes. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const random = randomFrom(SEED);
const negatives = [...casesOf('negatives_global_1k.csv'), ...casesOf('negatives_us_1k.csv')];
const persons = listedNames(lists, 'person');
const organisations = listedNames(lists, 'organisation');
const slips = (names: readonly string[]): string[] => {
  const made = new Set<string>();
  while (made.size < NAMES / 4) {
    const name = misspelt(names[Math.floor(random() * names.length)]!, 'typo', random);
    if (name !== undefined) made.add(name);
  }
  return [...made];
};
const speed = {
  'customers, all scripts': measure(index, 'Person', customerNames(negatives, NAMES, random, false)),
  'customers, Latin script': measure(index, 'Person', customerNames(negatives, NAMES, random, true)),
  'listed persons, misspelt (worst case)': measure(index, 'Person', slips(persons)),
  'listed organisations, misspelt (worst case)': measure(index, 'Company', slips(organisations)),
};
const names = lists.reduce((sum, { counts }) => sum + counts.names, 0);
const pairs = pairQuality(DEFAULT_CONFIG);
const wide = buildIndex(lists, { ...DEFAULT_CONFIG, floor: CURVE_FLOOR });
const cases = caseScores(wide, DEFAULT_CONFIG.threshold);
const recall = [
  ...indexRecall(index, persons, RECALL_QUERIES, SEED),
  indexRecallWithoutVowels(index, listedNamesInArabic(lists), RECALL_QUERIES, SEED),
];
const scripts = ownScriptRecall(lists, DEFAULT_CONFIG);
const dates = dateRows(index, lists, DATE_PERSONS);
const found = slipRecall(index, persons, RECALL_QUERIES * 4, SEED);

const curveOf = (name: string, colour: string, qualified: boolean): Curve => {
  const of = (file: string) => cases.filter((scores) => scores.file.startsWith(file) && scores.qualified === qualified);
  const positives = of('positives').flatMap(({ scores }) => scores);
  const others = of('negatives').flatMap(({ scores }) => scores);
  const points = [];
  for (let step = 100; step >= CURVE_FLOOR * 100; step -= 1) {
    const threshold = step / 100;
    points.push({ threshold, recall: rateAt(positives, threshold), alertRate: rateAt(others, threshold) });
  }
  return { name, colour, points };
};
const curves = [curveOf('with dates and countries', '#0b6e4f', true), curveOf('by name only', '#b3541e', false)];

const result = {
  engineVersion: ENGINE_VERSION,
  configHash: index.configHash,
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  loadAverage: loadavg()[0],
  lists: lists.map(({ source, publicationDate, contentHash, counts }) => ({
    source,
    publicationDate,
    contentHash,
    counts,
  })),
  index: {
    names,
    buildMs: Math.round(buildMs),
    buildCpuMs: Math.round((buildCpu.user + buildCpu.system) / 1000),
    megabytes: Math.round(indexMegabytes),
  },
  speed,
  pairs,
  cases: cases.map(({ scores, ...rest }) => ({ ...rest, customers: scores.length })),
  indexRecall: recall,
  slipRecall: found,
  ownScriptRecall: scripts,
  dates,
  curves: curves.map(({ name, points }) => ({ name, points })),
};

const speedTable = table(
  ['names screened', 'names', 'names/s of processor time', 'names/s of wall time', 'p50 µs', 'p99 µs', 'hits'],
  Object.entries(speed).map(([name, s]) => [
    name,
    s.names,
    s.namesPerCpuSecond,
    s.namesPerWallSecond,
    s.p50,
    s.p99,
    s.hits,
  ]),
);
const pairTable = table(
  ['pairs', 'count', 'precision', 'recall', 'F1'],
  pairs.map((q) => [q.category, q.pairs, q.precision.toFixed(3), q.recall.toFixed(3), q.f1.toFixed(3)]),
);
const rate = ({ alertRate }: CaseScores): string => percent(alertRate, 2);
const files = [...new Set(cases.map(({ file }) => file))];
const caseTable = table(
  ['file', 'customers', 'with dates and countries', 'by name only'],
  files.map((file) => {
    const [qualified, plain] = [true, false].map(
      (q) => cases.find((scores) => scores.file === file && scores.qualified === q)!,
    );
    return [file, qualified!.scores.length, rate(qualified!), rate(plain!)];
  }),
);
const percentOf = (share: number | undefined): string => (share === undefined ? '–' : percent(share));
const recallTable = table(
  [
    'slip in a listed name',
    'queries',
    'pairs by full scan',
    'missed by the index',
    'index recall',
    'listed entity alerts',
  ],
  recall.map(({ slip, queries, pairs: all, missed }) => [
    slip,
    queries,
    all,
    missed,
    (1 - missed / Math.max(1, all)).toFixed(4),
    percentOf(found.find((row) => row.slip === slip)?.recall),
  ]),
);
const scriptTable = table(
  ['name of a listed person in', 'names', 'own entity alerts by its Latin names'],
  scripts.map(({ script, names: count, recall: share }) => [script, count, percent(share)]),
);
const dateTable = table(
  [
    'the list gives',
    'persons',
    ...Object.keys(dates[0]!.held).map((years) => `held, ${years} years off`),
    'namesakes held',
  ],
  dates.map(({ kind, persons: count, held, namesakes }) => [
    kind,
    count,
    ...Object.values(held).map((share) => percent(share)),
    percent(namesakes),
  ]),
);
const indexLine =
  `Index over ${names} names of ${lists.map(({ source, counts }) => `${source} (${counts.entities} entities, ${counts.names} names)`).join(', ')}: ` +
  `built in ${result.index.buildCpuMs} ms of processor time (${result.index.buildMs} ms), ${result.index.megabytes} MiB beside the lists. ` +
  `Node ${process.version}, ${result.cpu}, one core of ${result.cores}; load average of the machine while measuring: ${result.loadAverage?.toFixed(1)}.`;

process.stdout.write(
  `${[indexLine, speedTable, pairTable, caseTable, dateTable, recallTable, scriptTable].join('\n\n')}\n`,
);
if (!quick || process.argv.includes('--write')) {
  mkdirSync(resolve(ROOT, 'bench/results'), { recursive: true });
  const { node, cpu: model, cores, loadAverage, index: measuredIndex, speed: measured } = keepSpeed ? before() : result;
  const written = { ...result, node, cpu: model, cores, loadAverage, index: measuredIndex, speed: measured };
  writeFileSync(RESULTS, `${JSON.stringify(written, null, 2)}\n`);
  writeFileSync(resolve(ROOT, 'docs/screening-curve.svg'), drawCurves(curves, DEFAULT_CONFIG.threshold));
  const page = resolve(ROOT, 'docs/screening.md');
  if (!keepSpeed) writeSection(page, 'speed', `${indexLine}\n\n${speedTable}`);
  writeSection(page, 'quality', `${pairTable}\n\n${caseTable}`);
  writeSection(page, 'dates', dateTable);
  writeSection(page, 'recall', recallTable);
  writeSection(page, 'scripts', scriptTable);
}

function before(): typeof result {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as typeof result;
}
