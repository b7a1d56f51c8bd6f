import { expect, it } from 'vitest';
import { requestIdOf } from '../operations/quotes/ask.ts';
import { askingOf, type QuoteOptions } from './quote-asking.ts';

const OPTIONS: QuoteOptions = {
  ...{ producer: 'acme', key: 'order-0001', amount: '100000', currency: 'GBP', from: 'GBP', to: 'INR' },
};
const ANYBODY = { producers: [] };
const ONLY_ZENITH = { producers: [{ id: 'zenith', idPrefixes: [], corridors: undefined }] };
const refusal = (over: Partial<QuoteOptions>, producers: Parameters<typeof askingOf>[1] = ANYBODY): string => {
  try {
    askingOf({ ...OPTIONS, ...over }, producers);
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
};

it('asks for what the options say', () => {
  const taxed = { tax: ['EXCISE:US_IRC_4475', 'VAT:IN'], tier: 'TIER_1', funding: 'CARD', bearer: 'DEBT' };
  expect(askingOf({ ...OPTIONS, ...taxed, currency: 'INR', indicative: true }, ANYBODY)).toMatchObject({
    producerId: 'acme',
    content: {
      ...{ kind: 'INDICATIVE', side: 'TARGET', amount: { minor: 100_000n, currency: 'INR' } },
      ...{ kycTier: 'TIER_1', fundingMethod: 'CARD', chargeBearer: 'DEBT' },
      declaredTaxes: [
        { kind: 'EXCISE', authority: 'US_IRC_4475' },
        { kind: 'VAT', authority: 'IN' },
      ],
    },
  });
  expect(askingOf(OPTIONS, ANYBODY).content).toMatchObject({ kind: 'GUARANTEED', side: 'SOURCE', declaredTaxes: [] });
});

it('has keys of its own: one of the API under the same text is another request', () => {
  const { key, producerId } = askingOf(OPTIONS, ANYBODY);
  expect(requestIdOf(producerId, key)).not.toBe(requestIdOf('acme', 'order-0001'));
  expect(key).toBe(askingOf(OPTIONS, ANYBODY).key);
});

it.each<[string, Partial<QuoteOptions>, Parameters<typeof askingOf>[1], RegExp]>([
  ['a producer that nobody configured', {}, ONLY_ZENITH, /^--producer: acme is not among the producers/],
  ['what is no producer', { producer: 'A B' }, ANYBODY, /^--producer: is no id/],
  ['a key that is none', { key: 'a b' }, ANYBODY, /^--key: /],
  ['a tax of nobody', { tax: ['VAT'] }, ANYBODY, /^--tax: VAT is not KIND:AUTHORITY/],
  ['a tax of two', { tax: ['VAT:IN:GB'] }, ANYBODY, /^--tax: /],
  ['a tax that is no code', { tax: ['vat:IN'] }, ANYBODY, /^taxes\.0\.kind: /],
  ['an amount that is none', { amount: '-1' }, ANYBODY, /^instructedAmount\.minor: /],
])('refuses %s', (_what, over, producers, why) => {
  expect(refusal(over, producers)).toMatch(why);
  expect(refusal({ producer: 'zenith' }, ONLY_ZENITH)).toBe('taken');
});
