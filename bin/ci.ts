// The gate behind .ci/run: checks, all tests, and a bounded share of the crash harness.
import { command, runSteps, tests, together } from './steps.ts';

const CHAOS = 'test/chaos/main.ts';
/** Always the same schedule: a gate should not fail for another reason than the change. Other seeds: npm run test:full. */
const seed = '1';

await runSteps([
  command('checks', ['bin/check.ts']),
  // Tests on the shared servers follow one another and wait for much of their time: the others use what they leave.
  together([
    tests('tests on shared servers', ['--project', 'int', '--project', 'e2e']),
    tests('other tests', ['--project', 'unit', '--project', 'own-servers']),
  ]),
  // They wait for most of their time, each in a world of its own.
  together([
    command('crash harness, profile ci', [CHAOS, '--profile', 'ci', '--seed', seed]),
    command('crash harness without the intake claim: it must notice', [
      CHAOS,
      ...['--profile', 'smoke', '--seed', seed, '--negative', 'no-intake-claim'],
    ]),
  ]),
]);
