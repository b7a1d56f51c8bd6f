import { expect, it } from 'vitest';
import { pause } from '../../ports/pause.ts';
import { loopingHost } from './background.ts';

const NEVER_MS = 60_000;

it('a loop ends when the host is stopped, and what it used is closed after it', async () => {
  const seen: string[] = [];
  const host = loopingHost({
    name: 'looks',
    async loop(stopping) {
      seen.push('begins');
      await pause(NEVER_MS, stopping);
      seen.push('ends');
    },
    close: async () => void seen.push('closed'),
  });
  await host.start();
  expect(host.health()).toMatchObject({ name: 'looks', state: 'running' });
  await host.stop(NEVER_MS);
  expect(seen).toEqual(['begins', 'ends', 'closed']);
  expect(host.health().state).toBe('stopped');
});

it('a loop that does not end keeps nothing open for longer than it may', async () => {
  const seen: string[] = [];
  const host = loopingHost({
    name: 'stuck',
    loop: () => new Promise(() => undefined),
    close: async () => void seen.push('closed'),
  });
  await host.start();
  await host.stop(0);
  expect(seen).toEqual(['closed']);
});

it('a loop that throws fails its host, which can still be stopped', async () => {
  const bug = new Error('no one caught it');
  const host = loopingHost({ name: 'broken', loop: () => Promise.reject(bug) });
  await host.start();
  await expect(host.failed).rejects.toBe(bug);
  await host.stop(NEVER_MS);
});
