import { describe, expect, it } from 'vitest';
import { recordType } from '../../schemas/avro-types.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { creditor, debtor, intermediary, transferRequested } from '../../test/kit/builders.ts';
import { hashVersion, payloadHash } from './payload-hash.ts';

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
};

describe('the payload hash', () => {
  it('is frozen for version 1', () => {
    expect(payloadHash(transferRequested({ intent: { purposeCode: 'FAMI' } }))).toBe(
      'v1:c0f67c8646a891e192cece6ed6441ddb3a69a22fd7e9d3e98a9f7d23e9495469',
    );
  });

  it('does not depend on the order of fields, nor on the way over the wire', () => {
    const intent = transferRequested();
    const type = recordType('TransferRequested');
    expect(payloadHash(shuffled(intent) as TransferRequested)).toBe(payloadHash(intent));
    expect(payloadHash(type.fromBuffer(type.toBuffer(intent)))).toBe(payloadHash(intent));
  });

  it('changes with every field', () => {
    const base = transferRequested();
    const parties = base.parties as Extract<TransferRequested['parties'], { 'corridor.Parties': unknown }>;
    const withParty = (role: 'debtor' | 'creditor', change: object) =>
      ({
        ...base,
        parties: {
          'corridor.Parties': {
            ...parties['corridor.Parties'],
            [role]: { ...(role === 'debtor' ? debtor() : creditor()), ...change },
          },
        },
      }) as TransferRequested;
    const variants: TransferRequested[] = [
      base,
      { ...base, transferId: 'another-id' },
      { ...base, endToEndId: 'x' },
      { ...base, requestedAt: 1 },
      { ...base, instructedAmount: { minor: 1n, currency: 'GBP' } },
      { ...base, instructedAmount: { ...base.instructedAmount, currency: 'EUR' } },
      { ...base, amountSide: 'TARGET' },
      { ...base, sourceCurrency: 'EUR' },
      { ...base, targetCurrency: 'EUR' },
      { ...base, chargeBearer: 'DEBT' },
      { ...base, purposeCode: 'SALA' },
      { ...base, requestedExecutionDate: '2026-11-23' },
      { ...base, parties: { 'corridor.Parties': { ...parties['corridor.Parties'], remittanceInformation: 'x' } } },
      { ...base, parties: { 'corridor.SealedParties': { keyId: 'k', algorithm: 'a', ciphertext: Buffer.from([1]) } } },
      ...[
        [intermediary()],
        [intermediary(), intermediary()],
        ...(
          [
            { role: 'ULTIMATE_DEBTOR' },
            { customerId: 'x' },
            { kind: 'ORGANISATION' },
            { name: 'x' },
            { birthDate: '1900' },
            { country: null },
            { nationalities: ['XX'] },
            { identifiers: [{ scheme: 'BIC', value: 'v', country: null }] },
            { address: 'x' },
          ] as const
        ).map((change) => [intermediary(change)]),
      ].map((intermediaries) => ({
        ...base,
        parties: { 'corridor.Parties': { ...parties['corridor.Parties'], intermediaries } },
      })),
      ...(['debtor', 'creditor'] as const).flatMap((role) =>
        [
          { customerId: 'x' },
          { kind: 'ORGANISATION' },
          { name: 'x' },
          { birthDate: '1900' },
          { country: 'XX' },
          { nationalities: ['XX'] },
          { identifiers: [{ scheme: 's', value: 'v', country: null }] },
          { address: 'x' },
          { account: { scheme: 'IBAN', value: 'x', agent: null } },
          { account: { scheme: 'IBAN', value: 'x', agent: 'x' } },
        ].map((change) => withParty(role, change)),
      ),
    ];
    expect(new Set(variants.map((variant) => payloadHash(variant))).size).toBe(variants.length);
  });

  it('tells its version, and does not guess at others', () => {
    expect(hashVersion(payloadHash(transferRequested())!)).toBe('v1');
    expect(payloadHash(transferRequested(), 'v9')).toBeUndefined();
  });
});
