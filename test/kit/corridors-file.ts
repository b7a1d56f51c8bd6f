// Tables of corridors other than the built-in ones, as files for CORRIDOR_CORRIDORS_FILE.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import type { Corridor } from '../../domain/corridors/corridors.ts';

/** Writes the built-in corridors, changed. @returns the file */
export function corridorsFile(folder: string, change: (corridor: Corridor) => object): string {
  const file = path.join(folder, 'corridors.json');
  const withText = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  writeFileSync(file, JSON.stringify(CORRIDORS.map(change), withText));
  return file;
}
