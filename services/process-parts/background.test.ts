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

it('a loop that ends by itself fails its host', async () => {
  const host = loopingHost({ name: 'short', loop: async () => undefined });
  await host.start();
  await expect(host.failed).rejects.toThrow('short has ended by itself');
  await host.stop(NEVER_MS);
});

it('what a loop throws when it is to stop is thrown to who stops it, and what it used is closed all the same', async () => {
  const seen: string[] = [];
  const host = loopingHost({
    name: 'unwilling',
    async loop(stopping) {
      await pause(NEVER_MS, stopping);
      throw new Error('not like this');
    },
    close: async () => void seen.push('closed'),
  });
  await host.start();
  await expect(host.stop(NEVER_MS)).rejects.toThrow('not like this');
  expect(seen).toEqual(['closed']);
});
