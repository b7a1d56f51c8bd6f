import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

it('ends when a dependency is missing at the start, whatever else is open by then', { timeout: 120_000 }, () => {
  const nowhere = '127.0.0.1:1';
  const { status, stderr } = spawnSync(process.execPath, ['cli/main.ts', 'run', '--processors', 'limits'], {
    cwd: root,
    encoding: 'utf8',
    // A process that hangs instead of ending gets no status.
    timeout: 100_000,
    env: {
      PATH: process.env['PATH'],
      CORRIDOR_ENV: 'development',
      CORRIDOR_STATE_DIR: path.join(root, '.corridor', 'no-such-stack'),
      CORRIDOR_KAFKA_BROKERS: nowhere,
      CORRIDOR_REGISTRY_URL: `http://${nowhere}`,
      MONGODB_URI: `mongodb://${nowhere}`,
      CORRIDOR_REDIS_LIMITS_URL: `redis://${nowhere}`,
      CORRIDOR_REDIS_QUEUE_URL: `redis://${nowhere}/1`,
    },
  });
  expect(stderr).toContain('MONGO_UNAVAILABLE');
  expect(status).toBe(1);
});
