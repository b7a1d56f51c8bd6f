import { describe, expect, it } from 'vitest';
import { claimsIn } from './tokens.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: unknown) => `${part({ alg: 'none' })}.${part(claims)}.`;

describe('what a token says of itself', () => {
  it('is shown as it says', () => {
    expect(claimsIn(token({ sub: 'asha', iss: 'https://a', exp: 60, groups: ['operator'] }), 'groups')).toEqual({
      ...{ subject: 'asha', issuer: 'https://a', roles: ['operator'], expiresAt: new Date(60_000) },
    });
    expect(claimsIn('opaque')).toBeUndefined();
  });

  it('is left out where it can be none', () => {
    for (const exp of [Number.MAX_SAFE_INTEGER, -1, '60', {}, null])
      for (const name of [7, {}, ['asha'], null])
        expect(claimsIn(token({ sub: name, iss: name, exp, roles: name === null ? [1] : 'operator' }))).toEqual({
          ...{ subject: undefined, issuer: undefined, roles: [], expiresAt: undefined },
        });
  });
});
