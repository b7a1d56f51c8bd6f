// `npm run fuzz`: feeds mutated bytes to everything that reads foreign bytes, until the time is over or a case fails.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const CASES_AT_ONCE = 2_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
    cases: { type: 'string', default: String(CASES_AT_ONCE) },
  },
});
const unknown = values.target.find((target) => TARGETS[target] === undefined);
if (unknown !== undefined) {
  console.error(`no target ${unknown}; there are: ${Object.keys(TARGETS).join(', ')}`);
  process.exit(2);
}
const first = Number(values.seed ?? Date.now() % 1_000_000_000);
const cases = Number(values.cases);
const until = performance.now() + Number(values.minutes) * 60_000;
let seed = first;
do {
  for (const target of values.target) await fuzz(target, seed, cases);
  seed += cases;
} while (performance.now() < until);
console.log(`seeds ${first} to ${seed - 1} of ${values.target.join(', ')}: nothing found`);
