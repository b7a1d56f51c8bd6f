// Which build this is: a digest of the sources that decide, so that an approval given on one build is void on another.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');
/** Folders whose code has a part in what becomes of a record. */
const DECIDING = 'domain,topics,schemas,ports,screening,processors,payouts,runtime,adapters,services';

let known: string | undefined;

/** 16 hexadecimal digits. The same sources and dependencies give the same; read once. */
export function buildId(): string {
  if (known !== undefined) return known;
  const digest = createHash('sha256');
  const sources = globSync(`{${DECIDING}}/**/*.{ts,avsc,lua}`, { cwd: ROOT }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  for (const file of [...sources.toSorted(), 'package-lock.json']) {
    digest.update(`${file}\n`).update(readFileSync(path.join(ROOT, file)));
  }
  known = digest.digest('hex').slice(0, 16);
  return known;
}
