// A part that stops by itself is made anew, later each time; what it waits for is named; stopping it is quick at any moment.

import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, type FaultClass } from '../../ports/fault.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import type { Host, StoppedPart } from '../hosts/host.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { supervise } from './supervisor.ts';

const fault = (code: ErrorCode, faultClass: FaultClass = 'fatal') =>
  new CodedError(code, 'as told', { faultClass, dependency: 'mongo' });
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Behaviour {
  /** Of the first life. */
  readonly lost?: Promise<never>;
  readonly stop?: () => Promise<void>;
}

function setUp(makes: (life: number) => Error | undefined = () => undefined, behaviour: Behaviour = {}) {
  const clock = new ManualClock();
  const standings: StoppedPart[] = [];
  const closed: number[] = [];
  const fails: ((error: unknown) => void)[] = [];
  let life = 0;
  const supervisor = supervise({
    logger: silentLogger,
    metrics: createMetrics(),
    clock,
    random: () => 1,
    onStopped: (standing) => standings.push(standing),
    part: {
      name: 'limits',
      consumes: true,
      async make() {
        const number = life++;
        const error = makes(number);
        if (error) throw error;
        const failed = Promise.withResolvers<never>();
        fails.push(failed.reject);
        const host: Host = {
          name: 'limits',
          failed: failed.promise,
          start: async () => undefined,
          stop: behaviour.stop ?? (async () => undefined),
          health: () => ({ name: 'limits', state: 'running', partitions: [], troubles: [], tables: [] }),
        };
        const resources = [{ name: 'redis', close: async () => void closed.push(number) }];
        return { hosts: [host], resources, ...(number === 0 && behaviour.lost && { lost: behaviour.lost }) };
      },
    },
  });
  return { supervisor, clock, standings, closed, fails, lives: () => life };
}

describe('a supervised part', () => {
  it('is made anew after one second, then twice as long each time, up to five minutes, for ever', async () => {
    const { supervisor, clock, standings, fails, closed } = setUp();
    await supervisor.start();
    for (let stop = 0; stop < 12; stop++) {
      fails.at(-1)!(fault('NEWER_SCHEMA'));
      await settled();
      expect(supervisor.standing()).toMatchObject({ code: 'NEWER_SCHEMA', restarts: stop });
      expect(supervisor.healths()).toMatchObject([{ name: 'limits', state: 'failed' }]);
      clock.advance(300_000);
      await settled();
      expect(supervisor.standing()).toBeUndefined();
    }
    const delays = standings.map(({ nextStartAt, since }) => nextStartAt - since);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * 1_000));
    expect(closed).toHaveLength(12);
    await supervisor.stop(1_000);
  });

  it('begins its delays anew once it has run well', async () => {
    const { supervisor, clock, standings, fails } = setUp();
    await supervisor.start();
    for (let stop = 0; stop < 3; stop++) {
      fails.at(-1)!(fault('NEWER_SCHEMA'));
      await settled();
      clock.advance(20_000);
      await settled();
      clock.advance(3_600_000);
    }
    expect(standings.map(({ nextStartAt, since }) => nextStartAt - since)).toEqual([1_000, 1_000, 1_000]);
    await supervisor.stop(1_000);
  });

  it('does not stand while a dependency is away at its start: it waits, and names it', async () => {
    const { supervisor, clock, standings, lives } = setUp((life) =>
      life < 5 ? fault('MONGO_UNAVAILABLE', 'transient-dependency') : undefined,
    );
    const started = supervisor.start();
    await settled();
    expect(supervisor.healths()).toMatchObject([{ state: 'starting', troubles: [{ dependency: 'mongo' }] }]);
    for (let i = 0; i < 6; i++) {
      clock.advance(15_000);
      await settled();
    }
    await started;
    expect(lives()).toBe(6);
    expect(standings).toEqual([]);
    expect(supervisor.healths()).toMatchObject([{ state: 'running', troubles: [] }]);
    await supervisor.stop(1_000);
  });

  it('counts as started when it stands, so that nobody waits for it', async () => {
    const { supervisor } = setUp(() => fault('OFFSET_MISSING'));
    await supervisor.start();
    const toDo = expect.stringContaining('corridor topics apply');
    expect(supervisor.standing()).toMatchObject({ code: 'OFFSET_MISSING', toDo });
    await supervisor.stop(1_000);
  });

  it('can be stopped while it stands, waits or runs', async () => {
    for (const makes of [
      () => fault('CONFIG_INVALID'),
      () => fault('MONGO_UNAVAILABLE', 'transient-dependency'),
      () => undefined,
    ]) {
      const { supervisor, lives } = setUp(makes);
      void supervisor.start();
      await settled();
      await supervisor.stop(1_000);
      expect(lives()).toBe(1);
    }
  });

  it('is stopped at once while it is being made, and gives back what is made after all', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const closed: string[] = [];
    const supervisor = supervise({
      logger: silentLogger,
      metrics: createMetrics(),
      clock: new ManualClock(),
      onStopped: () => undefined,
      part: {
        name: 'limits',
        consumes: true,
        async make() {
          await promise;
          return { hosts: [], resources: [{ name: 'redis', close: async () => void closed.push('redis') }] };
        },
      },
    });
    const starting = supervisor.start();
    await supervisor.stop(1_000);
    await starting;
    expect(closed).toEqual([]);
    resolve();
    await settled();
    expect(closed).toEqual(['redis']);
  });

  it('is made anew when a client that it was made with is lost, whatever its hosts say', async () => {
    const loss = Promise.withResolvers<never>();
    loss.promise.catch(() => undefined);
    const { supervisor, clock, standings, lives } = setUp(undefined, { lost: loss.promise });
    await supervisor.start();
    loss.reject(fault('MONGO_CLIENT_BROKEN'));
    await settled();
    expect(standings).toMatchObject([
      { code: 'MONGO_CLIENT_BROKEN', toDo: expect.stringContaining('fresh connection') },
    ]);
    clock.advance(1_000);
    await settled();
    expect(lives()).toBe(2);
    await supervisor.stop(1_000);
  });

  it('is made anew although what is left of it never ends', async () => {
    const { supervisor, clock, fails, lives } = setUp(undefined, { stop: () => new Promise(() => undefined) });
    await supervisor.start();
    fails[0]!(fault('NEWER_SCHEMA'));
    await settled();
    expect(supervisor.standing()).toBeUndefined();
    clock.advance(15_000);
    await settled();
    expect(supervisor.standing()).toMatchObject({ code: 'NEWER_SCHEMA' });
    clock.advance(1_000);
    await settled();
    expect(lives()).toBe(2);
    const stopping = supervisor.stop(1_000);
    await settled();
    clock.advance(6_000);
    await stopping;
  });
});
