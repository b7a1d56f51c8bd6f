// Writes api/v1/openapi.json: `npm run generate`; `--check` only says whether it is up to date and breaks nobody who uses the
// released version; `--release` records the present one as released.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { breakingChanges } from '../api/compatibility.ts';
import { openApiDocument } from '../api/openapi.ts';
import { ROUTES } from '../api/v1/routes.ts';

const folder = path.resolve(import.meta.dirname, '..', 'api', 'v1');
const CURRENT = path.join(folder, 'openapi.json');
const RELEASED = path.join(folder, 'openapi.released.json');
const textOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

const document = await openApiDocument(ROUTES);
const released = textOf(RELEASED);
const breaks = released === undefined ? [] : breakingChanges(JSON.parse(released), JSON.parse(document));
for (const change of breaks) console.error(`breaks clients: ${change}`);
const isStale = textOf(CURRENT) !== document;
if (process.argv.includes('--check')) {
  if (isStale) console.error('api/v1/openapi.json is out of date: run `npm run generate` and commit the result.');
  process.exit(isStale || breaks.length > 0 ? 1 : 0);
}
if (isStale) {
  writeFileSync(CURRENT, document);
  console.log('wrote api/v1/openapi.json');
}
if (process.argv.includes('--release')) {
  if (breaks.length > 0) process.exit(1);
  writeFileSync(RELEASED, document);
  console.log('wrote api/v1/openapi.released.json');
}
