import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PartitionProgress } from '../../ports/log.ts';
import type { HostHealth } from '../hosts/host.ts';
import { assess } from './liveness.ts';

const limits = { stallAfterMs: 30_000, exitAfterMs: 120_000 };
const NOW = 1_000_000;

function host(progress: Partial<PartitionProgress>, over: Partial<HostHealth> = {}): HostHealth {
  const partition = {
    topic: 'transfer.priced',
    partition: 1,
    position: 5,
    lag: 7,
    lastProgressAt: NOW,
    paused: undefined,
  };
  return {
    name: 'limits',
    state: 'running',
    partitions: [{ ...partition, ...progress }],
    troubles: [],
    tables: [],
    ...over,
  };
}
const pause = { code: 'MONGO_UNAVAILABLE', detail: 'down' } as const;

describe('liveness', () => {
  it('is given while there is progress, or nothing to do, or a declared pause', () => {
    expect(assess([host({})], limits, NOW).ready).toBe(true);
    expect(assess([host({ lag: 0, lastProgressAt: 0 })], limits, NOW).ready).toBe(true);
    const paused = assess([host({ paused: pause, lastProgressAt: 0 })], limits, NOW);
    expect(paused).toEqual({ ready: true, stalled: [], exit: undefined });
  });

  it('is lost for readiness first, then for good', () => {
    expect(assess([host({ lastProgressAt: NOW - 29_999 })], limits, NOW).ready).toBe(true);
    const stalled = assess([host({ lastProgressAt: NOW - 30_000 })], limits, NOW);
    expect(stalled).toMatchObject({
      ready: false,
      exit: undefined,
      stalled: [{ host: 'limits', partition: 1, lag: 7 }],
    });
    const dead = assess([host({}), host({ lastProgressAt: NOW - 120_000 })], limits, NOW);
    expect(dead.exit).toEqual({
      code: 'NO_PROGRESS',
      detail: 'limits made no progress on transfer.priced/1 for 120 s with 7 records waiting',
    });
  });

  it('names the partition that stands, not those that wait for the same answer', () => {
    const at = (partition: number, over: Partial<PartitionProgress>) => host({ partition, lastProgressAt: 0, ...over });
    const unknown = { lag: 1, isEndUnknown: true, topic: 'transfer.accepted' };
    const stands = at(2, { lag: 40, lastProgressAt: NOW - 200_000 });
    const hosts = [at(0, unknown), at(1, unknown), stands, at(3, { lag: 9, lastProgressAt: NOW - 130_000 })];
    expect(assess(hosts, limits, NOW).exit?.detail).toBe(
      'limits made no progress on transfer.priced/2 for 200 s with 40 records waiting',
    );
    expect(assess([at(0, unknown)], limits, NOW).exit?.detail).toBe(
      'limits made no progress on transfer.accepted/0 for 1000 s and the broker does not say where it ends',
    );
  });

  it('is not given before every host runs', () => {
    for (const state of ['new', 'starting', 'draining', 'failed'] as const) {
      expect(assess([host({}, { state })], limits, NOW).ready).toBe(false);
    }
  });
});

describe('the watch on the event loop', () => {
  const module = path.resolve(import.meta.dirname, 'event-loop-watch.ts');
  const run = (code: string, deadlineMs = 300) => {
    const script = `import { watchEventLoop } from '${module}'; const watch = watchEventLoop(${deadlineMs}); ${code}`;
    return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  };

  it('kills a process whose loop is wedged, and says so', async () => {
    const child = run('setTimeout(() => { for (;;); }, 200);');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain('EVENT_LOOP_WEDGED');
  });

  it('lets a busy but turning loop be, and does not keep a process alive', async () => {
    const busy = `const until = Date.now() + 1_500;
      const turn = () => { const end = Date.now() + 100; while (Date.now() < end); if (Date.now() < until) setTimeout(turn); };
      turn();`;
    const [code, signal] = (await once(run(busy, 1_000), 'exit')) as [number | null, string | null];
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });

  it('does not take a process that was stopped and continued for a wedged one', async () => {
    const child = run(`setTimeout(() => process.exit(0), 2_500); process.stdout.write('up');`, 800);
    await once(child.stdout, 'data');
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    child.kill('SIGCONT');
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});
