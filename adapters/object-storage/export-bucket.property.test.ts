// An export to object storage that dies at any request, whose answers are lost, or that goes on when another has taken over: what
// the manifests name is there and holds each record once, at any moment; in the end nothing else is there.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportAnalytics } from '../../operations/analytics/export.ts';
import type { ExportManifest } from '../../operations/analytics/ports.ts';
import { ExportWorld, PARTITIONS, TOPIC } from '../../operations/analytics/testing/export-world.ts';
import { isCoded } from '../../ports/fault.ts';
import { times } from '../../test/kit/times.ts';
import { exportBucket } from './export-bucket.ts';
import { MemoryStore } from './testing/memory-store.ts';

const PREFIX = 'some/where/';
const DEATH = new Error('killed');
type Around = <R>(work: () => Promise<R>) => Promise<R>;

class World extends ExportWorld {
  readonly store = new MemoryStore();

  async run(chunkRows: number, around?: Around): Promise<'done' | 'died' | 'busy'> {
    try {
      const folder = exportBucket(this.store.asStore(around), PREFIX);
      await exportAnalytics(this.sources, folder, { format: 'ndjson', chunkRows });
      return 'done';
    } catch (error) {
      if (error === DEATH) return 'died';
      if (isCoded(error) && error.code === 'EXPORT_BUSY') return 'busy';
      throw error;
    }
  }

  manifests(): readonly ExportManifest['chunks'][number][] {
    return Array.from({ length: PARTITIONS }, (_, partition) =>
      this.store.objects.get(`${PREFIX}_manifests/${TOPIC}-p${partition}.json`),
    ).flatMap((bytes) => (bytes ? (JSON.parse(bytes.toString()) as Pick<ExportManifest, 'chunks'>).chunks : []));
  }

  files(): readonly string[] {
    return [...this.store.objects.keys()].filter((key) => !key.includes('_manifests/'));
  }

  /** Ids of the rows in these files. */
  rowsOf(keys: readonly string[]): readonly string[] {
    return keys.flatMap((key) => {
      const lines = this.store.objects.get(key)!.toString().trimEnd().split('\n');
      return lines.map((line) => (JSON.parse(line) as { eventId: string }).eventId);
    });
  }

  /** Each file that is named is there, with as many rows as it says, and no row twice. */
  expectManifestsToHold(): readonly string[] {
    const named = this.manifests().flatMap(({ files }) => files);
    for (const { name, rows } of named) expect(this.rowsOf([`${PREFIX}${name}`])).toHaveLength(rows);
    const rows = this.rowsOf(named.map(({ name }) => `${PREFIX}${name}`));
    expect(new Set(rows).size).toBe(rows.length);
    return rows;
  }

  async expectWhole(): Promise<void> {
    expect(await this.run(7)).toBe('done');
    const all = [...this.ids].toSorted();
    expect(this.expectManifestsToHold().toSorted()).toEqual(all);
    expect(this.rowsOf(this.files()).toSorted()).toEqual(all);
  }
}

/** The process dies at a request: before it reaches the store, or before its answer comes back. */
function dying({ at, after }: { readonly at: number; readonly after: boolean }): Around {
  let step = 0;
  return async (work) => {
    const dies = step++ === at;
    if (dies && !after) throw DEATH;
    const result = await work();
    if (dies) throw DEATH;
    return result;
  };
}

/** Every answer to a write is lost once, and the client asks again. */
const twice: Around = async (work) => {
  await work();
  return work();
};

/** Stands still before its request `at` until it is let go. */
function standing(at: number) {
  const stands = Promise.withResolvers<void>();
  const goes = Promise.withResolvers<void>();
  let step = 0;
  const around: Around = async (work) => {
    if (step++ === at) {
      stands.resolve();
      await goes.promise;
    }
    return work();
  };
  return { around, stands, go: () => goes.resolve() };
}

const kinds = fc.array(fc.nat(59), { minLength: 1, maxLength: 30 });
const chunkRows = fc.integer({ min: 1, max: 20 });

describe('an export to object storage', () => {
  it('has each record once, at whatever requests it dies', async () => {
    const death = fc.record({ at: fc.nat(40), after: fc.boolean() });
    const runs = fc.array(fc.record({ more: kinds, chunkRows, death }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(runs, async (each) => {
        const world = new World();
        for (const { more, chunkRows: rows, death: dies } of each) {
          for (const kind of more) world.put(kind);
          await world.run(rows, dying(dies));
          world.expectManifestsToHold();
        }
        await world.expectWhole();
      }),
      { numRuns: times(30) },
    );
  });

  it('knows its own write again when the answer was lost', async () => {
    const world = new World();
    for (let kind = 0; kind < 30; kind++) world.put(kind);
    expect(await world.run(4, twice)).toBe('done');
    await world.expectWhole();
  });

  it('gives way to one that began later, wherever it stood, and takes nothing of it away', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, kinds, fc.nat(40), chunkRows, chunkRows, async (before, more, at, ours, theirs) => {
        const world = new World();
        for (const kind of before) world.put(kind);
        const { around, stands, go } = standing(at);
        const old = world.run(ours, around);
        await Promise.race([old, stands.promise]);
        for (const kind of more) world.put(kind);
        expect(await world.run(theirs)).toBe('done');
        const then = world.expectManifestsToHold().toSorted();
        expect(then).toEqual([...world.ids].toSorted());
        go();
        expect(['done', 'busy']).toContain(await old);
        expect(world.expectManifestsToHold().toSorted()).toEqual(then);
        await world.expectWhole();
      }),
      { numRuns: times(40) },
    );
  });

  it('is refused by a store that takes what it should refuse', async () => {
    const world = new World();
    world.put(1);
    const honest = world.store.asStore();
    const folder = exportBucket({ ...honest, put: (key, bytes) => honest.put(key, bytes) }, PREFIX);
    await expect(exportAnalytics(world.sources, folder, { format: 'ndjson' })).rejects.toMatchObject({
      code: 'EXPORT_NOT_WRITTEN',
    });
    expect(world.files()).toEqual([]);
  });

  it('does not go on behind a manifest that nobody of ours wrote', async () => {
    const world = new World();
    world.put(1);
    await world.run(5);
    world.store.objects.set(`${PREFIX}_manifests/${TOPIC}-p1.json`, Buffer.from('{"chunks":[]}'));
    await expect(world.run(5)).rejects.toMatchObject({ code: 'EXPORT_OF_ANOTHER' });
  });
});
