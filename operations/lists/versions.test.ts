import { expect, it } from 'vitest';
import { entitiesHashOf } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { versionIdOf } from '../../screening/versions/version.ts';
import { memoryLists } from '../../test/kit/memory-screening.ts';
import { activateVersion, importVersion } from './import-and-activate.ts';
import { compareVersions, listVersions, showVersion, statusOf } from './versions.ts';

it('tells which versions there are, which is in force, and what changed', async () => {
  const store = memoryLists();
  const sample = await loadSampleList();
  const [first, second, ...others] = sample.entities;
  const changed = { ...second!, names: second!.names.slice(0, 1), countries: ['KP'] };
  const entities = [changed, ...others, { ...first!, id: `${sample.source}:new` }];
  const hashes = { contentHash: 'd'.repeat(64), entitiesHash: entitiesHashOf(entities) };
  const next = { ...sample, entities, ...hashes, publicationDate: '2026-11-24' };
  const terms = { by: 'amara', now: 7, forTrials: true };
  for (const version of [sample, next]) await importVersion(store, version, terms);
  await activateVersion(store, async () => undefined, versionIdOf(sample), terms);
  expect((await listVersions(store, { limit: 9 })).map(({ status, inForceSince }) => [status, inForceSince])).toEqual([
    ['IMPORTED', undefined],
    ['IN FORCE', 7],
  ]);
  expect((await showVersion(store, versionIdOf(sample))).activation).toMatchObject({ activatedBy: 'amara' });
  expect((await showVersion(store, versionIdOf(next))).activation).toBeUndefined();
  const changes = await compareVersions(store, versionIdOf(sample), versionIdOf(next));
  expect(changes.map(({ what, entity }) => [what, entity.id])).toEqual([
    ['added', `${sample.source}:new`],
    ['removed', first!.id],
    ['changed', second!.id],
  ]);
});

it('what nobody sealed is told so, before anything else', () => {
  const activation = { published: true, isSealed: false } as never;
  expect(statusOf({ isSealed: false }, activation)).toBe('NOT SEALED');
  expect(statusOf({ isSealed: true }, activation)).toBe('ACTIVATION NOT SEALED');
  expect(statusOf({ isSealed: true }, { published: false, isSealed: true } as never)).toBe('UNPUBLISHED');
});

it('the first version of a source takes another person than its importer, or a broken glass, but in a trial', async () => {
  const sample = await loadSampleList();
  const versionId = versionIdOf(sample);
  const put = async (more: Partial<Parameters<typeof activateVersion>[3]>) => {
    const store = memoryLists();
    await importVersion(store, sample, { by: 'amara', now: 7 });
    return activateVersion(store, async () => undefined, versionId, { by: 'amara', now: 8, ...more });
  };
  await expect(put({})).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  await expect(put({ by: 'ＡMARA ' })).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  for (const more of [{ by: 'bela' }, { forTrials: true }, { underGlass: true }]) {
    expect(await put(more)).toMatchObject({ changed: true });
  }
});
