import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { routeOf, tokenOf } from './session.ts';

const API = 'https://corridor.internal';

describe('where a command goes', () => {
  it('is the API where one is named, and the stores where none is or --direct says so', () => {
    expect(routeOf(['dlq', 'groups'], {})).toEqual({ argv: ['dlq', 'groups'], apiUrl: undefined });
    expect(routeOf(['dlq', '--api', API, 'groups'], {})).toEqual({ argv: ['dlq', 'groups'], apiUrl: API });
    expect(routeOf(['dlq', `--api=${API}`], { CORRIDOR_API_URL: 'https://other' }).apiUrl).toBe(API);
    expect(routeOf(['dlq'], { CORRIDOR_API_URL: API }).apiUrl).toBe(API);
    expect(routeOf(['dlq', '--direct'], { CORRIDOR_API_URL: API })).toEqual({ argv: ['dlq'], apiUrl: undefined });
    expect(routeOf(['dlq', '--', '--direct'], { CORRIDOR_API_URL: API }).argv).toEqual(['dlq', '--', '--direct']);
  });

  it('is nowhere that a token would go to in clear', () => {
    for (const url of ['http://corridor.internal', 'ftp://a', 'corridor', '', 'https://user:secret@corridor.internal'])
      expect(() => routeOf(['--api', url], {}), url).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    for (const url of ['http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:8080'])
      expect(routeOf(['--api', url], {}).apiUrl).toBe(url);
  });
});

describe('a token', () => {
  it('comes from the environment or from a file, and is missed', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'token-')), 'token');
    writeFileSync(file, 'abc.def\n');
    expect(tokenOf({ CORRIDOR_TOKEN_FILE: file })).toBe('abc.def');
    expect(tokenOf({ CORRIDOR_TOKEN: 'own', CORRIDOR_TOKEN_FILE: file })).toBe('own');
    expect(() => tokenOf({})).toThrow(expect.objectContaining({ code: 'OPTION_MISSING' }));
    expect(() => tokenOf({ CORRIDOR_TOKEN: 'a\nb' })).toThrow(expect.objectContaining({ code: 'OPTION_MISSING' }));
    expect(() => tokenOf({ CORRIDOR_TOKEN_FILE: `${file}.x` })).toThrow(
      expect.objectContaining({ code: 'FILE_UNREADABLE' }),
    );
  });
});
