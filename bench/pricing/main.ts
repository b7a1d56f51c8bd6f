// Prices a second on one core, in processor time of this thread: what else the machine does counts little. `shared`: transfers
// of a batch, which have the legs of one route; `own`: each has legs of its own, as before rates were kept for a route.
import { parseArgs } from 'node:util';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { type PricingTerms, priceOf } from '../../domain/pricing/pricing.ts';
import type { QuotedRate } from '../../domain/pricing/rates.ts';
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

/** Prices a second of processor time. */
function measure(legs: readonly QuotedRate[], isShared: boolean, prices: number): number {
  const before = process.threadCpuUsage();
  for (let n = 0; n < prices; n++) {
    const result = priceOf(termsOf(n, isShared ? legs : [...legs]), CORRIDOR.fees);
    if (!result.ok) throw new Error('a price was refused: nothing is measured');
  }
  const { user, system } = process.threadCpuUsage(before);
  return prices / ((user + system) / 1e6);
}

const middle = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

const figures = Object.entries(ROUTES).map(([route, legs]) => {
  for (const isShared of [true, false]) measure(legs, isShared, PRICES / 10);
  const [shared, own] = [true, false].map((isShared) =>
    middle(Array.from({ length: ROUNDS }, () => measure(legs, isShared, PRICES))),
  ) as [number, number];
  return { route, shared: Math.round(shared), own: Math.round(own), ratio: Number((shared / own).toFixed(2)) };
});
const at = load();
writeResults('pricing', {
  command: `npm run bench -- pricing --prices ${PRICES} --rounds ${ROUNDS}`,
  load: at,
  figures,
});
const rows = figures.map(({ route, shared, own, ratio }) => [route, shared, own, ratio, at]);
const head = ['route', 'prices/s, legs of a route', 'prices/s, legs of their own', 'ratio', 'load'];
writeSection(BENCHMARKS_PAGE, 'pricing', table(head, rows));
