// Files that tools and people of other houses expect, held to what they repeat.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const settings = JSON.parse(read('package.json')) as {
  readonly license: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

test('.nvmrc names the Node that is pinned for every platform', () => {
  expect(new Set(Object.values(settings.optionalDependencies))).toEqual(new Set([read('.nvmrc').trim()]));
});

test('LICENSE is the text that package.json names', () => {
  expect(settings.license).toBe('Apache-2.0');
  expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
});

test('.editorconfig says what biome formats', () => {
  const { formatter } = JSON.parse(read('biome.json')) as {
    readonly formatter: { readonly indentStyle: string; readonly indentWidth: number; readonly lineWidth: number };
  };
  const said = Object.fromEntries(
    read('.editorconfig')
      .split('[*.')[0]!
      .split('\n')
      .filter((line) => line.includes(' = '))
      .map((line) => line.split(' = ') as [string, string]),
  );
  expect(said).toMatchObject({
    indent_style: formatter.indentStyle,
    indent_size: String(formatter.indentWidth),
    max_line_length: String(formatter.lineWidth),
  });
});

test('templates and settings of GitHub can be parsed', () => {
  const templates = readdirSync(path.join(ROOT, '.github/ISSUE_TEMPLATE'));
  for (const file of [...templates.map((name) => `ISSUE_TEMPLATE/${name}`), 'dependabot.yml']) {
    expect(parse(read(`.github/${file}`)), file).toBeTypeOf('object');
  }
});

/** Links of a page to files of the repository, without what follows `#`. */
function linksOf(page: string): readonly string[] {
  return [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!.split('#')[0]!)
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

test('links of the documentation lead to files that exist', () => {
  const pages = ['docs', 'docs/adr', '.'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.posix.join(folder, name)),
  );
  const dead = pages.flatMap((page) =>
    linksOf(page)
      .filter((target) => !existsSync(path.join(ROOT, path.dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(dead).toEqual([]);
});
