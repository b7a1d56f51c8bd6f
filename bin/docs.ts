// Writes the generated parts of the documentation: `npm run docs`; `--check` only says whether they are up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { accessTable } from '../docs/generators/access-table.ts';
import { apiRoutes } from '../docs/generators/api-routes.ts';
import { asyncApi } from '../docs/generators/asyncapi.ts';
import { commandsOnStores, commandsOverApi } from '../docs/generators/command-list.ts';
import { corridorTables, intentBounds, priceExample, ruleTables } from '../docs/generators/corridor-tables.ts';
import { dataContractFiles } from '../docs/generators/data-contract.ts';
import { dataDictionary, presenceTable } from '../docs/generators/data-dictionary.ts';
import { dbtFiles } from '../docs/generators/dbt-package.ts';
import { errorReference } from '../docs/generators/error-codes.ts';
import { auditFindingTable, findingCodes } from '../docs/generators/finding-codes.ts';
import { metricsTable } from '../docs/generators/metrics-table.ts';
import { programKeys } from '../docs/generators/program-keys.ts';
import { settingsTable } from '../docs/generators/settings-table.ts';
import { termsTables } from '../docs/generators/terms-tables.ts';
import { topicCatalogue } from '../docs/generators/topic-catalogue.ts';
import { chainPicture } from '../docs/generators/topology-picture.ts';

const root = path.resolve(import.meta.dirname, '..');

interface Part {
  readonly file: string;
  /** The text between `<!-- generated: name -->` and `<!-- end -->`. */
  readonly name: string;
  readonly generate: () => string;
}

const PARTS: readonly Part[] = [
  { file: 'docs/audit.md', name: 'audit-findings', generate: auditFindingTable },
  { file: 'docs/api.md', name: 'routes', generate: apiRoutes },
  { file: 'docs/commands.md', name: 'commands-over-api', generate: commandsOverApi },
  { file: 'docs/commands.md', name: 'commands', generate: commandsOnStores },
  { file: 'docs/security.md', name: 'access', generate: accessTable },
  { file: 'docs/security.md', name: 'program-keys', generate: programKeys },
  { file: 'README.md', name: 'chain', generate: chainPicture },
  { file: 'docs/architecture.md', name: 'chain', generate: chainPicture },
  { file: 'docs/configuration.md', name: 'settings', generate: settingsTable },
  { file: 'docs/corridors.md', name: 'corridors', generate: corridorTables },
  { file: 'docs/terms.md', name: 'terms', generate: termsTables },
  { file: 'docs/corridors.md', name: 'rules', generate: ruleTables },
  { file: 'docs/corridors.md', name: 'example', generate: priceExample },
  { file: 'docs/corridors.md', name: 'bounds', generate: intentBounds },
  { file: 'docs/data-dictionary.md', name: 'fields', generate: dataDictionary },
  { file: 'docs/data-dictionary.md', name: 'presence', generate: presenceTable },
  { file: 'docs/errors.md', name: 'errors', generate: errorReference },
  { file: 'docs/metrics.md', name: 'metrics', generate: metricsTable },
  { file: 'docs/verify.md', name: 'findings', generate: findingCodes },
  { file: 'docs/topics.md', name: 'topics', generate: topicCatalogue },
];

/** Files that are generated as a whole. */
const FILES: readonly (Omit<Part, 'name'> & { readonly comment?: string })[] = [
  { file: 'docs/contracts/asyncapi.yaml', generate: asyncApi },
  ...dataContractFiles,
  ...dbtFiles,
];
const GENERATED = 'Generated from topics/ and schemas/avro by `npm run generate`; do not edit.\n';

const check = process.argv.includes('--check');
let stale = 0;
for (const { file, generate, comment = '#' } of FILES) {
  const full = path.join(root, file);
  const next = `${comment} ${GENERATED}${generate()}`;
  if (existsSync(full) && readFileSync(full, 'utf8') === next) continue;
  stale++;
  if (check) console.error(`${file} is out of date: run \`npm run docs\` and commit the result.`);
  else {
    writeFileSync(full, next);
    console.log(`wrote ${file}`);
  }
}
for (const { file, name, generate } of PARTS) {
  const full = path.join(root, file);
  const text = readFileSync(full, 'utf8');
  const marked = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(<!-- end -->)`);
  if (!marked.test(text)) {
    console.error(`${file} has no place for "${name}": add <!-- generated: ${name} --> and <!-- end -->`);
    process.exit(1);
  }
  const next = text.replace(marked, (_, start: string, end: string) => `${start}${generate()}\n${end}`);
  if (next === text) continue;
  stale++;
  if (check) console.error(`${file} (${name}) is out of date: run \`npm run docs\` and commit the result.`);
  else {
    writeFileSync(full, next);
    console.log(`wrote ${file} (${name})`);
  }
}
process.exit(check && stale > 0 ? 1 : 0);
