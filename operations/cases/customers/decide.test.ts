import { describe, expect, it } from 'vitest';
import type { CustomerCase, CustomerDecision } from '../../../screening/rescreening/customer-case.ts';
import {
  flawOfCustomerCase,
  type SealedCustomerCase,
  sealOpened,
} from '../../../screening/rescreening/customer-seals.ts';
import { findings } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { decideCustomerCase } from './cases.ts';
import { decideCustomer } from './decide.ts';

const { operators } = KEYS;
const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
const customerCase: CustomerCase = {
  caseId: 'c',
  token: 't',
  source: 'OFAC',
  entityId: 'OFAC:1',
  entityHash: 'h',
  versionId: 'v',
  candidate: candidate!,
  transferId: 'transfer',
  openedAt: 1,
  state: 'OPEN',
  decision: null,
};
const opened: SealedCustomerCase = { ...customerCase, seal: sealOpened(operators, customerCase) };
const asked: CustomerDecision = { state: 'CLEARED', by: ' amara', reason: 'another person', at: 2 };
const { decision } = decideCustomer('c', opened, asked, operators);
const decided: SealedCustomerCase = { ...opened, state: 'CLEARED', decision };

describe('a decision on a customer', () => {
  it('is sealed over the case as it was opened', () => {
    expect(decision).toMatchObject({ state: 'CLEARED', by: 'amara', reason: 'another person', at: 2 });
    expect(flawOfCustomerCase(operators, decided)).toBeUndefined();
  });

  it('names the second person, or the broken glass, under its seal; one of before, without them, stays as it is', () => {
    const second = { agreedBy: ' bela', glass: 'g' };
    const { decision: agreed } = decideCustomer('c', opened, { ...asked, ...second }, operators);
    expect(agreed).toMatchObject({ by: 'amara', agreedBy: 'bela', glass: 'g' });
    expect(agreed.seal).not.toBe(decision.seal);
    expect(flawOfCustomerCase(operators, { ...decided, decision: agreed })).toBeUndefined();
    const { agreedBy: _, ...unnamed } = agreed;
    for (const forged of [
      { ...agreed, agreedBy: 'carla' },
      { ...agreed, glass: 'h' },
      { ...decision, ...second },
      unnamed,
    ])
      expect(flawOfCustomerCase(operators, { ...decided, decision: forged })).toBe('CUSTOMER_DECISION_NOT_SEALED');
    expect(() => decideCustomer('c', opened, { ...asked, agreedBy: 'rescreening' }, operators)).toThrow(
      expect.objectContaining({ code: 'PERSON_INVALID' }),
    );
  });

  it.each<[string, SealedCustomerCase | undefined, Partial<CustomerDecision>]>([
    ['CASE_UNKNOWN', undefined, {}],
    ['CASE_NOT_OPEN', decided, {}],
    ['CUSTOMER_CASE_NOT_SEALED', { ...opened, entityId: 'other' }, {}],
    ['CUSTOMER_CASE_NOT_SEALED', { ...opened, seal: 'test.x' }, {}],
    ['CUSTOMER_DECISION_NOT_SEALED', { ...decided, state: 'OPEN' }, {}],
    ['PERSON_INVALID', opened, { by: 'rescreening' }],
    ['JUSTIFICATION_INVALID', opened, { reason: '' }],
  ])('is refused as %s (%#)', (code, found, over) => {
    expect(() => decideCustomer('c', found, { ...asked, ...over }, operators)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each<[string, SealedCustomerCase | undefined]>([
    ['CASE_NOT_OPEN', decided],
    ['CASE_UNKNOWN', undefined],
    ['CASE_MOVED', opened],
  ])('says %s when somebody was faster', async (code, meanwhile) => {
    const looks = [opened, meanwhile];
    const store = { find: async () => looks.shift(), decide: async () => undefined };
    await expect(decideCustomerCase(store, 'c', asked, operators)).rejects.toMatchObject({ code });
  });
});
