import { expect, it } from 'vitest';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { startUpHost } from './start-up.ts';

/** A clock whose sleeps are over at once; tells what they would have taken. */
function hurried() {
  const slept: number[] = [];
  const clock = {
    now: () => 1_000,
    sleep: async (ms: number) => {
      slept.push(ms);
      await new Promise(setImmediate);
    },
  };
  return { clock, slept };
}

it('waits for what is away, longer each time, says which, and begins when it is back', async () => {
  const { clock, slept } = hurried();
  const named: string[][] = [];
  let failures = 4;
  const host = startUpHost({
    clock,
    logger: silentLogger,
    reach: async () => {
      named.push(host.health().troubles.map(({ dependency }) => dependency));
      if (failures-- > 2) throw dependencyDown('mongo', 'MONGO_UNAVAILABLE', new Error('refused'));
      if (failures >= 0) throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', new Error('refused'));
    },
  });
  await host.start();
  expect(named).toEqual([[], ['mongo'], ['mongo'], ['registry'], ['registry']]);
  expect(slept).toHaveLength(4);
  expect(slept[3]).toBeGreaterThan(slept[0]!);
  expect(host.health()).toMatchObject({ state: 'running', troubles: [] });
});

it('does not wait for what will not pass', async () => {
  const host = startUpHost({
    logger: silentLogger,
    reach: async () => {
      throw new CodedError('SCHEMA_NOT_REGISTERED', 'push first', { faultClass: 'fatal' });
    },
  });
  await expect(host.start()).rejects.toThrow('push first');
  expect(host.health().state).toBe('failed');
});

it('gives up when it is stopped', async () => {
  const host = startUpHost({
    logger: silentLogger,
    reach: async () => {
      throw dependencyDown('mongo', 'MONGO_UNAVAILABLE', new Error('refused'));
    },
  });
  const starting = host.start();
  await host.stop(0);
  await starting;
  expect(host.health().state).toBe('stopped');
});
