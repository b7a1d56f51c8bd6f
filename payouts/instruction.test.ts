import { describe, expect, it } from 'vitest';
import { uetrOf } from '../domain/transfers/uetr.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { payoutRequestedFor } from '../test/kit/payouts/requested.ts';
import { payerDigest } from './answer-match.ts';
import { afterSubmit, beginAttempt, openPayout } from './decide.ts';
import { instructionOf, openParties, railOf, unpayableReason } from './instruction.ts';
import { commandIdOf, payoutUpdated, unpublished } from './payout-updated.ts';
import { DEFAULT_PAYOUT_POLICY } from './policy.ts';

const NOW = 1_800_000_000_000;
const requested = payoutRequestedFor({ transferId: 'transfer-1', now: NOW, expiresAt: NOW + 60_000, homePartition: 3 });
const opened = openPayout(
  {
    payoutId: 'transfer-1',
    provider: 'p',
    homePartition: 3,
    pricingAttempt: 1,
    priceExpiresAt: NOW + 60_000,
    requested: new Uint8Array(),
  },
  NOW,
);
const submitting = beginAttempt(opened, NOW, DEFAULT_PAYOUT_POLICY);

describe('the instruction to the provider', () => {
  it('holds the key and expiry of the attempt, and the credit of the price', () => {
    expect(instructionOf(requested, openParties(requested)!, submitting.attempts[0]!)).toEqual({
      key: 'transfer-1:1',
      transferId: 'transfer-1',
      endToEndId: 'E2E-transfer-1',
      amount: { minor: 1_233_873n, currency: 'INR' },
      rail: 'IMPS',
      corridor: 'GBP-INR',
      beneficiary: {
        ...{ name: 'Test Creditor', account: '50100012345678', bankCode: 'HDFC0000001', country: 'IN' },
        address: null,
      },
      payer: {
        ...{ name: 'Test Debtor', kind: 'PERSON', account: '12345678', bankCode: '200415', country: 'GB' },
        ...{ customerNumber: 'c-1', address: null, addressLine: null, birthDate: null, birthPlace: null },
        identifiers: [],
      },
      purpose: { code: 'DEPD', national: null },
      chargeBearer: 'SLEV',
      uetr: uetrOf('transfer-1'),
      remittanceInformation: null,
      expiresAt: NOW + 60_000,
    });
  });

  const parties = openParties(requested)!;
  const postalAddress = {
    ...{ street: 'High Street', building: '1', postCode: 'LS1', town: 'Leeds', subdivision: 'WY', country: 'GB' },
    lines: ['c/o Porter'],
  };
  const debtor = {
    ...parties.debtor,
    ...{ postalAddress, address: '1 High Street', birthDate: '1985-04-12' },
    birthPlace: { town: 'Leeds', country: 'GB' },
    identifiers: [{ scheme: 'PASSPORT', value: 'X1234567', country: 'GB' }],
  };
  const national = { scheme: 'RBI', code: 'P1301', relation: 'PARENT' };
  const instructed: PayoutRequested = {
    ...requested,
    instruction: { ...requested.instruction, nationalPurpose: national, uetr: uetrOf('transfer-1') },
  };

  it('holds all that is known of the payer, and why they pay', () => {
    const made = instructionOf(instructed, { ...parties, debtor }, submitting.attempts[0]!);
    expect(made.payer).toMatchObject({
      ...{ address: postalAddress, addressLine: '1 High Street', birthDate: '1985-04-12' },
      ...{ birthPlace: debtor.birthPlace, identifiers: debtor.identifiers, customerNumber: 'c-1' },
    });
    expect(made.purpose).toEqual({ code: 'DEPD', national });
  });

  it('has one UETR for all attempts, the same as if it was of before', () => {
    const [first] = submitting.attempts;
    const second = { ...first!, number: 2, key: 'transfer-1:2' };
    const uetrs = [first!, second].flatMap((attempt) =>
      [requested, instructed].map((event) => instructionOf(event, parties, attempt).uetr),
    );
    expect(new Set(uetrs)).toEqual(new Set([uetrOf('transfer-1')]));
  });

  it('has another digest when anything of the payer is another', () => {
    const base = instructionOf(instructed, { ...parties, debtor }, submitting.attempts[0]!);
    const { payer } = base;
    const others = [
      base,
      ...Object.keys(payer).map((name) => ({
        ...base,
        payer: { ...payer, [name]: name === 'identifiers' ? [] : name === 'kind' ? 'UNKNOWN' : null },
      })),
      ...Object.keys(payer.address!).map((name) => ({
        ...base,
        payer: { ...payer, address: { ...payer.address!, [name]: name === 'lines' ? [] : null } },
      })),
      { ...base, purpose: { ...base.purpose, code: 'SALA' } },
      ...Object.keys(national).map((name) => ({
        ...base,
        purpose: { ...base.purpose, national: { ...national, [name]: 'X' } },
      })),
      { ...base, chargeBearer: 'DEBT' },
      { ...base, uetr: uetrOf('transfer-2') },
    ] as (typeof base)[];
    expect(new Set(others.map(payerDigest)).size).toBe(others.length);
  });

  it('cannot be made from sealed parties', () => {
    const sealed = { keyId: 'k', algorithm: 'AES-256-GCM', ciphertext: Buffer.alloc(1) };
    expect(openParties({ ...requested, parties: { 'corridor.SealedParties': sealed } })).toBeUndefined();
  });

  it.each([
    [50_000_000n, 'INR', 'IMPS'],
    [50_000_001n, 'INR', 'RTGS'],
    [100_000_000n, 'GBP', 'FPS'],
    [100_000_001n, 'GBP', 'CHAPS'],
    [5_000_000n, 'AED', 'AANI'],
    [5_000_001n, 'AED', 'UAEFTS'],
    [1n, 'JPY', 'SWIFT'],
  ])('%s minor units of %s go by %s', (minor, currency, rail) => {
    expect(railOf({ minor, currency })).toBe(rail);
  });
});

describe('the message of a change', () => {
  const seen = { kind: 'observed', state: 'PAID', reference: 'r-1', reasonCode: null } as const;
  const paid = afterSubmit(submitting, { key: 'transfer-1:1', result: seen, at: NOW + 5 }, DEFAULT_PAYOUT_POLICY);

  it('is the same whenever it is made, and goes to the home partition', () => {
    const [update] = unpublished(paid);
    expect(payoutUpdated(paid, update!, requested)).toEqual({
      command: {
        commandId: commandIdOf('transfer-1', 1),
        transferId: 'transfer-1',
        attempt: 1,
        issuedAt: NOW + 5,
        issuedBy: 'payout-executor',
        homePartition: 3,
      },
      requested,
      payout: {
        payoutId: 'transfer-1',
        version: 1,
        status: 'PAID',
        provider: 'p',
        attemptKey: 'transfer-1:1',
        providerReference: 'r-1',
        reason: null,
        changedAt: NOW + 5,
      },
      asked: null,
    });
  });

  it('has an id of its own per version; frozen, since a repeated command is known by it', () => {
    expect(commandIdOf('transfer-1', 1)).toBe('58e87898-2e20-5fab-a834-e1a043b1ffd6');
    expect(commandIdOf('transfer-1', 2)).not.toBe(commandIdOf('transfer-1', 1));
  });

  it('is due until it is published', () => {
    expect(unpublished({ ...paid, publishedVersion: 1 })).toEqual([]);
  });
});

describe('what a provider is asked to do', () => {
  const parties = openParties(requested)!;
  const sentTo = (change: (copy: typeof parties) => typeof parties) =>
    instructionOf(requested, change(parties), submitting.attempts[0]!);
  const creditor = (change: Partial<(typeof parties)['creditor']>) =>
    sentTo((own) => ({ ...own, creditor: { ...own.creditor, ...change } }));
  const account = (change: Partial<(typeof parties)['creditor']['account']>) =>
    creditor({ account: { ...parties.creditor.account, ...change } });

  it('shows all of its text, within bounds', () => {
    const long = sentTo((own) => ({ ...own, remittanceInformation: `\u001b[2J\u202e${'👍'.repeat(500)}` }));
    expect([...long.remittanceInformation!].length).toBeLessThanOrEqual(140);
    expect(long.remittanceInformation).not.toMatch(/[\p{Cc}\p{Cf}\ufffd]/u);
    expect(creditor({ name: 'Zoë\u0007 李' }).beneficiary.name).toBe('Zoë  李');
    expect(unpayableReason(long)).toBeUndefined();
  });

  it.each<[string, string, ReturnType<typeof account>]>([
    ['an account with an escape', 'AC01', account({ value: '5010\u001b[2J' })],
    ['an account of five kilobytes', 'AC01', account({ value: '5'.repeat(5_000) })],
    ['no account', 'AC01', account({ value: '' })],
    [
      'a bank of five kilobytes',
      'AC01',
      account({ scheme: 'VPA', value: 'asha@bank', agent: '\u001b]0;'.repeat(1_250) }),
    ],
    ['a country that is none', 'CH16', creditor({ country: 'india' })],
    ['no name', 'CH16', creditor({ name: '\u200b' })],
  ])('is never %s: refused with %s before anything is sent', (_, code, instruction) => {
    expect(unpayableReason(instruction)).toBe(code);
  });
});
