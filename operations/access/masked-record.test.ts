import { describe, expect, it } from 'vitest';
import { findings } from '../../test/kit/builders.ts';
import { priced } from '../../test/kit/events.ts';
import { maskedRecord } from './masked-record.ts';

const event = {
  ...priced(),
  parties: {
    debtor: {
      ...{ customerId: 'customer-1', kind: 'PERSON', name: 'Gwen Hartley', birthDate: '1985-02-03', country: 'GB' },
      account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555', agent: 'BUKBGB22' },
      postalAddress: { street: 'Elm Row', building: '7', postCode: 'N1 9AB', lines: ['Flat 2'] },
      identifiers: [{ scheme: 'PASSPORT', value: '123456789', country: 'GB' }],
    },
    remittanceInformation: 'Rent for Gwen',
  },
  screening: findings(),
  ciphertext: Buffer.from('secret'),
  note: 'Gwen Hartley called',
};
/** Everything that tells who it is, whatever its case. */
const TELLS = /gwen|hartley|1985|555555|BUKB|elm|N1 9AB|flat|123456789|customer-1|secret/i;

describe('a decoded record', () => {
  it.each(['masked', 'hidden'] as const)('tells nobody who its parties are, %s', (sight) => {
    const text = JSON.stringify(maskedRecord(event, sight));
    expect(text).not.toMatch(TELLS);
    expect(text).toContain('"ciphertext":"6 bytes"');
  });

  it('tells money, ids, codes and times to everybody, and two names apart to whoever works on it', () => {
    const whole = event as unknown as { envelope: { transferId: string }; instruction: { purposeCode: string } };
    expect(maskedRecord(event, 'masked')).toMatchObject({
      envelope: { transferId: whole.envelope.transferId },
      instruction: {
        purposeCode: whole.instruction.purposeCode,
        instructedAmount: { minor: expect.stringMatching(/^\d+$/) },
      },
      parties: {
        debtor: { kind: 'PERSON', name: 'G••• H•••', birthDate: '•••', account: { scheme: 'IBAN', value: '•••' } },
        remittanceInformation: 'R••• f••• G•••',
      },
    });
    expect(maskedRecord(event, 'hidden')).toMatchObject({ parties: { debtor: { name: '•••' } } });
  });

  it('has the paths that a patch has', () => {
    const { parties } = event;
    expect(maskedRecord({ parties: { 'corridor.Parties': parties } }, 'full')).toMatchObject({ parties });
  });

  it('is as it is for who may see it so', () => {
    expect(maskedRecord(event, 'full')).toMatchObject({
      parties: { debtor: { birthDate: '1985-02-03' } },
      note: event.note,
    });
  });
});
