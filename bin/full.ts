// `npm run test:full`: what is too long for every change. Hours; each step goes on when another has failed.
import { parseArgs } from 'node:util';
import { command, runSteps, type Step, tests } from './steps.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, only: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const CHAOS = 'test/chaos/main.ts';
const seed = values.seed ?? String(Date.now() % 1_000_000);

/** Fifty times the cases of each property: millions for money and state machines. */
const factor = { CORRIDOR_TEST_FACTOR: '50' };

const STEPS: readonly (Step & { readonly id: string })[] = [
  { id: 'checks', ...command('checks', ['bin/check.ts']) },
  { id: 'properties', ...tests('properties, 50 times the cases', ['--project', 'unit', 'property.test'], factor) },
  { id: 'tests', ...tests('tests', []) },
  {
    id: 'contract',
    ...tests(
      'the API against its document, five times the made-up requests',
      ['--project', 'own-servers', 'test/e2e/api-contract'],
      { CORRIDOR_TEST_FACTOR: '5' },
    ),
  },
  {
    id: 'story',
    ...tests(
      'a night on call, with 500 dead letters of 5,000 transfers',
      ['--project', 'own-servers', 'test/e2e/replays-over-http'],
      factor,
    ),
  },
  { id: 'fuzz', ...command('mutated bytes for an hour', ['test/fuzz/main.ts', '--minutes', '60', '--seed', seed]) },
  { id: 'chaos', ...command('crash harness, profile full', [CHAOS, '--profile', 'full', '--seed', seed]) },
  {
    id: 'negative',
    ...command('every negative control', [CHAOS, '--profile', 'ci', '--seed', seed, '--negative', 'all']),
  },
  { id: 'outage', ...command('every dependency away for two minutes', ['test/outage/main.ts', '--seed', seed]) },
  {
    id: 'cluster',
    ...command('crash harness, three brokers', [CHAOS, '--profile', 'ci', '--brokers', '3', '--seed', seed]),
  },
];

if (values.list) {
  for (const { id, name } of STEPS) console.log(`${id.padEnd(12)} ${name}`);
  process.exit(0);
}
const wanted = values.only?.split(',');
const chosen = STEPS.filter(({ id }) => wanted === undefined || wanted.includes(id));
if (chosen.length === 0) {
  console.error(`no such step; there are: ${STEPS.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}
console.log(`seed ${seed}`);
await runSteps(chosen);
