// Prices a second on one core, in processor time of this thread: what else the machine does counts little. `shared`: transfers
// of a batch, which have the legs of one route; `own`: each has legs of its own, as before rates were kept for a route; `terms`:
// as `shared`, by the terms that are shipped, chosen for each, with dates.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nationalHolidays } from '../../adapters/calendars/national-holidays.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { type PricingTerms, priceOf, sizeOf } from '../../domain/pricing/pricing.ts';
import type { QuotedRate } from '../../domain/pricing/rates.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { strictJson } from '../../domain/text/strict-json.ts';
import { termsFile } from '../../processors/fx-pricing/terms-file.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';

const { values } = parseArgs({
  options: { prices: { type: 'string', default: '400000' }, rounds: { type: 'string', default: '5' } },
});
const PRICES = Number(values.prices);
const ROUNDS = Number(values.rounds);
const CORRIDOR = CORRIDORS[0]!;

const ROUTES: Readonly<Record<string, readonly QuotedRate[]>> = {
  direct: [{ base: 'GBP', quote: 'INR', rate: '125.2579' }],
  crossed: [
    { base: 'EUR', quote: 'GBP', rate: '0.87058' },
    { base: 'EUR', quote: 'INR', rate: '109.0470' },
  ],
};

const termsOf = (n: number, legs: readonly QuotedRate[]): PricingTerms => {
  const side = n % 2 === 0 ? 'SOURCE' : 'TARGET';
  const currency = side === 'SOURCE' ? 'GBP' : 'INR';
  const amount = { minor: BigInt(100_000 + (n % 50_000)), currency };
  return { side, amount, sourceCurrency: 'GBP', targetCurrency: 'INR', legs, marginBps: CORRIDOR.marginBps };
};

const EXAMPLE = new URL('../../processors/fx-pricing/example-terms.json', import.meta.url);
const BOOK = termBook(termsFile.parse(strictJson(readFileSync(EXAMPLE, 'utf8'))), CORRIDORS, nationalHolidays);
/** Transfers of a batch are priced at one instant. */
const BATCH = 500;
const AT = Date.UTC(2026, 10, 25, 10);
const METHODS = ['ACCOUNT', 'CARD', null] as const;

function byTerms(n: number, legs: readonly QuotedRate[]) {
  const asked = termsOf(n, legs);
  const at = AT + Math.floor(n / BATCH) * 1_000;
  const chosen = BOOK.choose({
    ...{ corridor: CORRIDOR, bearer: 'SHAR', kycTier: null, fundingMethod: METHODS[n % 3]!, declared: [], at },
    sizeMinor: sizeOf(asked),
  });
  const result = priceOf({ ...asked, marginBps: chosen.marginBps }, chosen.fees, chosen.taxes);
  if (BOOK.datesOf(chosen, at) === undefined) throw new Error('no dates: nothing is measured');
  return result;
}

type How = 'shared' | 'own' | 'terms';
const HOWS: readonly How[] = ['shared', 'own', 'terms'];

/** Prices a second of processor time. */
function measure(legs: readonly QuotedRate[], how: How, prices: number): number {
  const before = process.threadCpuUsage();
  for (let n = 0; n < prices; n++) {
    const ofCorridor = () => priceOf(termsOf(n, how === 'shared' ? legs : [...legs]), CORRIDOR.fees);
    const result = how === 'terms' ? byTerms(n, legs) : ofCorridor();
    if (!result.ok) throw new Error('a price was refused: nothing is measured');
  }
  const { user, system } = process.threadCpuUsage(before);
  return prices / ((user + system) / 1e6);
}

const middle = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

const figures = Object.entries(ROUTES).map(([route, legs]) => {
  for (const how of HOWS) measure(legs, how, PRICES / 10);
  const [shared, own, terms] = HOWS.map((how) =>
    middle(Array.from({ length: ROUNDS }, () => measure(legs, how, PRICES))),
  ) as [number, number, number];
  const ratio = Number((shared / own).toFixed(2));
  return { route, shared: Math.round(shared), own: Math.round(own), terms: Math.round(terms), ratio };
});
const at = load();
writeResults('pricing', {
  command: `npm run bench -- pricing --prices ${PRICES} --rounds ${ROUNDS}`,
  load: at,
  figures,
});
const rows = figures.map(({ route, shared, own, terms, ratio }) => [route, shared, own, ratio, terms, at]);
const head = [
  'route',
  'prices/s, legs of a route',
  'prices/s, legs of their own',
  'ratio',
  'by the terms that are shipped',
  'load',
];
writeSection(BENCHMARKS_PAGE, 'pricing', table(head, rows));
