import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Writes down which files of the repository a process has loaded by its end. */
const NOTE_LOADED = `
import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on('exit', () => writeFileSync(process.env.LOADED, loaded.join('\\n')));
`;

/** What is loaded of the repository until the command ends for want of settings. */
function loadedBy(...args: readonly string[]): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'loaded-'));
  const [hook, loaded] = [path.join(folder, 'hook.mjs'), path.join(folder, 'loaded')] as const;
  writeFileSync(hook, NOTE_LOADED);
  expect(() =>
    execFileSync(process.execPath, ['--import', hook, path.join(root, 'cli/main.ts'), ...args], {
      env: { LOADED: loaded },
      stdio: 'pipe',
    }),
  ).toThrow(/CONFIG_INVALID/);
  const base = `${pathToFileURL(root).href}/`;
  const urls = readFileSync(loaded, 'utf8').split('\n');
  return urls.filter((url) => url.startsWith(base)).map((url) => url.slice(base.length));
}

it.each([['run'], ['api']])('a service loads nothing of the development stack: corridor %s', (service) => {
  const loaded = loadedBy(service);
  expect(loaded).toContain(`cli/commands/${service}.ts`);
  expect(loaded.filter((file) => /^(infra|simulator|samples|tools|bench|test|bin|cli\/dev)\//.test(file))).toEqual([]);
});
