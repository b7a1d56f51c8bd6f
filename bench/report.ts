// Where figures go: sections of documentation between markers, and JSON beside them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
export const RESULTS = path.join(ROOT, 'bench', 'results');
export const BENCHMARKS_PAGE = path.join(ROOT, 'docs', 'benchmarks.md');

/**
 * Writes a measured section of a page between its markers.
 * @throws Error when the page has no such markers
 */
export function writeSection(page: string, section: string, content: string): void {
  const text = readFileSync(page, 'utf8');
  const begin = `<!-- bench:${section} -->`;
  const end = `<!-- /bench:${section} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no section ${begin} … ${end}.`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n${content.trim()}\n${text.slice(to)}`);
}

/** Writes figures to bench/results/NAME.json. */
export function writeResults(name: string, figures: unknown): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
}

export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;

/** What else the machine was doing: the mean number of runnable threads over the last minute. */
export const load = (): number => Number(loadavg()[0]!.toFixed(1));
