// What survives kill -9, a frozen owner, a dead broker and a lost answer: nothing lost, nothing twice, order kept.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Log } from '../../ports/log.ts';
import { LOG_FAILPOINTS } from '../../ports/log-failpoints.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { createLog } from './log.ts';
import type { CopierPlan } from './testing/copier-plan.ts';
import { Copier, caughtUp, compareCopy, killCopiers } from './testing/copiers.ts';
import { numbered, provision, settled, unique, unsettled } from './testing/topics.ts';

vi.setConfig({ testTimeout: 180_000 });

const servers = useOwnStack('kafka-crash', { ephemeral: true, kinds: ['kafka'], env: {} });
let log: Log;

beforeAll(async () => {
  log = createLog({ brokers: servers.urls.kafkaBrokers, appName: 'crash', clientId: 'crash-test' });
});
afterEach(killCopiers);
afterAll(() => log.close());

const PARTITIONS = 4;

/** Topics and a plan for copiers of their own. */
async function setUp(name: string, extra: Partial<CopierPlan> = {}, partitions = PARTITIONS): Promise<CopierPlan> {
  const consumer = unique(name);
  const plan: CopierPlan = {
    brokers: servers.urls.kafkaBrokers,
    appName: 'crash',
    consumer,
    inputs: [`${consumer}.in`],
    output: `${consumer}.out`,
    maxBatchRecords: 100,
    sessionTimeoutMs: 2_000,
    ...extra,
  };
  await provision(log, `crash.${consumer}`, plan.inputs, [plan.output], partitions);
  return plan;
}

async function feed(plan: CopierPlan, count: number, from = 0, partitions = PARTITIONS): Promise<void> {
  const writer = await log.writer('feed');
  for (let at = from; at < from + count; at += 500) {
    await writer.send(numbered(plan.inputs[0]!, Math.min(500, from + count - at), { from: at, partitions }));
  }
  await writer.close();
}

/** Waits until the group has handled everything, and all that it wrote can be seen. */
async function handledAll(plan: CopierPlan): Promise<void> {
  await caughtUp(log, `crash.${plan.consumer}`, plan.inputs);
  await settled(log, plan.brokers, [plan.output]);
}

async function verified(plan: CopierPlan) {
  await handledAll(plan);
  return compareCopy(log, plan.inputs, plan.output);
}

/** Its transactions were shared by several partitions. */
const hasShared = ({ events }: Copier) => events.some(({ event }) => event === 'shared');
const exactly = (records: number) => ({ records, lost: 0, doubled: 0, disordered: 0 });
const eosFailpoints = LOG_FAILPOINTS.filter((name) => name.startsWith('eos.'));

describe('exactly once', () => {
  test.each(eosFailpoints)(
    'a copier killed at %s leaves nothing lost or doubled, and offset and note of one commit',
    async (at) => {
      const plan = await setUp('killed');
      await feed(plan, 2_000);
      const pass = at === 'eos.after-fence' ? 2 : 3;
      const victim = new Copier({ ...plan, die: { at, pass, how: 'kill' } });
      expect((await victim.exited).signal).toBe('SIGKILL');
      const successor = new Copier(plan);
      expect(await verified(plan)).toEqual(exactly(2_000));
      expect(successor.events.filter(({ event }) => event === 'torn')).toEqual([]);
    },
  );

  test.each(eosFailpoints)('a copier that fails at %s goes on by itself', async (at) => {
    const plan = await setUp('failing');
    await feed(plan, 2_000);
    const copier = new Copier({ ...plan, die: { at, pass: 3, how: 'throw' } });
    expect(await verified(plan)).toEqual(exactly(2_000));
    expect(copier.alive).toBe(true);
  });

  test('records whose transaction has no end yet are told from lost ones', async () => {
    const plan = await setUp('unsettled', { transactionTimeoutMs: 60_000 });
    await feed(plan, 2_000);
    const frozen = new Copier({ ...plan, die: { at: 'eos.after-send', pass: 3, how: 'stop' } });
    expect(await frozen.saw(({ event }) => event === 'failpoint')).toBe(true);
    const open = await unsettled(log, plan.brokers, [plan.output]);
    expect(open).toBeGreaterThan(0);
    const seen = await compareCopy(log, plan.inputs, plan.output);
    expect(seen.lost).toBeGreaterThanOrEqual(open);
    frozen.signal('SIGCONT');
    expect(await verified(plan)).toEqual(exactly(2_000));
    expect(await unsettled(log, plan.brokers, [plan.output])).toBe(0);
  });

  test('five kills and a broker kill at random moments of 20,000 records', async () => {
    const plan = await setUp('soak');
    const feeding = (async () => {
      for (let at = 0; at < 20_000; at += 500) {
        await feed(plan, 500, at);
        await sleep(100);
      }
    })();
    let copier = new Copier(plan);
    for (const victim of ['copier', 'copier', 'broker', 'copier', 'copier', 'copier']) {
      expect(await copier.ready()).toBe(true);
      await sleep(200 + Math.random() * 800);
      if (victim === 'copier') {
        await copier.kill();
        copier = new Copier(plan);
        continue;
      }
      await servers.stack.kill('kafka');
      await sleep(1_000 + Math.random() * 2_000);
      await servers.stack.restart('kafka');
    }
    await feeding;
    expect(await verified(plan)).toEqual(exactly(20_000));
    expect(copier.alive).toBe(true);
  });

  test('an owner frozen in mid-transaction commits nothing when it wakes up in another generation', async () => {
    const plan = await setUp('zombie');
    await feed(plan, 4_000);
    const zombie = new Copier({ ...plan, die: { at: 'eos.after-send-offsets', pass: 5, how: 'stop' } });
    expect(await zombie.saw(({ event }) => event === 'failpoint')).toBe(true);
    const heir = new Copier(plan);
    await caughtUp(log, `crash.${plan.consumer}`, plan.inputs);
    await feed(plan, 2_000, 4_000);
    zombie.signal('SIGCONT');
    expect(await verified(plan)).toEqual(exactly(6_000));
    expect([zombie.alive, heir.alive]).toEqual([true, true]);
  });

  test('an owner frozen in a transaction of several partitions delays none of its heirs', async () => {
    const plan = await setUp('joint-zombie', { together: 4 });
    await feed(plan, 4_000);
    const zombie = new Copier({ ...plan, die: { at: 'eos.after-send-offsets', pass: 4, how: 'stop' } });
    expect(await zombie.saw(({ event }) => event === 'failpoint')).toBe(true);
    expect(hasShared(zombie)).toBe(true);
    const heirs = [new Copier(plan), new Copier(plan)];
    await caughtUp(log, `crash.${plan.consumer}`, plan.inputs);
    await feed(plan, 2_000, 4_000);
    zombie.signal('SIGCONT');
    expect(await verified(plan)).toEqual(exactly(6_000));
    expect([zombie, ...heirs].map(({ alive }) => alive)).toEqual([true, true, true]);
    expect(heirs.flatMap((heir) => heir.faults())).not.toContain('HANGING_TRANSACTION');
  });

  test.each(eosFailpoints.slice(1))('a copier killed at %s in a transaction of several partitions', async (at) => {
    const plan = await setUp('joint-killed', { together: 4 });
    await feed(plan, 2_000);
    const victim = new Copier({ ...plan, die: { at, pass: 4, how: 'kill' } });
    expect((await victim.exited).signal).toBe('SIGKILL');
    expect(hasShared(victim)).toBe(true);
    new Copier(plan);
    new Copier(plan);
    expect(await verified(plan)).toEqual(exactly(2_000));
  });

  test('two copiers frozen in turn hand partitions over and back', async () => {
    const plan = await setUp('frozen');
    const copiers = [new Copier(plan), new Copier(plan)];
    await Promise.all(copiers.map((copier) => copier.ready()));
    let fed = 0;
    for (const copier of [...copiers, ...copiers]) {
      await feed(plan, 1_000, fed);
      fed += 1_000;
      copier.signal('SIGSTOP');
      await feed(plan, 1_000, fed);
      fed += 1_000;
      await sleep(3_000);
      copier.signal('SIGCONT');
    }
    expect(await verified(plan)).toEqual(exactly(fed));
    expect(copiers.map(({ alive }) => alive)).toEqual([true, true]);
  });
});

describe('at least once, with records put aside', () => {
  const EVERY = 301;
  /** Every 301st record, in turn of each partition, is put aside, so that most batches commit plainly: what a sink with few faults does. */
  const aside = { delivery: 'at-least-once', every: EVERY } as const;

  /** How many records were put aside how often, once the group has handled everything. */
  async function putAside(plan: CopierPlan, fed: number) {
    await handledAll(plan);
    const counts = new Map<string, number>();
    const reader = log.reader();
    await reader.read(await reader.offsets([plan.output]), ({ records }) => {
      for (const { key } of records) counts.set(String(key), (counts.get(String(key)) ?? 0) + 1);
    });
    const wanted = Array.from({ length: Math.ceil(fed / EVERY) }, (_, index) => `k${index * EVERY}`);
    const lost = wanted.filter((key) => !counts.has(key)).length;
    const doubled = [...counts.values()].filter((count) => count > 1).length;
    return { records: counts.size, lost, doubled };
  }
  const once = (fed: number) => ({ records: Math.ceil(fed / EVERY), lost: 0, doubled: 0 });

  test.each(LOG_FAILPOINTS)('a copier killed at %s puts each aside once', async (at) => {
    const plan = await setUp('aside', aside);
    await feed(plan, 2_400);
    const victim = new Copier({ ...plan, die: { at, pass: 2, how: 'kill' } });
    expect((await victim.exited).signal).toBe('SIGKILL');
    new Copier(plan);
    expect(await putAside(plan, 2_400)).toEqual(once(2_400));
  });

  test.each(LOG_FAILPOINTS)('a copier that fails at %s goes on by itself', async (at) => {
    const plan = await setUp('aside-failing', aside);
    await feed(plan, 2_400);
    const copier = new Copier({ ...plan, die: { at, pass: 2, how: 'throw' } });
    expect(await putAside(plan, 2_400)).toEqual(once(2_400));
    expect(copier.alive).toBe(true);
  });

  test.each(['eos.after-fence', 'eos.after-send', 'eos.after-send-offsets'] as const)(
    'an owner frozen at %s puts nothing aside when it wakes up in another generation',
    async (at) => {
      const plan = await setUp('aside-zombie', aside);
      await feed(plan, 2_400);
      const zombie = new Copier({ ...plan, die: { at, pass: 2, how: 'stop' } });
      expect(await zombie.saw(({ event }) => event === 'failpoint')).toBe(true);
      const heir = new Copier(plan);
      await caughtUp(log, `crash.${plan.consumer}`, plan.inputs);
      await feed(plan, 1_200, 2_400);
      zombie.signal('SIGCONT');
      expect(await putAside(plan, 3_600)).toEqual(once(3_600));
      expect([zombie.alive, heir.alive]).toEqual([true, true]);
    },
  );

  test('control: with the offset outside the transaction a kill between the two puts records aside again', async () => {
    const plan = await setUp('aside-unsafe', { ...aside, unsafe: { offsetsOutsideTransaction: true } });
    await feed(plan, 2_400);
    const victim = new Copier({ ...plan, die: { at: 'eos.after-commit', pass: 2, how: 'kill' } });
    await victim.exited;
    new Copier(plan);
    expect((await putAside(plan, 2_400)).doubled).toBeGreaterThan(0);
  });
});

describe('negative controls: without a guarantee the comparison must fail', () => {
  test('offsets outside the transaction double a batch', async () => {
    const plan = await setUp('unsafe-offsets', { unsafe: { offsetsOutsideTransaction: true } });
    await feed(plan, 2_000);
    const victim = new Copier({ ...plan, die: { at: 'eos.after-commit', pass: 3, how: 'kill' } });
    await victim.exited;
    new Copier(plan);
    expect((await verified(plan)).doubled).toBeGreaterThan(0);
  });

  test('without fencing a frozen owner commits what another has done', async () => {
    // Frozen before it sends anything: an open transaction would keep its offsets from being read by the other.
    const extra = { unsafe: { noFencing: true }, transactionTimeoutMs: 60_000 };
    const plan = await setUp('unsafe-fencing', extra, 1);
    await feed(plan, 2_000, 0, 1);
    const zombie = new Copier({ ...plan, die: { at: 'eos.before-send', pass: 3, how: 'stop' } });
    expect(await zombie.saw(({ event }) => event === 'failpoint')).toBe(true);
    const heir = new Copier(plan);
    await caughtUp(log, `crash.${plan.consumer}`, plan.inputs);
    zombie.signal('SIGCONT');
    await expect.poll(async () => (await verified(plan)).doubled, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(heir.alive).toBe(true);
  });
});
