// `npm run bench -- NAME [options]`: every benchmark by name. Figures are written to docs and bench/results by the command.
const BENCHMARKS: Readonly<Record<string, () => Promise<unknown>>> = {
  pipeline: () => import('./pipeline/main.ts'),
  idle: () => import('./idle/main.ts'),
  copy: () => import('./copy/main.ts'),
  stores: () => import('./stores/main.ts'),
  screening: () => import('./screening/main.ts'),
  verify: () => import('./verify/main.ts'),
  submissions: () => import('./submissions/main.ts'),
  pricing: () => import('./pricing/main.ts'),
  'dead-letters': () => import('./dead-letters/main.ts'),
  analytics: () => import('./analytics/main.ts'),
  beside: () => import('./beside/main.ts'),
  limits: () => import('./limits/main.ts'),
  backtest: () => import('./backtest/main.ts'),
  'backtest-stages': () => import('./backtest/stages.ts'),
  webhooks: () => import('./webhooks/main.ts'),
  'limit-shards': () => import('./limit-shards/main.ts'),
};

const [name, ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name ?? ''];
if (benchmark === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [options]`);
  process.exit(2);
}
// Each reads its own options.
process.argv.splice(2, process.argv.length - 2, ...args);
await benchmark();
