import { describe, expect, it } from 'vitest';
import { recordType } from '../../schemas/avro-types.ts';
import type { Intermediary, Parties, Party, TransferRequested } from '../../schemas/types.generated.ts';
import { AT, creditor, debtor, intermediary, transferHeld, transferRequested } from '../../test/kit/builders.ts';
import { contentHashOf } from '../hold-content.ts';
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

const textOf = (value: unknown) =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));

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

  /** The intent with every declaration, and each of them changed alone. */
  const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });
  const address = {
    ...{ street: 'High Street', building: '1', postCode: 'LS1', town: 'Leeds', subdivision: 'WY', country: 'GB' },
    lines: ['c/o Porter'],
  };
  const places = { postalAddress: address, birthPlace: { town: 'Leeds', country: 'GB' } };
  const declared = {
    nationalPurpose: { scheme: 'RBI', code: 'P1301', relation: 'PARENT' },
    funding: { method: 'CASH', receivedAt: AT, reference: 'F-1' },
    payeeVerification: { scheme: 'EPC_VOP', result: 'CMTC', checkedAt: AT, payerProceeded: true },
    arrangement: 'RDA',
    taxes: [{ kind: 'EXCISE', authority: 'US_IRC_4475', amount: gbp(10n), basis: gbp(1_000n) }],
    kycTier: 'TIER_1',
    declaredUse: gbp(1n),
  } as const;
  const full = transferRequested({
    ...{ debtor: places, creditor: places, intermediaries: [intermediary(places)], intent: declared },
  });
  const open = (full.parties as { 'corridor.Parties': Parties })['corridor.Parties'];
  const named: TransferRequested = {
    ...full,
    parties: { 'corridor.Parties': { ...open, verifiedPayeeName: 'R. Kulkarni' } },
  };

  const isOptional = (key: string, value: unknown) =>
    value !== null && typeof value === 'object' && key !== 'amount' && key !== 'basis';

  /** Every leaf below a value, changed alone; and every part that may be missing, left out. */
  function changes(value: unknown): unknown[] {
    if (typeof value === 'bigint') return [value + 1n];
    if (typeof value === 'number') return [value + 1];
    if (typeof value === 'boolean') return [!value];
    if (typeof value === 'string') return [`${value}x`];
    if (Array.isArray(value)) {
      return [[], ...value.flatMap((item, at) => changes(item).map((other) => value.with(at, other)))];
    }
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([key, inner]) => [
      ...changes(inner).map((other) => ({ ...value, [key]: other })),
      ...(isOptional(key, inner) ? [{ ...value, [key]: Array.isArray(inner) ? [] : null }] : []),
    ]);
  }
  const NEW = ['postalAddress', 'birthPlace'] as const;
  const partyChanges = (party: object) =>
    NEW.flatMap((name) => changes({ [name]: (party as Record<string, unknown>)[name] })).map((change) => ({
      ...party,
      ...(change as object),
    }));
  const changedParties: Parties[] = [
    ...partyChanges(open.debtor).map((debtorChanged) => ({ ...open, debtor: debtorChanged as Party })),
    ...partyChanges(open.creditor).map((creditorChanged) => ({ ...open, creditor: creditorChanged as Party })),
    ...partyChanges(open.intermediaries[0]!).map((other) => ({ ...open, intermediaries: [other as Intermediary] })),
    { ...open, verifiedPayeeName: 'somebody else' },
    { ...open, verifiedPayeeName: null },
  ];
  const changedDeclarations = changes(declared) as Partial<TransferRequested>[];

  it('changes with every declaration, address and birth, changed or left out alone', () => {
    const variants: TransferRequested[] = [
      named,
      ...changedDeclarations.map((change) => ({ ...named, ...change })),
      ...changedParties.map((parties) => ({ ...named, parties: { 'corridor.Parties': parties } })),
    ];
    const hashes = variants.map((variant) => payloadHash(variant));
    expect(new Set(hashes).size).toBe(new Set(variants.map(textOf)).size);
    expect(new Set(hashes).size).toBeGreaterThan(60);
  });

  it('and so does what a hold binds', () => {
    const held = transferHeld();
    const base = { ...held, instruction: { ...held.instruction, ...declared }, parties: named.parties };
    const variants = [
      base,
      ...changedDeclarations.map((change) => ({ ...base, instruction: { ...base.instruction, ...change } })),
      ...changedParties.map((parties) => ({ ...base, parties: { 'corridor.Parties': parties } })),
      { ...base, instruction: { ...base.instruction, uetr: 'another' } },
      { ...base, instruction: { ...base.instruction, verifiedNameToken: 'another' } },
      { ...base, instruction: { ...base.instruction, transferRules: 'another' } },
    ] as (typeof held)[];
    expect(new Set(variants.map(contentHashOf)).size).toBe(new Set(variants.map(textOf)).size);
  });

  it('tells its version, and does not guess at others', () => {
    expect(hashVersion(payloadHash(transferRequested())!)).toBe('v1');
    expect(payloadHash(transferRequested(), 'v9')).toBeUndefined();
  });
});
