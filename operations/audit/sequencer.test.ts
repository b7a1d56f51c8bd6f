// The sequencer, killed at every step, handed the same twice, with a zombie beside it, and with strangers' records among the
// entries: every entry is in the log once, in the order in which it was written, under checkpoints that fit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIT_SEQUENCER } from '../../processors/topology.ts';
import type { CrashPlan } from '../../test/kit/memory-log.ts';
import { HEADER } from '../../topics/headers.ts';
import { CHECKPOINTS, ENTRIES, LOG } from './names.ts';
import { AuditWorld } from './testing/audit-world.ts';

const GROUP = `corridor.${AUDIT_SEQUENCER}`;

describe('the sequencer', () => {
  it('puts every entry in the log once, whatever it dies of and whenever', async () => {
    const fault = fc.record({
      point: fc.constantFrom('before-handler' as const, 'before-commit' as const, 'after-commit' as const),
      how: fc.constantFrom('crash' as const, 'redeliver' as const),
      at: fc.nat({ max: 12 }),
    });
    const asked = fc.record({
      faults: fc.array(fault, { maxLength: 6 }),
      batch: fc.integer({ min: 1, max: 5 }),
      count: fc.integer({ min: 1, max: 24 }),
      repeats: fc.array(fc.nat({ max: 23 }), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ faults, batch, count, repeats }) => {
        const left = [...faults];
        let batches = 0;
        const crash: CrashPlan = (point) => {
          if (point === 'before-handler') batches += 1;
          const met = left.findIndex((one) => one.point === point && one.at <= batches);
          return met < 0 ? undefined : left.splice(met, 1)[0]!.how;
        };
        const world = new AuditWorld({ batch, crash });
        const records = world.recordsOf(0, count);
        world.log.append(records);
        // A writer that did not hear whether it had written writes again.
        world.log.append(repeats.filter((n) => n < count).map((n) => records[n]!));
        while ((await world.sequence()) !== undefined);
        expect((await world.logged()).map(({ objectId }) => objectId)).toEqual(
          Array.from({ length: count }, (_, n) => `case-${n}`),
        );
        expect(await world.verify()).toMatchObject({ isVerified: true, entries: count, waiting: 0, findings: [] });
      }),
    );
  });

  it('hands entries on byte for byte, under the seal of whoever wrote them', async () => {
    const world = new AuditWorld();
    world.log.append(world.recordsOf(0, 3));
    await world.sequence();
    const written = world.log.records(ENTRIES, 0);
    const logged = world.log.records(LOG, 0);
    expect(logged.map(({ value }) => value)).toEqual(written.map(({ value }) => value));
    expect(logged.map(({ headers }) => headers[HEADER.seal])).toEqual(
      written.map(({ headers }) => headers[HEADER.seal]),
    );
  });

  it('signs a checkpoint with every batch, and none for nothing', async () => {
    const world = new AuditWorld({ batch: 4 });
    const records = world.recordsOf(0, 10);
    world.log.append(records);
    await world.sequence();
    expect(world.log.records(CHECKPOINTS, 0)).toHaveLength(3);
    world.log.append(records.slice(0, 2));
    await world.sequence();
    expect(world.log.records(CHECKPOINTS, 0)).toHaveLength(3);
    expect(world.log.committed(GROUP, ENTRIES, 0)).toBe(12);
  });

  it('that was left behind cannot make anything that would be committed, and another goes on', async () => {
    const world = new AuditWorld({ batch: 4 });
    const zombie = world.handler();
    world.log.append(world.recordsOf(0, 12));
    await zombie(world.batchAt(0, ''));
    await world.sequence();
    // Its transaction is fenced by the broker; its state is not believed by itself either.
    await expect(zombie(world.batchAt(4, 'a1:audit.entries:4:'))).rejects.toMatchObject({
      code: 'AUDIT_STATE_DIFFERS',
    });
    world.log.append(world.recordsOf(12, 14));
    await world.sequence();
    expect(await world.verify()).toMatchObject({ isVerified: true, entries: 14 });
  });

  it.each([
    ['is gone', ''],
    ['is made up', 'a1:audit.entries:3:AAAA'],
    ['is of another topic', 'a1:elsewhere:0:'],
    ['is none', 'x'],
  ])('stops when the state beside its offset %s', async (_, note) => {
    const world = new AuditWorld();
    world.log.append(world.recordsOf(0, 4));
    await world.sequence();
    world.log.append(world.recordsOf(4, 5));
    const admin = await world.log.admin();
    await admin.setOffsets(GROUP, [{ topic: ENTRIES, partition: 0, offset: 4, note }]);
    const handler = world.handler();
    await expect(handler(world.batchAt(4, note))).rejects.toMatchObject({
      code: 'AUDIT_STATE_DIFFERS',
      faultClass: 'fatal',
    });
  });

  it('stops when the log was cut, or has another root than it signed', async () => {
    const world = new AuditWorld();
    world.log.append(world.recordsOf(0, 4));
    await world.sequence();
    world.log.append(world.recordsOf(4, 5));
    const note = world.log.note(GROUP, ENTRIES, 0);
    (world.log.records(LOG, 0) as unknown[]).pop();
    await expect(world.handler()(world.batchAt(4, note))).rejects.toMatchObject({ code: 'AUDIT_STATE_DIFFERS' });
  });

  it('takes nothing that no program has sealed, or that is no entry; it counts it, in an entry of its own', async () => {
    const world = new AuditWorld({ batch: 10 });
    const [good, other, third] = world.recordsOf(0, 3);
    world.log.append([
      good!,
      { ...other!, headers: {} },
      { ...other!, value: third!.value },
      { ...other!, key: 'another' },
      { ...other!, value: null },
    ]);
    world.log.appendUnreadable(ENTRIES, 0, 'BATCH_CORRUPT');
    world.log.append([third!]);
    await world.sequence();
    const logged = await world.logged();
    expect(logged.slice(0, 2).map(({ objectId }) => objectId)).toEqual(['case-0', 'case-2']);
    expect(
      logged.slice(2).map(({ action, outcome, reasonCode, count }) => [action, outcome, reasonCode, count]),
    ).toEqual([
      ['audit.refuse', 'DENIED', 'SEAL_MISSING', 1],
      ['audit.refuse', 'DENIED', 'SEAL_WRONG', 3],
      ['audit.refuse', 'DENIED', 'AUDIT_ENTRY_UNREADABLE', 1],
    ]);
    expect(await world.verify()).toMatchObject({ isVerified: true, entries: 5 });
  });

  it('waits for a schema that is newer than it, and takes what stands before', async () => {
    const world = new AuditWorld({ batch: 10 });
    world.log.append(world.recordsOf(0, 3));
    const handler = world.handler();
    const batch = world.batchAt(0, '');
    const third = batch.records[2]!.value!;
    world.codec.newerIds.add(third.readInt32BE(1));
    const { doneThrough, then } = await handler(batch);
    expect([doneThrough, then]).toMatchObject([undefined, { do: 'pause', code: 'NEWER_SCHEMA' }]);
  });
});
