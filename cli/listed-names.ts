// Names on the sample list, for held transfers of the sample feed.
import { readFileSync } from 'node:fs';
import { parseOfac } from '../processors/screening/lists/index.ts';

const SAMPLE_LIST = new URL('../processors/screening/lists/sample/sdn.csv', import.meta.url);

/** Primary names of the listed persons, as the list writes them. */
export async function listedNames(): Promise<readonly string[]> {
  const version = await parseOfac({ sdn: readFileSync(SAMPLE_LIST) }, { source: 'CORRIDOR' });
  return version.entities
    .filter(({ type }) => type === 'person')
    .flatMap(({ names }) => names.filter(({ kind }) => kind === 'primary').map(({ full }) => full));
}
