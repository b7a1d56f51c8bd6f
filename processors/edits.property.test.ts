// Whatever an edit says: what is locked stays the very same, and what is edited is a text that the schema and intake take.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainText } from '../domain/text/text.ts';
import { recordType } from '../schemas/avro-types.ts';
import { accepted, completed, dispatched, priced, requested, reserved, screened } from '../test/kit/events.ts';
import { contractOf } from '../topics/catalogue.ts';
import { type Edit, editableFields, editIn, editText, fieldAt, withEdit } from './edits.ts';
import { ownersOfLetters } from './topology.ts';

const VALUES: Readonly<Record<string, unknown>> = {
  'transfer.requested': requested(),
  'transfer.accepted': accepted(),
  'transfer.screened': screened(),
  'transfer.priced': priced(),
  'transfer.reserved': reserved(),
  'payout.requested': dispatched(),
  'transfer.completed': completed(),
};

/** Paths to everything in a record, with and without the name of a union branch, and others. */
function pathsIn(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, `${path}/${name}`))];
}
const all = Object.values(VALUES).flatMap((value) => pathsIn(value));
const paths = fc.constantFrom(
  ...new Set([...all, ...all.map((path) => path.replace('/corridor.Parties', '')), '/__proto__/x', '/constructor', '']),
);
const texts = fc.oneof(
  fc.constantFrom('SALA', 'invoice 42', '', ' ', '\u0000', '\ud800', 'x'.repeat(141)),
  fc.string(),
);
const values = fc.oneof(texts, fc.constant(null));
const edits = fc.uniqueArray(fc.record({ path: paths, value: values }), { selector: ({ path }) => path, maxLength: 5 });
const topics = fc.constantFrom(...Object.keys(VALUES));
const owners = fc.constantFrom(...ownersOfLetters);

/** The record with what may be edited taken out. */
function locked(owner: string, topic: string, value: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  for (const { path } of editableFields(owner, topic)) {
    const [, first = '', second] = path.split('/');
    const parties = copy['parties'] as Record<string, Record<string, unknown>>;
    if (second === undefined) delete copy[first];
    else delete parties['corridor.Parties']![second];
  }
  return copy;
}

describe('an edit', () => {
  it('changes nothing that is locked, and nothing to what the schema does not take', () => {
    fc.assert(
      fc.property(owners, topics, edits, (owner, topic, edit) => {
        const value = VALUES[topic]!;
        const before = structuredClone(value);
        const edited = withEdit(owner, topic, value, edit);
        expect(value).toEqual(before);
        if (!edited.ok) return;
        expect(locked(owner, topic, edited.value)).toEqual(locked(owner, topic, value));
        const type = recordType(contractOf(topic)!.record);
        expect(type.fromBuffer(type.toBuffer(edited.value))).toEqual(type.fromBuffer(type.toBuffer(edited.value)));
        for (const { path, value: to } of edit) {
          expect(fieldAt(type.fromBuffer(type.toBuffer(edited.value)), path)).toBe(to);
          if (to !== null) expect(isPlainText(to)).toBe(true);
        }
      }),
    );
  });

  it('of what may have been paid, of commands and of sinks is refused whatever it says', () => {
    for (const owner of ownersOfLetters) {
      for (const { name } of [{ name: 'payout.requested' }, { name: 'review.decided' }, { name: 'payout.updated' }]) {
        expect(editableFields(owner, name)).toEqual([]);
      }
      if (/^(sink-|payout-executor|settlement)/.test(owner)) {
        for (const topic of Object.keys(VALUES)) expect(editableFields(owner, topic)).toEqual([]);
      }
    }
  });

  it('never names money, currency, side, persons, accounts, ids, prices or evidence', () => {
    const open = new Set(
      ownersOfLetters.flatMap((owner) => Object.keys(VALUES).flatMap((topic) => editableFields(owner, topic))),
    );
    expect([...new Set([...open].map(({ path }) => path))].toSorted()).toEqual([
      '/parties/remittanceInformation',
      '/purposeCode',
      '/requestedExecutionDate',
    ]);
  });

  it('of sealed parties leaves them as they are', () => {
    const sealed = { 'corridor.SealedParties': { keyId: 'k', algorithm: 'a', ciphertext: Buffer.from('x') } };
    const edit: Edit = [{ path: '/parties/remittanceInformation', value: 'x' }];
    expect(withEdit('screening', 'transfer.accepted', { ...accepted(), parties: sealed }, edit).ok).toBe(false);
  });

  it('has one text, and no other text is one', () => {
    fc.assert(
      fc.property(edits, fc.json(), (edit, other) => {
        const text = editText(edit);
        const read = editIn(text);
        if (edit.length === 0 || text.length > 2_000) expect(read).toBeUndefined();
        else expect(editText(read!)).toBe(text);
        expect(editIn(other) === undefined || editText(editIn(other)!) === other).toBe(true);
      }),
    );
    const twice = '[{"op":"replace","path":"/a","value":"1"},{"op":"replace","path":"/a","value":"2"}]';
    for (const none of [twice, '[null]', '[]', '{}', '[{"op":"add","path":"/a","value":"1"}]'])
      expect(editIn(none)).toBeUndefined();
  });
});
