// The writer of the grains, killed at every step, handed the same twice, with marks that come late and records of strangers:
// the state is that of all rows, and each movement is there once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { laterOf } from '../../domain/transfers/row-order.ts';
import { sealFlaw } from '../../ports/seals.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { CrashPlan } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { ENDINGS } from '../../verify/testing/history.ts';
import { moneyRecordsOf } from './grains.ts';
import { GrainsWorld, LIFECYCLE, rowsOf, TOLERANCE_MS } from './testing/grains-world.ts';

type Placed = { readonly partition: number; readonly row: TransferLifecycle };

const HISTORY = rowsOf(ENDINGS);

function latest(rows: readonly Placed[]): ReadonlyMap<string, TransferLifecycle> {
  const found = new Map<string, TransferLifecycle>();
  for (const { row } of rows) found.set(row.transferId, laterOf(found.get(row.transferId), row));
  return found;
}

const movementsOf = (rows: readonly Placed[]) => rows.flatMap(({ row }) => moneyRecordsOf(row));
const byId = <M extends { readonly movementId: string }>(movements: readonly M[]) =>
  movements.toSorted((a, b) => (a.movementId < b.movementId ? -1 : 1));

async function expectWhole(world: GrainsWorld, rows: readonly Placed[]): Promise<void> {
  expect(await world.states()).toEqual(latest(rows));
  const money = (await world.money()).map(({ value }) => value);
  expect(byId(money)).toEqual(byId(movementsOf(rows)));
}

/** A letter of the nth row of a transfer, put aside when the transfer may have gone on. */
function markOf({ partition, row }: Placed, id: string): Placed {
  const mark = { ...row, eventId: id, state: 'DEAD_LETTERED' as const, eventKind: 'MARK', ended: false };
  return { partition, row: { ...mark, previousOccurredAt: row.occurredAt, reasonCodes: ['PARTIES_SEALED'] } };
}

describe('the grains', () => {
  it('are those of all rows, whatever their writer dies of and whenever', async () => {
    const fault = fc.record({
      point: fc.constantFrom('before-handler' as const, 'before-commit' as const, 'after-commit' as const),
      how: fc.constantFrom('crash' as const, 'redeliver' as const),
      at: fc.nat({ max: 20 }),
    });
    const late = fc.array(fc.record({ of: fc.nat(), after: fc.nat() }), { maxLength: 4 });
    const asked = fc.record({ faults: fc.array(fault, { maxLength: 6 }), batch: fc.integer({ min: 1, max: 9 }), late });
    await fc.assert(
      fc.asyncProperty(asked, async ({ faults, batch, late: marks }) => {
        const rows = [...HISTORY];
        for (const [nth, { of, after }] of marks.entries()) {
          const at = of % HISTORY.length;
          const place = rows.indexOf(HISTORY[at]!) + 1;
          rows.splice(place + (after % (rows.length - place + 1)), 0, markOf(HISTORY[at]!, `mark-${nth}`));
        }
        const left = [...faults];
        let batches = 0;
        const crash: CrashPlan = (point) => {
          if (point === 'before-handler') batches += 1;
          const met = left.findIndex((one) => one.point === point && one.at <= batches);
          return met < 0 ? undefined : left.splice(met, 1)[0]!.how;
        };
        const world = new GrainsWorld({ batch, crash });
        world.append(rows);
        while ((await world.run()) !== undefined);
        await expectWhole(world, rows);
      }),
      { numRuns: 60 },
    );
  });

  it('stand under their keys, on the partition of their rows, sealed', async () => {
    const world = new GrainsWorld();
    world.append(HISTORY);
    await world.run();
    const homes = new Map(HISTORY.map(({ partition, row }) => [row.transferId, partition]));
    for (const topic of ['transfer.state', 'transfer.money'] as const) {
      const values = await world.valuesOf(topic);
      expect(values.length).toBeGreaterThan(0);
      for (const { record, value } of values) {
        expect(record.key?.toString()).toBe(value.transferId);
        expect(record.partition).toBe(homes.get(value.transferId));
        expect(sealFlaw(testRings, topic, record)).toBeUndefined();
      }
    }
  });

  it('sum to zero for each transfer and currency', async () => {
    const world = new GrainsWorld();
    world.append(HISTORY);
    await world.run();
    const sums = new Map<string, bigint>();
    for (const { value } of await world.money()) {
      const key = `${value.transferId} ${value.currency}`;
      sums.set(key, (sums.get(key) ?? 0n) + value.minor);
    }
    expect(sums.size).toBeGreaterThan(4);
    expect(new Set(sums.values())).toEqual(new Set([0n]));
  });

  it('have one record of state for a transfer that moves many times in one batch', async () => {
    const world = new GrainsWorld({ batch: 1_000 });
    world.append(HISTORY);
    await world.run();
    expect(world.log.all('transfer.state')).toHaveLength(latest(HISTORY).size);
  });

  it('pass over what nobody sealed, what is no row, and what stands under another key; the rest goes on', async () => {
    const world = new GrainsWorld({ batch: 3 });
    const [first, ...rest] = HISTORY.filter(({ partition }) => partition === 0);
    world.append([first!]);
    const forged = world.recordOf(0, { ...first!.row, sequence: 99, state: 'REJECTED' });
    world.log.append([
      { ...forged, headers: {} },
      { ...forged, value: Buffer.from('rubbish') },
    ]);
    world.log.appendUnreadable(LIFECYCLE, 0, 'BATCH_CORRUPT');
    world.append(rest);
    await world.run();
    expect(world.passedOver).toEqual(['SEAL_MISSING', 'SEAL_WRONG', 'BATCH_CORRUPT']);
    await expectWhole(world, [first!, ...rest]);
    expect(world.log.committed(`corridor.${ANALYTICS}`, LIFECYCLE, 0)).toBe(world.log.records(LIFECYCLE, 0).length);
  });

  it('stop at what a newer release wrote, behind all that comes before it', async () => {
    const world = new GrainsWorld({ batch: 10 });
    const rows = HISTORY.filter(({ partition }) => partition === 0).slice(0, 4);
    world.append(rows);
    const decode = world.codec.decode.bind(world.codec);
    const newer = { ok: false, kind: 'newer-schema', code: 'NEWER_SCHEMA', detail: 'schema 9' } as const;
    world.codec.decode = (async (topic: never, values: never[]) => {
      const results = await decode(topic, values);
      return topic === LIFECYCLE ? results.map((result, at) => (at === 2 ? newer : result)) : results;
    }) as never;
    const { doneThrough, outputs, then } = await world.handler()(world.batchAt(0, 0, ''));
    expect(then).toMatchObject({ do: 'stop', code: 'NEWER_SCHEMA' });
    expect(doneThrough).toBe(1);
    expect(outputs.some(({ topic }) => topic === 'transfer.state')).toBe(true);
  });

  it('a mark that comes late, to a writer that remembers nothing, does not stand over what came meanwhile', async () => {
    const rows = rowsOf(['completed']);
    const world = new GrainsWorld();
    world.append(rows);
    await world.run();
    const { transferId } = rows[0]!.row;
    world.append([markOf(rows[2]!, 'late')]);
    await world.run();
    expect((await world.states()).get(transferId)!.state).toBe('COMPLETED');
    // Of where it stands now it is the latest.
    world.append([markOf(rows.at(-1)!, 'now')]);
    await world.run();
    expect((await world.states()).get(transferId)!.state).toBe('DEAD_LETTERED');
  });

  it('a true copy of an older row, to a writer that remembers nothing, does not stand over what came meanwhile', async () => {
    for (const at of [0, 1]) {
      const rows = rowsOf(['completed']);
      const world = new GrainsWorld();
      world.append(rows);
      await world.run();
      const { transferId } = rows[0]!.row;
      const money = (await world.money()).length;
      world.clock.advance(600_000);
      // Alone in its batch, twice, by a writer that was just started.
      world.append([rows[at]!, rows[at]!]);
      await world.run();
      expect((await world.states()).get(transferId)).toEqual(rows.at(-1)!.row);
      // A copy of what moved money moves it in the log again; its movements have the ids of before.
      world.append([rows.at(-1)!]);
      await world.run();
      const movements = (await world.money()).map(({ value }) => value.movementId);
      expect(new Set(movements).size).toBe(money);
      expect((await world.states()).get(transferId)).toEqual(rows.at(-1)!.row);
    }
  });

  it('what was found in the log for a copy is remembered: a hundred copies are not a hundred reads', async () => {
    const rows = rowsOf(['completed']);
    const world = new GrainsWorld({ batch: 1 });
    world.append(rows);
    await world.run();
    world.clock.advance(600_000);
    world.append(Array.from({ length: 100 }, () => rows[1]!));
    let reads = 0;
    const reader = world.log.reader();
    const counting = {
      ...reader,
      read: (...asked: Parameters<typeof reader.read>) => {
        reads += 1;
        return reader.read(...asked);
      },
    };
    world.log.reader = () => counting;
    await world.run();
    expect(reads).toBe(1);
    expect((await world.states()).get(rows[0]!.row.transferId)).toEqual(rows.at(-1)!.row);
  });

  it('an older row that is there again does not stand over what came meanwhile', async () => {
    const rows = rowsOf(['completed']);
    const world = new GrainsWorld({ batch: 20 });
    const handle = world.handler();
    const { partition } = rows[0]!;
    world.append(rows);
    const { note } = await handle(world.batchAt(partition, 0, ''));
    world.append([rows[1]!]);
    const { outputs } = await handle(world.batchAt(partition, rows.length, note!));
    expect(outputs.filter(({ topic }) => topic === 'transfer.state')).toEqual([]);
  });
});

describe('watermarks', () => {
  it('follow what was handled, a tolerance behind, at most once a second', async () => {
    const world = new GrainsWorld({ batch: 2 });
    const rows = HISTORY.filter(({ partition }) => partition === 0).slice(0, 6);
    const handle = world.handler();
    let note = '';
    const claims: number[] = [];
    for (let from = 0; from < rows.length; from += 2) {
      world.append(rows.slice(from, from + 2));
      const result = await handle(world.batchAt(0, from, note));
      note = result.note!;
      claims.push(result.outputs.filter(({ topic }) => topic === 'analytics.watermark').length);
      world.log.append(result.outputs);
      world.clock.advance(from === 0 ? 999 : 1_000);
    }
    expect(claims).toEqual([1, 0, 1]);
    const [first, second] = (await world.claims()).map(({ value }) => value);
    const at = world.log.records(LIFECYCLE, 0).map(({ timestamp }) => timestamp);
    expect(first).toMatchObject({ partition: 0, offset: 2, completeUntil: at[1]! - TOLERANCE_MS });
    expect(second).toMatchObject({ partition: 0, offset: 6, completeUntil: at[5]! - TOLERANCE_MS });
  });

  it('tell of a row that comes although its time was claimed', async () => {
    const world = new GrainsWorld();
    world.append(HISTORY);
    world.known.set(0, world.clock.now());
    world.known.set(1, world.clock.now() - 1);
    await world.run();
    const there = world.log.records(LIFECYCLE, 0).map(({ offset }) => offset);
    expect(world.overtaken).toEqual(there);
  });

  it('are claimed of quiet partitions alone, by a clock that was read before', async () => {
    const world = new GrainsWorld();
    world.append(HISTORY);
    expect(await world.quiet()).toEqual([]);
    await world.run();
    const before = world.clock.now();
    const claims = await world.quiet();
    expect(claims).toHaveLength(2);
    for (const { completeUntil, partition, offset } of claims) {
      expect(completeUntil).toBe(before - TOLERANCE_MS);
      expect(offset).toBe(world.log.records(LIFECYCLE, partition).length);
    }
    expect(await world.quiet([1])).toHaveLength(1);
    world.append(HISTORY.filter(({ partition }) => partition === 0).slice(0, 1));
    expect((await world.quiet()).map(({ partition }) => partition)).toEqual([1]);
  });
});
