// Every rule of validation: what breaks it, and with which code. Nothing a person wrote appears in a reason.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { AT, BOOK, creditor, debtor, intermediary, transferRequested, type Wishes } from '../../test/kit/builders.ts';
import { describeWithPublicData, publicData } from '../../test/kit/public-data.ts';
import { isIfsc } from './accounts.ts';
import { DEFAULT_TIMING, reasonsAgainst } from './validate.ts';

const rules = { ...DEFAULT_TIMING, corridors: BOOK };
const DAY_MS = 86_400_000;
const codes = (of: Wishes, appendedAt = AT) =>
  reasonsAgainst(transferRequested(of), appendedAt, rules).map(({ code }) => code);
const intent = (over: Partial<TransferRequested>): Wishes => ({ intent: over });
const pounds = (minor: bigint) => intent({ instructedAmount: { minor, currency: 'GBP' } });
const account = (scheme: string, value: string, agent: string | null) => ({ account: { scheme, value, agent } });

describe('a valid intent', () => {
  it.each<[string, Wishes]>([
    ['as it comes', {}],
    ['with a fixed target', intent({ amountSide: 'TARGET', instructedAmount: { minor: 5_000_000n, currency: 'INR' } })],
    ['to a virtual payment address', { creditor: account('VPA', 'ravi.k@okhdfc', null) }],
    ['from a sort code', { debtor: account('BBAN', '55779911', '200000') }],
    ['with a BIC beside the IBAN', { debtor: account('IBAN', 'GB33BUKB20201555555555', 'BUKBGB22') }],
    ['for execution today', intent({ requestedExecutionDate: '2026-11-23' })],
    ['with a birth year only', { debtor: { birthDate: '1985' } }],
    ['at the cap', pounds(2_500_000n)],
    ['for somebody else in the end', { intermediaries: [intermediary(), intermediary({ country: null })] }],
    ['at the least', pounds(100n)],
    ['by a clock a little ahead', intent({ requestedAt: AT + 299_000 })],
  ])('passes: %s', (_, of) => expect(codes(of)).toEqual([]));

  it('passes on every corridor', () => {
    const us = { country: 'US', ...account('BBAN', '123456789', '021000021') };
    const de = { country: 'DE', ...account('IBAN', 'DE89370400440532013000', null) };
    const ae = { country: 'AE', ...account('IBAN', 'AE070331234567890123456', null) };
    const on = (source: string, minor: bigint, party: object) =>
      codes({ debtor: party, intent: { sourceCurrency: source, instructedAmount: { minor, currency: source } } });
    expect([on('USD', 50_000n, us), on('EUR', 50_000n, de), on('AED', 50_000n, ae)]).toEqual([[], [], []]);
    const home: Wishes = {
      debtor: creditor(),
      creditor: debtor(),
      intent: { sourceCurrency: 'INR', targetCurrency: 'GBP', instructedAmount: { minor: 500_000n, currency: 'INR' } },
    };
    expect(codes(home)).toEqual([]);
  });
});

describe('an invalid intent', () => {
  it.each<[string, string, Wishes]>([
    ['CH16', 'an intermediary of no known role', { intermediaries: [intermediary({ role: 'UNKNOWN' })] }],
    ['CH16', 'an intermediary of no known kind', { intermediaries: [intermediary({ kind: 'UNKNOWN' })] }],
    ['CH21', 'an intermediary without a name', { intermediaries: [intermediary(), intermediary({ name: ' ' })] }],
    ['CH16', 'an intermediary of no country', { intermediaries: [intermediary({ country: 'India' })] }],
    ['DT01', 'an intermediary not yet born', { intermediaries: [intermediary({ birthDate: '2031' })] }],
    ['CH21', 'an intermediary of an empty id', { intermediaries: [intermediary({ customerId: '' })] }],
    ['CH16', 'too many intermediaries', { intermediaries: Array.from({ length: 11 }, () => intermediary()) }],
    ['CH16', 'id too short', { transferId: 'short' }],
    ['CH16', 'id with a colon', { transferId: 'abc:12345678' }],
    ['CH16', 'id too long', { transferId: 'x'.repeat(65) }],
    ['CH21', 'no endToEndId', intent({ endToEndId: '' })],
    ['CH16', 'long endToEndId', intent({ endToEndId: 'x'.repeat(36) })],
    ['CH16', 'control characters', intent({ endToEndId: 'a\u0000b' })],
    ['AM01', 'zero', pounds(0n)],
    ['AM12', 'negative', pounds(-1n)],
    ['AM06', 'below the least', pounds(99n)],
    ['AM02', 'above the cap', pounds(2_500_001n)],
    ['AM02', 'the largest 64-bit amount', pounds(2n ** 63n - 1n)],
    ['AM11', 'currency of the other side', intent({ instructedAmount: { minor: 5_000n, currency: 'INR' } })],
    ['AM11', 'currency of no side', intent({ instructedAmount: { minor: 5_000n, currency: 'JPY' } })],
    [
      'AM03',
      'unknown source currency',
      intent({ sourceCurrency: 'XQZ', instructedAmount: { minor: 1n, currency: 'XQZ' } }),
    ],
    ['AM03', 'a currency that is gone', intent({ targetCurrency: 'HRK' })],
    ['AM03', 'same source and target', intent({ targetCurrency: 'GBP' })],
    ['AG03', 'no such corridor', intent({ targetCurrency: 'JPY' })],
    ['CH16', 'unknown side', intent({ amountSide: 'UNKNOWN' })],
    ['CH16', 'unknown charge bearer', intent({ chargeBearer: 'UNKNOWN' })],
    ['AG03', 'charges on the beneficiary', intent({ chargeBearer: 'CRED' })],
    ['FF07', 'no purpose', intent({ purposeCode: '' })],
    ['FF07', 'purpose not offered', intent({ purposeCode: 'XXXX' })],
    ['DT02', 'from the future', intent({ requestedAt: AT + 301_000 })],
    ['DT02', 'too old', intent({ requestedAt: AT - 3 * DAY_MS - 1 })],
    ['DT01', 'no such day', intent({ requestedExecutionDate: '2026-02-30' })],
    ['DT01', 'not a date', intent({ requestedExecutionDate: 'tomorrow' })],
    ['CH03', 'later', intent({ requestedExecutionDate: '2026-11-25' })],
    ['CH04', 'yesterday', intent({ requestedExecutionDate: '2026-11-21' })],
    ['RR02', 'sender without a name', { debtor: { name: ' ' } }],
    ['RR03', 'beneficiary without a name', { creditor: { name: '' } }],
    ['CH16', 'a megabyte of a name', { debtor: { name: 'x'.repeat(1_000_000) } }],
    ['CH21', 'no customer id', { debtor: { customerId: '' } }],
    ['CH16', 'unknown kind of party', { creditor: { kind: 'UNKNOWN' } }],
    ['DT01', 'born in the future', { debtor: { birthDate: '2031-01-01' } }],
    ['DT01', 'born on no day', { debtor: { birthDate: '1985-13' } }],
    ['BE10', 'sender outside of the corridor', { debtor: { country: 'FR' } }],
    ['BE11', 'beneficiary outside of the corridor', { creditor: { country: 'PK' } }],
    ['BE11', 'no country code', { creditor: { country: 'india' } }],
    ['CH16', 'nationality in words', { debtor: { nationalities: ['British'] } }],
    [
      'CH16',
      'too many identifiers',
      { debtor: { identifiers: Array(11).fill({ scheme: 'PASSPORT', value: '1', country: null }) } },
    ],
    [
      'CH21',
      'identifier without a value',
      { debtor: { identifiers: [{ scheme: 'PASSPORT', value: '', country: null }] } },
    ],
    ['AC02', 'wrong check digits', { debtor: account('IBAN', 'GB34BUKB20201555555555', null) }],
    ['AC02', 'IBAN of another country', { debtor: account('IBAN', 'DE89370400440532013000', null) }],
    ['AC02', 'no account', { debtor: account('IBAN', '', null) }],
    ['AC13', 'a card number', { debtor: account('PAN', '4111111111111111', null) }],
    ['AC14', 'an IBAN for India', { creditor: account('IBAN', 'GB33BUKB20201555555555', null) }],
    ['RC06', 'no BIC', { debtor: account('IBAN', 'GB33BUKB20201555555555', 'NOPE') }],
    ['RC10', 'no IFSC', { creditor: account('BBAN', '026291800001191', null) }],
    ['RC10', 'IFSC without its zero', { creditor: account('BBAN', '026291800001191', 'HDFC1000077') }],
    ['AC03', 'account number too short', { creditor: account('BBAN', '12', 'HDFC0000077') }],
    ['AC03', 'no payment address', { creditor: account('VPA', 'ravi', null) }],
    [
      'SEAL',
      'sealed',
      intent({ parties: { 'corridor.SealedParties': { keyId: 'k', algorithm: 'A', ciphertext: Buffer.alloc(3) } } }),
    ],
  ])('is refused with %s alone: %s', (code, _, of) => expect(codes(of)).toEqual([code]));

  it('is refused with every reason at once', () => {
    const all = codes({
      transferId: 'x',
      intent: { instructedAmount: { minor: 0n, currency: 'GBP' }, purposeCode: 'NONE', requestedExecutionDate: 'x' },
      debtor: { name: '', country: 'FR' },
      creditor: account('BBAN', '1', 'x'),
    });
    expect(all).toEqual(['CH16', 'DT01', 'AM01', 'FF07', 'RR02', 'BE10', 'RC10', 'AC03']);
  });

  it('is told so in words that hold nothing of people', () => {
    const secret = 'Zebediah-Secret-77';
    const of: Wishes = {
      transferId: `${secret}!`,
      intent: {
        endToEndId: `${secret}\u0007`,
        purposeCode: secret,
        sourceCurrency: secret,
        requestedExecutionDate: secret,
      },
      debtor: { name: `${secret}\u0007`, country: secret, birthDate: secret, ...account(secret, secret, secret) },
      creditor: { name: 'x', nationalities: [secret], ...account('IBAN', secret, secret) },
    };
    const reasons = reasonsAgainst(transferRequested(of), AT, rules);
    expect(reasons.length).toBeGreaterThan(8);
    expect(JSON.stringify(reasons)).not.toContain('Zebediah');
  });

  it('is judged by its append time alone', () => {
    const of = intent({ requestedAt: AT, requestedExecutionDate: '2026-11-23' });
    expect(codes(of, AT)).toEqual([]);
    expect(codes(of, AT + 5 * DAY_MS)).toEqual(['DT02', 'CH04']);
  });
});

describeWithPublicData('IFSC codes of branches that exist', () => {
  it('all have the form that is asked for', () => {
    const text = readFileSync(publicData('payout/ifsc-validator-asserts.json'), 'utf8');
    const asserts = Object.values(JSON.parse(text) as Record<string, Record<string, boolean>>).flatMap(Object.entries);
    const known = asserts.filter(([, valid]) => valid).map(([code]) => code);
    expect(known.length).toBeGreaterThan(100);
    expect(known.filter((code) => !isIfsc(code))).toEqual([]);
  });
});
