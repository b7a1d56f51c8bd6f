import { describe, expect, it } from 'vitest';
import { sealOf } from '../../domain/seals/seal.ts';
import { askedContent } from '../../screening/exceptions.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { approvalOf } from './decide.ts';
import { flawOfException, type StoredException } from './exception.ts';
import { approveException } from './exceptions.ts';

const { operators } = KEYS;
const asked = {
  exceptionId: 'e',
  token: 't',
  source: 'OFAC',
  entityId: '1',
  entityHash: 'h',
  expiresAt: 99,
  grantedBy: 'amara',
  reason: 'born 1985',
};
const waiting: StoredException = {
  ...asked,
  grantedAt: 1,
  approved: null,
  revoked: null,
  seal: sealOf(operators, 'exception', askedContent(asked)),
};

describe('an approval of an exception', () => {
  it('is that of a second person, sealed over what was asked', () => {
    const approved = approvalOf('e', waiting, { by: ' bela', at: 5 }, operators);
    expect(approved).toMatchObject({ by: 'bela', at: 5 });
    expect(flawOfException(operators, { ...waiting, approved })).toBeUndefined();
  });

  it.each<[string, StoredException | undefined, string]>([
    ['EXCEPTION_UNKNOWN', undefined, 'bela'],
    ['SECOND_PERSON_NEEDED', waiting, 'AMARA '],
    ['SECOND_PERSON_NEEDED', { ...waiting, entityId: '2' }, 'amara'],
    ['EXCEPTION_NOT_SEALED', { ...waiting, entityId: '2' }, 'bela'],
    ['EXCEPTION_NOT_SEALED', { ...waiting, grantedBy: 'cem' }, 'amara'],
    ['PERSON_INVALID', waiting, 'system'],
  ])('is refused as %s (%#)', (code, found, by) => {
    expect(() => approvalOf('e', found, { by, at: 5 }, operators)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused when it was approved, revoked or expired meanwhile', async () => {
    const store = { waiting: async () => waiting, approve: async () => false };
    await expect(approveException(store, 'e', { by: 'bela', at: 5 }, operators)).rejects.toMatchObject({
      code: 'EXCEPTION_UNKNOWN',
    });
  });
});
