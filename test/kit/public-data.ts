/**
 * Public lists and labelled cases that tests read but the repository does not hold. They are looked for in
 * CORRIDOR_TEST_DATA, by default in `shared/data` beside the checkout.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe } from 'vitest';

const ROOT = process.env['CORRIDOR_TEST_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');

/** Path of a public file or folder, whether it is there or not. */
export const publicData = (path: string): string => resolve(ROOT, path);

export const hasPublicData = (): boolean => existsSync(publicData('lists'));

/** Whether tests that need the data may run. In CI their absence is a failure, elsewhere one line says why. */
function available(): boolean {
  if (hasPublicData()) return true;
  if (process.env['CI'] === 'true') {
    throw new Error(`The public test data is not in ${ROOT}. Set CORRIDOR_TEST_DATA to its folder.`);
  }
  process.stderr.write(`Skipped: the public test data is not in ${ROOT} (set CORRIDOR_TEST_DATA).\n`);
  return false;
}

/** `describe` for tests that read the public data. */
export const describeWithPublicData: typeof describe | typeof describe.skip = available() ? describe : describe.skip;
