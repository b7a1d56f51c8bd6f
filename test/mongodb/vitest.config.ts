// Tests on a genuine replica set of three with test commands, which `npm test` cannot start: docs/development.md says how.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/mongodb/**/*.test.ts'],
    env: { CORRIDOR_ENV: 'test', CORRIDOR_UNSAFE_FOR_TESTS: '1' },
    // They do things to one and the same set.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 240_000,
  },
});
