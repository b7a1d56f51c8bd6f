import { describe, expect, it } from 'vitest';
import { routeOf } from './route.ts';

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

  it('takes the file of the token that is typed', () => {
    for (const argv of [
      ['dlq', '--token-file', 'a.json', 'groups'],
      ['dlq', 'groups', '--token-file=a.json'],
    ])
      expect(routeOf(argv, {})).toMatchObject({ argv: ['dlq', 'groups'], tokenFile: 'a.json' });
    expect(() => routeOf(['dlq', '--token-file'], {})).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('is nowhere that a token would go to in clear', () => {
    for (const url of ['http://corridor.internal', 'ftp://a', 'corridor', '', 'https://user:secret@corridor.internal'])
      expect(() => routeOf(['--api', url], {}), url).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    for (const url of ['http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:8080'])
      expect(routeOf(['--api', url], {}).apiUrl).toBe(url);
  });
});
