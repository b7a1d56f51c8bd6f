/** Writes the measured sections of docs/screening.md between their markers. */
import { readFileSync, writeFileSync } from 'node:fs';

/** @throws Error when the page has no such markers */
export function writeSection(page: string, section: string, content: string): void {
  const text = readFileSync(page, 'utf8');
  const begin = `<!-- bench:${section} -->`;
  const end = `<!-- /bench:${section} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no section ${begin} … ${end}.`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n${content.trim()}\n${text.slice(to)}`);
}

export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;
