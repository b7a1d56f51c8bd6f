import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/kit/longest-first.ts';

/** More cases take more time (test/kit/times.ts). */
const factor = Math.max(1, Number(process.env['CORRIDOR_TEST_FACTOR'] ?? '1'));
/** test/mongodb needs a replica set that nothing here can start; it has a configuration of its own. */
const everywhere = ['**/node_modules/**', '**/.corridor/**', 'test/mongodb/**'];

/** Files with tests that talk to real servers. */
const onServers = ['**/*.int.test.ts', 'test/e2e/**/*.test.ts', 'test/crash/**/*.test.ts'];
/** Those of them that start servers of their own: they say nothing of the shared stack. */
const onOwnServers = globSync(onServers, { exclude: everywhere }).filter(
  (file) => !readFileSync(file, 'utf8').includes("inject('stack')"),
);

/** Tests on the shared stack meet each other's topics and documents, so their files run one after another. */
const onTheStack = {
  globalSetup: ['test/kit/global-setup.ts'],
  fileParallelism: false,
  // For a machine that is busy with something else; what is waited for is waited for, not timed.
  testTimeout: 120_000,
  hookTimeout: 240_000,
};

export default defineConfig({
  test: {
    reporters: ['default'],
    sequence: { sequencer: LongestFirst },
    // Failpoints and switches that take guarantees away work in tests; a production process refuses them.
    env: { CORRIDOR_ENV: 'test', CORRIDOR_UNSAFE_FOR_TESTS: '1' },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts', '**/*.property.test.ts'],
          exclude: [...everywhere, '**/*.int.test.ts', 'test/e2e/**', 'test/crash/**'],
          // A machine that is busy is no reason to fail.
          testTimeout: 120_000 * factor,
          // The first hook of a file loads what the others find loaded.
          hookTimeout: 240_000,
          // Vitest would leave one core to itself, which is half of a machine of two.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...onTheStack,
          name: 'int',
          include: ['**/*.int.test.ts'],
          exclude: [...everywhere, 'test/e2e/**', 'test/crash/**', ...onOwnServers],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...onTheStack,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/crash/**/*.test.ts'],
          exclude: [...everywhere, ...onOwnServers],
          testTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'own-servers',
          include: onOwnServers,
          // They wait more than they work: two at a time.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
