// The codes that Corridor takes and gives, against the external code sets of ISO 20022 and the meaning of charge bearers.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWithPublicData, publicData } from '../test/kit/public-data.ts';
import { CLEARING_SYSTEMS } from './corridors/clearing-systems.ts';
import { CORRIDORS } from './corridors/corridor-table.ts';
import { corridorBook, feesFor } from './corridors/corridors.ts';
import { REASONS } from './reasons.ts';

function codeSet(name: string): ReadonlySet<string> {
  const file = publicData(`money/code-sets/external_${name}_code.json`);
  return new Set(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { codes: Record<string, string> }).codes));
}

describeWithPublicData('codes of ISO 20022', () => {
  it('purposes of every corridor are external purpose codes', () => {
    const known = codeSet('purpose');
    for (const { id, purposeCodes } of CORRIDORS) {
      expect(
        purposeCodes.filter((code) => !known.has(code)),
        id,
      ).toEqual([]);
      expect(new Set(purposeCodes).size, id).toBe(purposeCodes.length);
    }
    // What was taken for family support, and is in no set.
    expect(known.has('FAMI')).toBe(false);
    expect(CORRIDORS.some(({ purposeCodes }) => purposeCodes.includes('FAMI'))).toBe(false);
  });

  it('reasons called ISO are external status reason codes, and our own are not', () => {
    const known = codeSet('status_reason');
    for (const [code, { owner }] of Object.entries(REASONS)) expect(known.has(code), code).toBe(owner === 'ISO 20022');
  });

  it('bank codes have a clearing system', () => {
    const known = codeSet('clearing_system_identification');
    for (const system of Object.values(CLEARING_SYSTEMS)) expect(known.has(system), system).toBe(true);
  });
});

describe('charge bearers', () => {
  it('DEBT pays a fee of its own, the others pay the same', () => {
    for (const corridor of CORRIDORS) {
      const [shared, own] = ['SHAR', 'DEBT'].map((bearer) => feesFor(corridor, bearer).map(({ code }) => code));
      expect(feesFor(corridor, 'SLEV').map(({ code }) => code)).toEqual(shared);
      expect(own).toEqual([...shared!, 'FULL_AMOUNT']);
    }
  });

  it('without a meaning are refused by the table', () => {
    const [first] = CORRIDORS;
    const offering = (...chargeBearers: ('CRED' | 'DEBT')[]) =>
      corridorBook([{ ...first!, chargeBearers, fees: [first!.fees[0]!] }]);
    expect(() => offering('CRED')).toThrow(/CRED is offered/);
    expect(() => offering('DEBT')).toThrow(/DEBT is offered without a fee/);
  });
});
