import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFaults } from '../../payouts/iso20022/pacs-008.ts';
import { element, latinText, xmlOf } from '../../payouts/iso20022/xml.ts';
import { type Rings, sealed } from '../../ports/seals.ts';
import { AT, payoutRequested } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { isChecked, messageOf, payoutMessage } from './payout-message.ts';

const SIDES = { from: 'QQNRGB2LXXX', to: 'QQSAINBBXXX', now: AT };
const address = {
  ...{ street: 'High Street', building: '1', postCode: 'LS1', town: 'Leeds', subdivision: null, country: 'GB' },
  lines: [],
};

describe('text of a message', () => {
  it('is of FIN X alone, and of at most so many characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 1, max: 140 }), (text, most) => {
        const made = latinText(text, most);
        if (made === undefined) return;
        expect(made).toMatch(/^[A-Za-z0-9/\-?:().,'+ ]+$/);
        expect(made.length).toBeLessThanOrEqual(most);
        expect(made).toBe(made.trim());
      }),
    );
  });

  it.each([
    ['Jürgen Brückner', 'Jurgen Bruckner'],
    ['Straße 5 & Söhne <x>', 'Strasse 5 . Sohne .x.'],
    ['Łukasz Ørsted', 'Lukasz Orsted'],
    ['李', '.'],
    ['   ', undefined],
    [null, undefined],
  ])('of %s is %s', (text, made) => expect(latinText(text, 140)).toBe(made));
});

describe('XML', () => {
  it('is escaped, and leaves out what holds nothing', () => {
    const root = element('A', [
      element('B', `<&>"'`, { c: '"' }),
      element('C', undefined),
      element('D', [element('E', '')]),
    ]);
    expect(xmlOf(root)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<A>\n  <B c="&quot;">&lt;&amp;&gt;&quot;&apos;</B>\n</A>\n',
    );
  });
});

describe('a pacs.008', () => {
  it('says where an address is no address for CBPR+, which the oracle does not know', () => {
    const of = (over: object) => {
      const requested = payoutRequested({
        debtor: { postalAddress: address },
        creditor: { postalAddress: address },
        ...over,
      });
      return messageOf(requested, SIDES).faults;
    };
    expect(of({})).toEqual([]);
    expect(of({ creditor: { postalAddress: { ...address, town: null } } })).toEqual(['Cdtr has no TwnNm']);
    expect(of({ debtor: { postalAddress: null } })).toEqual(['Dbtr has no TwnNm', 'Dbtr has no Ctry']);
    expect(addressFaults({ payer: { address }, beneficiary: { address } } as never)).toEqual([]);
  });

  it('has the UETR of the transfer and its exact amounts', () => {
    const requested = payoutRequested({ debtor: { postalAddress: address }, creditor: { postalAddress: address } });
    const { xml } = messageOf(requested, SIDES);
    expect(xml).toContain(`<UETR>${requested.instruction.uetr}</UETR>`);
    const digits = requested.price.credit.minor.toString();
    expect(xml).toContain(`<IntrBkSttlmAmt Ccy="INR">${digits.slice(0, -2)}.${digits.slice(-2)}</IntrBkSttlmAmt>`);
  });

  it('cannot be made of sealed parties', () => {
    const parties = { 'corridor.SealedParties': { keyId: 'k', algorithm: 'a', ciphertext: Buffer.alloc(1) } };
    expect(() => messageOf({ ...payoutRequested(), parties }, SIDES)).toThrow('sealed');
  });

  it('is of what payout dispatch has sealed, where its seal can be checked', async () => {
    const codec = memoryCodec();
    const log = new MemoryLog({ partitions: 1 });
    const genuine = payoutRequested();
    const { envelope, instruction } = genuine;
    const forged = {
      ...genuine,
      envelope: { ...envelope, sequence: envelope.sequence + 1 },
      instruction: { ...instruction, endToEndId: 'FORGED' },
    };
    const record = (value: typeof genuine) => ({
      ...{ topic: 'payout.requested', partition: 0, key: envelope.transferId, headers: {} },
      value: codec.encode('payout.requested', value),
    });
    log.append([sealed(testRings, record(genuine)), record(forged)]);
    const messageUnder = (keys: Rings) =>
      payoutMessage({ log, codec, keys, chainPartitions: 1 }, envelope.transferId, SIDES);
    expect((await messageUnder(testRings)).xml).not.toContain('FORGED');
    expect((await messageUnder({})).xml).toContain('FORGED');
    expect([testRings, {}].map(isChecked)).toEqual([true, false]);
  });
});
