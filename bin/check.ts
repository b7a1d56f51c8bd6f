// Every check that needs no server: `npm run check [-- name…]`. Prints a line per check; exits 1 when one fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const bin = (name: string) => path.join(root, 'node_modules', '.bin', name);
const node = (...args: string[]) => [process.execPath, ...args];

/** Top-level folders that hold code, found rather than listed, so that a new one cannot be forgotten. */
const SOURCES = readdirSync(root, { withFileTypes: true })
  .filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !['node_modules', 'docs'].includes(entry.name),
  )
  .map((entry) => entry.name);

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** Says what is wrong with output that exits 0. */
  readonly refuse?: (output: string) => string | undefined;
}

const CHECKS: readonly Check[] = [
  { name: 'types', command: node('node_modules/typescript7/bin/tsc', '--noEmit') },
  { name: 'format', command: [bin('biome'), 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings', '--report-unused-disable-directives'] },
  {
    name: 'imports',
    command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', ...SOURCES],
    // Without a TypeScript compiler API the tool sees nothing and is content.
    refuse: (output) => {
      const modules = Number(/\((\d+) modules/.exec(output)?.[1] ?? 0);
      return modules < 50 ? `only ${modules} modules were seen` : undefined;
    },
  },
  { name: 'unused', command: [bin('knip')] },
  { name: 'generated types', command: node('schemas/generate.ts', '--check') },
  { name: 'schemas', command: node('cli/main.ts', 'schemas', 'check') },
  { name: 'api document', command: node('bin/openapi.ts', '--check') },
  { name: 'generated docs', command: node('bin/docs.ts', '--check') },
  { name: 'lockfile', command: node('bin/fix-lock.mjs', '--check') },
];

const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? CHECKS : CHECKS.filter(({ name }) => wanted.includes(name));
if (chosen.length === 0) {
  console.error(`no such check; there are: ${CHECKS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const check of chosen) {
  const started = Date.now();
  const [file, ...args] = check.command;
  const result = spawnSync(file!, args, { cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  const complaint = result.status === 0 ? check.refuse?.(output) : `exit ${result.status ?? result.signal}`;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${complaint ? 'FAIL' : 'ok  '} ${check.name} (${seconds} s)${complaint ? `: ${complaint}` : ''}`);
  if (!complaint) continue;
  failed++;
  console.log(output.trimEnd());
}
console.log(`checks: ${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
