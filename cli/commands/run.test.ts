import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

it('waits for a dependency that is missing at the start, says which, and ends when it is told to', async () => {
  const nowhere = '127.0.0.1:1';
  const child = spawn(process.execPath, ['cli/main.ts', 'run', '--processors', 'limits'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
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
  const ended = once(child, 'exit');
  try {
    let named = '';
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes('_UNAVAILABLE')) continue;
      named = line;
      break;
    }
    expect(named).toMatch(/"code":"(MONGO|REGISTRY|KAFKA|REDIS)_UNAVAILABLE"/);
    child.stdout.resume();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
});
