// What a process knows of controls: what its topic says under the seal of operators, in the order of versions.
import { expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { sealed } from '../../ports/seals.ts';
import type { RuntimeControl } from '../../schemas/types.generated.ts';
import { append, input } from '../../test/kit/harness.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { controlKey } from '../../topics/control-key.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { followedControls } from './followed-controls.ts';

const control = (over: Partial<RuntimeControl> = {}): RuntimeControl => ({
  ...{ kind: 'CORRIDOR', name: 'GB-IN', partition: null, state: 'PAUSED', version: 1, glass: null },
  ...{ changedAt: 1_800_000_000_000, changedBy: 'asha', approvedBy: null, approvalId: null, reason: 'pays twice' },
  ...over,
});
const PLACE = { provider: 'simulator', corridor: 'GB-IN', rail: 'IMPS', homePartition: 2 };

function setUp() {
  const log = new MemoryLog({ partitions: 1 });
  const codec = memoryCodec();
  const metrics = createMetrics();
  const write = (over: Partial<RuntimeControl> = {}, more: object = {}) =>
    append(log, codec, input('runtime.controls', control(over), { partition: 0, ...more }));
  const { controls, host } = followedControls({ log, codec, rings: testRings, logger: silentLogger, metrics });
  return { write, controls, host, metrics };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('holds what was set before the process began, and what is set later as soon as it is read', async () => {
  const { write, controls, host } = setUp();
  write();
  await host.start();
  expect(controls.payoutPause(PLACE)).toMatchObject({
    code: 'PAYOUT_CORRIDOR_PAUSED',
    detail: 'corridor GB-IN was paused by asha at 2027-01-15T08:00:00.000Z: pays twice',
  });
  expect(controls.payoutPause({ ...PLACE, corridor: 'GB-NG' })).toBeUndefined();
  expect(controls.mayPausePayouts).toBe(true);
  write({ state: 'RUNNING', version: 2 });
  await settled();
  expect([controls.payoutPause(PLACE), controls.mayPausePayouts]).toEqual([undefined, false]);
  await host.stop(0);
});

it('knows each kind by what it stops', async () => {
  const { write, controls, host } = setUp();
  await host.start();
  const pauses = {
    PROCESSOR_PAUSED: { kind: 'PROCESSOR', name: 'payout-executor' },
    PROVIDER_PAUSED: { kind: 'PROVIDER', name: 'simulator' },
    RAIL_PAUSED: { kind: 'RAIL', name: 'IMPS' },
  } as const;
  for (const [code, target] of Object.entries(pauses)) {
    write({ ...target, version: 1 });
    await settled();
    expect(controls.payoutPause(PLACE)?.code).toBe(code);
    write({ ...target, state: 'RUNNING', version: 2 });
    await settled();
    expect(controls.payoutPause(PLACE)).toBeUndefined();
  }
  write({ kind: 'PARTITION', name: 'limits', partition: 3 });
  write({ kind: 'PROCESSOR', name: 'screening' });
  write({ kind: 'PARTITION', name: 'payout-executor', partition: 2 });
  await settled();
  expect([0, 3].map((partition) => controls.pauseOf('limits', partition)?.code)).toEqual([
    undefined,
    'PROCESSOR_PAUSED',
  ]);
  expect([0, 3].map((partition) => controls.pauseOf('screening', partition)?.code)).toEqual([
    'PROCESSOR_PAUSED',
    'PROCESSOR_PAUSED',
  ]);
  expect(controls.payoutPause(PLACE)?.code).toBe('PROCESSOR_PAUSED');
  expect(controls.payoutPause({ ...PLACE, homePartition: 1 })).toBeUndefined();
  expect(controls.providerPause('simulator')).toBeUndefined();
  await host.stop(0);
});

it('believes no record without the seal of operators, and no copy of an older one', async () => {
  const { write, controls, host } = setUp();
  await host.start();
  write({ version: 1 });
  write({ version: 2, state: 'RUNNING' });
  write({ version: 3 });
  // A stranger ends the pause, then copies the true end of the one before.
  write({ version: 9, state: 'RUNNING' }, { unsealed: true });
  write({ version: 2, state: 'RUNNING' });
  await settled();
  expect(controls.payoutPause(PLACE)?.code).toBe('PAYOUT_CORRIDOR_PAUSED');
  expect(host.health().tables).toMatchObject([{ unproven: 1, outdated: 1 }]);
  // Of two people at once, who stops it is right: in either order.
  write({ version: 4, state: 'RUNNING' });
  write({ version: 4, state: 'PAUSED' });
  await settled();
  expect(controls.payoutPause(PLACE)).toBeDefined();
  write({ version: 4, state: 'RUNNING' });
  await settled();
  expect(controls.payoutPause(PLACE)).toBeDefined();
  // What this program does not know stops it too.
  write({ version: 5, state: 'UNKNOWN' });
  await settled();
  expect(controls.payoutPause(PLACE)).toBeDefined();
  await host.stop(0);
});

it('shows in health and metrics what is paused, and glass that nobody has reviewed', async () => {
  const { write, host, metrics } = setUp();
  write();
  const glass = { owner: 'asha', reason: 'alone', brokenAt: 1, until: 2 };
  write({ kind: 'GLASS', name: 'g', state: 'BROKEN', glass });
  await host.start();
  expect(host.health().troubles).toMatchObject([
    { dependency: 'CORRIDOR/GB-IN', code: 'PAYOUT_CORRIDOR_PAUSED' },
    { dependency: 'GLASS/g', code: 'GLASS_BROKEN' },
  ]);
  const text = async () => metrics.registry.getSingleMetricAsString('corridor_controls_in_force');
  await expect.poll(text).toContain('{kind="GLASS"} 1');
  write({ kind: 'GLASS', name: 'g', state: 'REVIEWED', version: 2, glass });
  await expect.poll(text).not.toContain('GLASS"} 1');
  expect(host.health().troubles).toHaveLength(1);
  await host.stop(0);
});

it('tells of a pause under a key that is not here, which it cannot honour, until it is set under one that is', async () => {
  const log = new MemoryLog({ partitions: 1 });
  const codec = memoryCodec();
  const metrics = createMetrics();
  const here = keyRing(`next:${'n'.repeat(40)}`);
  const { controls, host } = followedControls({
    ...{ log, codec, logger: silentLogger, metrics },
    rings: { ...testRings, operators: here },
  });
  const write = (over: Partial<RuntimeControl>, operators = testRings.operators) => {
    const value = control(over);
    const record = { topic: 'runtime.controls', partition: 0, key: controlKey(value), headers: {} };
    const { headers } = sealed({ operators }, { ...record, value: codec.encode('runtime.controls', value) });
    append(log, codec, input('runtime.controls', value, { partition: 0, headers: headers as Record<string, string> }));
  };
  write({ state: 'RUNNING' }, here);
  write({ version: 2 });
  await host.start();
  expect(controls.payoutPause(PLACE)).toBeUndefined();
  const shown = () => host.health().troubles?.map(({ dependency, code }) => [dependency, code]);
  expect(shown()).toEqual([['CORRIDOR/GB-IN', 'SEAL_KEY_UNKNOWN']]);
  await expect
    .poll(() => metrics.registry.getSingleMetricAsString('corridor_faults_total'))
    .toContain('code="SEAL_KEY_UNKNOWN"} 1');
  write({ version: 3 }, here);
  await settled();
  expect(controls.payoutPause(PLACE)).toBeDefined();
  expect(shown()).toEqual([['CORRIDOR/GB-IN', 'PAYOUT_CORRIDOR_PAUSED']]);
  await host.stop(0);
});
