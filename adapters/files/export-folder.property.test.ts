// An export that dies at any step of any run: in the end each record is in one row of one file, and what the manifest says is so.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { exportAnalytics } from '../../operations/analytics/export.ts';
import type { ExportFolder } from '../../operations/analytics/ports.ts';
import { ExportWorld, PARTITIONS, TOPIC } from '../../operations/analytics/testing/export-world.ts';
import { times } from '../../test/kit/times.ts';
import { exportFolder } from './export-folder.ts';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-export-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

class World extends ExportWorld {
  readonly root = newFolder();

  /** @param dies the step at which the process dies, before or after what the step does; absent: never */
  async run(chunkRows: number, dies?: { readonly at: number; readonly after: boolean }): Promise<boolean> {
    const folder = dies ? mortal(exportFolder(this.root), dies) : exportFolder(this.root);
    try {
      await exportAnalytics(this.sources, folder, { format: 'ndjson', chunkRows });
      return true;
    } catch (error) {
      if (error !== DEATH) throw error;
      return false;
    }
  }

  files(): readonly string[] {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.ndjson') && !name.startsWith('_manifests'));
  }

  rows(): readonly { readonly eventId: string; readonly file: string }[] {
    return this.files().flatMap((file) => {
      const lines = readFileSync(path.join(this.root, file), 'utf8').trimEnd().split('\n');
      return lines.map((line) => ({ eventId: (JSON.parse(line) as { eventId: string }).eventId, file }));
    });
  }
}

const DEATH = new Error('killed');
function mortal(folder: ExportFolder, { at, after }: { readonly at: number; readonly after: boolean }): ExportFolder {
  let step = 0;
  const dying =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const dies = step++ === at;
      if (dies && !after) throw DEATH;
      const result = await work(...args);
      if (dies) throw DEATH;
      return result;
    };
  return {
    manifest: dying(folder.manifest),
    begin: dying(folder.begin),
    add: dying(folder.add),
    write: dying(folder.write),
    removeFrom: dying(folder.removeFrom),
  };
}

const kinds = fc.array(fc.nat(59), { minLength: 1, maxLength: 40 });
const death = fc.record({ at: fc.nat(25), after: fc.boolean() });

describe('an export', () => {
  it('has each record once, whenever it dies, whatever size its chunks have, and however the log grows between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ more: kinds, chunkRows: fc.integer({ min: 1, max: 20 }), death }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (runs) => {
          const world = new World();
          for (const { more, chunkRows, death: dies } of runs) {
            for (const kind of more) world.put(kind);
            await world.run(chunkRows, dies);
          }
          expect(await world.run(7)).toBe(true);
          const rows = world.rows();
          expect(rows.map(({ eventId }) => eventId).toSorted()).toEqual([...world.ids].toSorted());
          for (let partition = 0; partition < PARTITIONS; partition++) {
            const manifest = await exportFolder(world.root).manifest(TOPIC, partition);
            const listed = manifest!.chunks.flatMap(({ files }) => files);
            for (const { name, rows: count } of listed) {
              expect(rows.filter(({ file }) => file === name)).toHaveLength(count);
            }
          }
        },
      ),
      { numRuns: times(30) },
    );
  });

  it('goes on behind a last line of its manifest that was never finished, and cuts it off', async () => {
    const world = new World();
    for (let kind = 0; kind < 12; kind++) world.put(kind);
    await world.run(100);
    appendFileSync(path.join(world.root, '_manifests', `${TOPIC}-p0.ndjson`), '{"from":99,"to":1');
    for (let kind = 0; kind < 6; kind++) world.put(kind);
    await world.run(100);
    expect(new Set(world.rows().map(({ eventId }) => eventId)).size).toBe(world.ids.length);
    expect(world.rows()).toHaveLength(world.ids.length);
  });

  it('keeps what a corridor is called inside the folder', async () => {
    const world = new World();
    world.put(3);
    await world.run(10);
    expect(world.files()).toEqual([
      expect.stringMatching(/^transfer\.lifecycle\/date=.*\/corridor=_none\/p1-0\.ndjson$/),
    ]);
  });

  it('becomes files before large records fill the memory, however many rows a chunk may have', async () => {
    const world = new World();
    for (let n = 0; n < 70; n++) world.put(2, 'x'.repeat(1_048_576));
    await world.run(1_000_000);
    const { chunks } = (await exportFolder(world.root).manifest(TOPIC, 0))!;
    expect(chunks.length).toBeGreaterThan(1);
    expect(world.rows()).toHaveLength(70);
  });

  it.each([0, 1, 2])(
    'takes away files that no manifest speaks of, also when it dies at step %i of doing so',
    async (at) => {
      const world = new World();
      for (let n = 0; n < 4; n++) world.put(2);
      await world.run(100);
      rmSync(path.join(world.root, '_manifests'), { recursive: true });
      await world.run(100, { at, after: true });
      await world.run(100);
      expect(world.rows()).toHaveLength(4);
    },
  );

  it('refuses a folder of another format, of a topic that was made anew, and one that it did not write', async () => {
    const world = new World();
    world.put(0);
    await world.run(10);
    const folder = exportFolder(world.root);
    const again = exportAnalytics(world.sources, folder, { format: 'csv' });
    await expect(again).rejects.toMatchObject({ code: 'EXPORT_OF_ANOTHER' });
    const anew = { ...world.sources, topicIds: new Map([[TOPIC, 'topic-id-2']]) };
    const ofAnother = exportAnalytics(anew, folder, { format: 'ndjson' });
    await expect(ofAnother).rejects.toMatchObject({ code: 'EXPORT_OF_ANOTHER' });
    appendFileSync(path.join(world.root, '_manifests', `${TOPIC}-p0.ndjson`), '{"not":"a chunk"}\n');
    await expect(folder.manifest(TOPIC, 0)).rejects.toMatchObject({ code: 'EXPORT_OF_ANOTHER' });
  });

  it('says when the log has lost what was not exported, and goes on only when it is told to', async () => {
    const world = new World();
    for (let n = 0; n < 9; n++) world.put(2);
    await world.run(100);
    for (let n = 0; n < 9; n++) world.put(2);
    world.log.trim(TOPIC, 0, 14);
    const folder = exportFolder(world.root);
    const gap = exportAnalytics(world.sources, folder, { format: 'ndjson' });
    await expect(gap).rejects.toMatchObject({ code: 'EXPORT_GAP' });
    await exportAnalytics(world.sources, folder, { format: 'ndjson', skipGap: true });
    expect(world.rows()).toHaveLength(9 + 4);
  });

  it('says that a folder cannot be written to, and not what the system says of it', async () => {
    const world = new World();
    world.put(0);
    const folder = exportFolder('/dev/null/nowhere');
    const failed = exportAnalytics(world.sources, folder, { format: 'ndjson' });
    await expect(failed).rejects.toMatchObject({ code: 'EXPORT_NOT_WRITTEN' });
  });
});
