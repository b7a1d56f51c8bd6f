import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import type { ListVersion } from '../../screening/lists/index.ts';
import { parseEuAnnexes, parseOfac, parseUn } from '../../screening/lists/index.ts';

const ROOT = process.env['CORRIDOR_TEST_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');
export const dataPath = (path: string): string => resolve(ROOT, path);

/** @throws Error that says where the public data was looked for */
export function requireData(): void {
  if (existsSync(dataPath('lists'))) return;
  throw new Error(`The public lists are not in ${ROOT}. Set CORRIDOR_TEST_DATA to their folder.`);
}

/** The full OFAC, UN and EU lists of the public data. */
export async function loadLists(): Promise<ListVersion[]> {
  const list = (name: string) => createReadStream(dataPath(`lists/${name}`));
  const annexes = readdirSync(dataPath('lists/eu')).sort();
  return [
    await parseOfac(
      { sdn: list('sdn-2024-05-03.csv'), alt: list('alt-2024-01-08.csv'), add: list('add-2024-01-08.csv') },
      { publicationDate: '2024-05-03' },
    ),
    await parseUn(list('un_consolidated-2026-02-27.xml')),
    await parseEuAnnexes(annexes.map((name) => list(`eu/${name}`))),
  ];
}

export type Row = Readonly<Record<string, string>>;

export const casesOf = (file: string): Row[] =>
  parseCsv(readFileSync(dataPath(`screening-cases/${file}`)), { columns: true }) as Row[];

/** One labelled pair of checks.yml. */
export interface LabelledPair {
  readonly match: boolean;
  readonly schema: string;
  readonly label?: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly candidate: Readonly<Record<string, unknown>>;
}

export const labelledPairs = (): LabelledPair[] =>
  (parseYaml(readFileSync(dataPath('screening-cases/checks.yml'), 'utf8')) as { checks: LabelledPair[] }).checks;
