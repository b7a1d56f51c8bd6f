import { describe, expect, it } from 'vitest';
import type { ScreeningEvidence } from '../../schemas/types.generated.ts';
import { findings } from '../../test/kit/builders.ts';
import { maskedAccount, maskedEvidence, maskedName, sightOf } from './masking.ts';

describe('masking', () => {
  it.each([
    [[], 'hidden'],
    [['viewer'], 'hidden'],
    [['admin', 'service', 'producer'], 'hidden'],
    [['viewer', 'operator'], 'masked'],
    [['approver'], 'masked'],
    [['operator', 'compliance'], 'full'],
  ] as const)('the roles %j see it %s', (roles, sight) => expect(sightOf(roles)).toBe(sight));

  it.each([
    ['Gwen Hartley', 'G••• H•••'],
    ['  Jean-Luc  ', 'J••• L•••'],
    ['王小明', '王•••'],
    ['𝒜da', '𝒜•••'],
    ['', ''],
  ])('of the name %j stays %j', (name, masked) => {
    expect(maskedName(name, 'masked')).toBe(masked);
    expect(maskedName(name, 'full')).toBe(name);
    expect(maskedName(name, 'hidden')).toBe('•••');
  });

  it.each([
    ['GB33BUKB20201555555555', '•••5555'],
    ['12345678901', '•••'],
    ['', '•••'],
  ])('of the account %j stays %j', (account, masked) => {
    expect(maskedAccount(account, 'masked')).toBe(masked);
    expect(maskedAccount(account, 'full')).toBe(account);
    expect(maskedAccount(account, 'hidden')).toBe('•••');
  });

  it('leaves nothing in evidence that tells the party', () => {
    const whole: ScreeningEvidence = { ...findings('POTENTIAL_MATCH'), screenedAt: 0, review: null };
    const [candidate] = whole.parties[0]!.candidates;
    expect(JSON.stringify(whole)).toContain(candidate!.matchedName);
    for (const sight of ['masked', 'hidden'] as const) {
      const [masked] = maskedEvidence({ ...whole, rechecks: [{ parties: whole.parties } as never] }, sight).parties;
      expect(JSON.stringify(masked)).not.toContain(candidate!.matchedName);
      expect(masked!.candidates[0]).toMatchObject({ entity: null, family: null, given: null, score: candidate!.score });
    }
    expect(maskedEvidence(whole, 'full')).toBe(whole);
  });
});
