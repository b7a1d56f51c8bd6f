import { expect, it } from 'vitest';
import { keyRing } from '../domain/seals/seal.ts';
import { BOOK } from '../test/kit/builders.ts';
import { checkFeedKeys } from './feed-keys.ts';

const SECRET = 'a-secret-of-at-least-32-characters-0';
const ring = (...ids: string[]) => keyRing(ids.map((id) => `${id}:${SECRET}`).join(','));
const [one] = BOOK.corridors;
const asking = (quorum: number) => [one!, { ...one!, id: 'X', rates: { ...one!.rates, quorum } }];
const production = { CORRIDOR_ENV: 'production' };

it('one key may not speak for every source of a quorum', () => {
  const check = (keys: ReturnType<typeof ring>, quorum: number, env: Record<string, string> = production) => {
    return () => checkFeedKeys(keys, asking(quorum), env);
  };
  expect(check(ring('new', 'old'), 1)).not.toThrow();
  expect(check(ring('ecb@1', 'bank@1', 'ecb@2'), 2)).not.toThrow();
  expect(check(ring('new'), 2, { CORRIDOR_ENV: 'development' })).not.toThrow();
  expect(check(ring('ecb@1', 'new'), 2)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/\(X\).*keys new speak/) }),
  );
});
