import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isAlive, ownIdentity } from '../../ports/process-identity.ts';
import { until } from './probes.ts';
import { endProcesses, ProcessGroup } from './processes.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-processes-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const log = (name: string) => path.join(root, `${name}.log`);
const sh = (script: string) => ({ file: 'sh', args: ['-c', script] });
const withGroup = async (work: (group: ProcessGroup) => Promise<void>) => {
  const group = new ProcessGroup({ detached: false, graceMs: 1_000 });
  try {
    await work(group);
  } finally {
    await group.stop(0);
  }
};
const written = (name: string, text: string) =>
  until(AbortSignal.timeout(10_000), async () => expect(readFileSync(log(name), 'utf8')).toContain(text));

describe('a process of a group', () => {
  test('is the command itself: its id, its output, its exit code', async () => {
    await withGroup(async (group) => {
      const started = await group.start(sh('echo "I am $$"; exit 7'), log('exit'));
      expect(await started.exited).toBe('exit code 7');
      expect(readFileSync(log('exit'), 'utf8')).toBe(`I am ${started.identity.pid}\n`);
      expect(isAlive(started.identity)).toBe(false);
    });
  });

  test('is asked to end, and killed when it does not', async () => {
    await withGroup(async (group) => {
      const polite = await group.start(
        sh('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'),
        log('polite'),
      );
      const deaf = await group.start(sh('trap "" TERM; echo up; while :; do sleep 0.05; done'), log('deaf'));
      await Promise.all([written('polite', 'up'), written('deaf', 'up')]);
      await Promise.all([polite.stop(5_000), deaf.stop(100)]);
      expect(polite.ended).toBe('exit code 0');
      expect(readFileSync(log('polite'), 'utf8')).toContain('bye');
      expect(deaf.ended).toBe('signal SIGKILL');
    });
  });

  test('that is held by SIGSTOP can be stopped', async () => {
    await withGroup(async (group) => {
      const held = await group.start(sh('exec sleep 60'), log('held'));
      held.signal('SIGSTOP');
      await held.stop(2_000);
      expect(held.ended).toBe('signal SIGTERM');
    });
  });

  test('gets the variables it needs besides ours', async () => {
    await withGroup(async (group) => {
      const started = await group.start(
        { ...sh('echo "$CORRIDOR_GIVEN $HOME"'), env: { CORRIDOR_GIVEN: 'x' } },
        log('env'),
      );
      await started.exited;
      expect(readFileSync(log('env'), 'utf8')).toBe(`x ${process.env['HOME']}\n`);
    });
  });
});

test('stopping a group ends all of it', async () => {
  const group = new ProcessGroup({ detached: false, graceMs: 1_000 });
  const all = await Promise.all([1, 2, 3].map((n) => group.start(sh('exec sleep 60'), log(`all-${n}`))));
  expect(all.every(({ identity }) => isAlive(identity))).toBe(true);
  await group.stop(1_000);
  expect(all.some(({ identity }) => isAlive(identity))).toBe(false);
});

test('processes that are not our children are ended by their identity, never by the id alone', async () => {
  await withGroup(async (group) => {
    const one = await group.start(sh('exec sleep 60'), log('one'));
    const stranger = { pid: one.identity.pid, startedAt: 'another time' };
    expect(isAlive(stranger)).toBe(false);
    await endProcesses([stranger], 100);
    expect(isAlive(one.identity)).toBe(true);
    await endProcesses([one.identity], 5_000);
    expect(await one.exited).toBe('signal SIGTERM');
  });
});

test('this process is alive', () => {
  expect(isAlive(ownIdentity())).toBe(true);
});
