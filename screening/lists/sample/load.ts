// Reads the sample list beside this file, for composition roots and tests.
import { readFile } from 'node:fs/promises';
import type { ListVersion } from '../entity.ts';
import { parseOfac } from '../ofac.ts';

/** The sample list as a list version of source CORRIDOR. @throws ListRefused when the files were damaged */
export async function loadSampleList(): Promise<ListVersion> {
  const read = (name: string) => readFile(new URL(name, import.meta.url));
  const [sdn, alt] = await Promise.all([read('./sdn.csv'), read('./alt.csv')]);
  return parseOfac({ sdn, alt }, { source: 'CORRIDOR', publicationDate: '2026-11-20' });
}

/** The primary names of persons on a list, as one would write them. */
export function listedPersons(version: ListVersion): readonly string[] {
  return version.entities
    .filter((entity) => entity.type === 'person')
    .map(({ names: [name] }) => (name?.given && name.family ? `${name.given} ${name.family}` : name!.full));
}
