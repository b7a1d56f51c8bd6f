import { globSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { explain, print, printError, printRows, toJson, toJsonLine } from './output.ts';

const HOSTILE = 'Gwen\u001b]0;owned\u0007\u009b2J\u202e\u2066\u200b\ufeff\u2028\ud800';
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

afterEach(() => vi.restoreAllMocks());

function printed(act: () => void): string {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
  act();
  return lines.join('');
}

describe('what is printed', () => {
  it('holds nothing that steers a terminal, whoever wrote it', () => {
    const acts = [
      () => print(HOSTILE),
      () => printError(HOSTILE),
      () => printRows([{ name: HOSTILE, object: { name: HOSTILE } }], ['name', 'object']),
      () => console.log(toJsonLine({ name: HOSTILE })),
    ];
    for (const act of acts) expect(printed(act)).not.toMatch(STEERING);
  });

  it('is cut in a cell', () => {
    expect(printed(() => printRows([{ name: 'x'.repeat(1_000_000) }], ['name'])).length).toBeLessThan(5_000);
  });

  it('is exact as JSON', () => {
    expect(JSON.parse(toJson({ name: HOSTILE, minor: 12n }))).toEqual({ name: HOSTILE, minor: '12' });
  });

  it('goes by way of this file in every command', () => {
    const files = globSync('{cli,services}/**/*.ts').filter(
      (file) => !/output\.ts$|\.test\.ts$|^cli\/dev\/demo\//.test(file),
    );
    expect(files.length).toBeGreaterThan(30);
    const astray = files.filter((file) =>
      /console\.(log|error|warn)\((?!toJson(Line)?\()/.test(readFileSync(file, 'utf8')),
    );
    expect(astray).toEqual([]);
  });
});

it('an answer of another form than is known is said so, without a stack', () => {
  const { error } = z.object({ items: z.array(z.object({ amount: z.string() })) }).safeParse({ items: [{}] });
  const said = explain(error);
  expect(said).toContain('at items/0/amount. Is the API of another version?');
  expect(said).toContain('(API_ANSWER_WRONG)');
  expect(said).not.toMatch(/\n/);
});
