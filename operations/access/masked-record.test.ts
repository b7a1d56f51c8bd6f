import { describe, expect, it } from 'vitest';
import { type AvroSchema, loadSchemas } from '../../schemas/load.ts';
import { findings } from '../../test/kit/builders.ts';
import { priced } from '../../test/kit/events.ts';
import { contracts } from '../../topics/catalogue.ts';
import { maskedRecord, PLAIN_FIELDS } from './masked-record.ts';

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
const written = {
  ...event,
  note: 'Hartley',
  instruction: { ...event.instruction, endToEndId: 'HARTLEY-GWEN-1985-02-03' },
};
/** Everything that tells who it is, whatever its case. */
const TELLS = /gwen|hartley|1985|555555|BUKB|elm|N1 9AB|flat|123456789|customer-1|secret/i;

/** Who acted, what others wrote, and what names a thing by a word of somebody's own. */
const MASKED = [
  ...['activatedBy', 'agreedBy', 'approvedBy', 'askedBy', 'changedBy', 'decidedBy', 'issuedBy', 'revokedBy', 'glass'],
  ...['endToEndId', 'providerReference', 'name', 'note', 'objectId', 'subject', 'id', 'credential', 'objectKind'],
  ...['program', 'roles', 'token'],
];
const SCHEMAS = loadSchemas();
const PERSONAL = /^(parties|candidates|justification|reason|detail|reference|content|asked)$/;

/** Names of the fields outside what is personal that hold text, enumerations among them. */
function textFields(type: AvroSchema, name: string, found: Set<string>, depth = 0): void {
  if (depth > 12) return;
  if (Array.isArray(type)) {
    for (const each of type) textFields(each, name, found, depth);
    return;
  }
  const schema = typeof type === 'string' ? SCHEMAS.get(type) : type;
  if (schema === undefined) {
    if (type === 'string') found.add(name);
    return;
  }
  if (schema.fields !== undefined) {
    for (const field of schema.fields)
      if (!PERSONAL.test(field.name)) textFields(field.type, field.name, found, depth + 1);
    return;
  }
  if (schema.type === 'enum') found.add(name);
  else if (schema.type === 'array') textFields(schema.items!, name, found, depth + 1);
  else textFields(schema.type as AvroSchema, name, found, depth + 1);
}

describe('a decoded record', () => {
  it.each(['masked', 'hidden'] as const)('tells nobody who its parties are, %s', (sight) => {
    const text = JSON.stringify(maskedRecord(event, sight));
    expect(text).not.toMatch(TELLS);
    expect(text).toContain('"ciphertext":"6 bytes"');
  });

  it.each(['masked', 'hidden'] as const)('shows no single word that somebody may have written, %s', (sight) => {
    expect(JSON.stringify(maskedRecord(written, sight))).not.toMatch(TELLS);
    // Nor a sentence where a code belongs.
    const { instruction } = event;
    const odd = { instruction: { ...instruction, purposeCode: 'for Gwen', kycTier: 'TIER_1' } };
    expect(maskedRecord(odd, sight)).toMatchObject({ instruction: { kycTier: 'TIER_1' } });
    expect(JSON.stringify(maskedRecord(odd, sight))).not.toMatch(TELLS);
  });

  it('shows the text of no field that nobody has looked at', () => {
    const fields = new Set<string>();
    for (const { record } of Object.values(contracts)) textFields(SCHEMAS.get(`corridor.${record}`)!, '', fields);
    expect([...fields].filter((name) => !PLAIN_FIELDS.has(name)).toSorted()).toEqual(MASKED.toSorted());
    expect([...PLAIN_FIELDS].filter((name) => !fields.has(name))).toEqual([]);
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
