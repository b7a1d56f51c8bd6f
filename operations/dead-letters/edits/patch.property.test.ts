// No patch whatsoever changes a locked field, or survives with a value that the schema does not take.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../../ports/fault.ts';
import { editableFields, withEdit } from '../../../processors/edits.ts';
import { accepted, priced, requested, reserved, screened } from '../../../test/kit/events.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { editOf, patchable, patchIn } from './patch.ts';

const LETTERS = [
  ['intake', 'transfer.requested', requested()],
  ['screening', 'transfer.accepted', accepted()],
  ['fx-pricing', 'transfer.screened', screened()],
  ['limits', 'transfer.priced', priced()],
  ['payout-dispatch', 'transfer.reserved', reserved()],
] as const;

function pathsIn(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, `${path}/${name}`))];
}
const paths = [...new Set(LETTERS.flatMap(([, , value]) => pathsIn(patchable(value))))];
const step = fc.record(
  {
    op: fc.constantFrom('add', 'replace', 'remove', 'test', 'move', 'copy', 'nothing'),
    path: fc.oneof(
      fc.constantFrom(...paths, '/parties/remittanceInformation', '/purposeCode', '/requestedExecutionDate'),
      fc.constantFrom('/__proto__/x', '/constructor/prototype/x', '/parties/-', '/purposeCode/0', '/~0', 'purposeCode'),
    ),
    value: fc.oneof(
      fc.constantFrom<unknown>(null, 1, {}, [], 'SALA', '1', '\ud800', '2026-11-30'),
      fc.string(),
      fc.jsonValue(),
    ),
    from: fc.constantFrom(...paths),
  },
  { requiredKeys: ['op', 'path'] },
);

const open = fc.record({
  op: fc.constantFrom('add', 'replace'),
  path: fc.constantFrom('/parties/remittanceInformation', '/purposeCode', '/requestedExecutionDate'),
  value: fc.oneof(fc.constantFrom('SALA', 'rent', null), fc.string({ maxLength: 6 })),
});

/** All of a record but what may be edited. */
function locked(owner: string, topic: string, value: unknown): string {
  const names = editableFields(owner, topic).map(({ path }) => path.slice(1).split('/').at(-1));
  return JSON.stringify(patchable(value), (name, inner: unknown) => (names.includes(name) ? undefined : inner));
}

describe('a patch', () => {
  it('changes nothing that is locked, and leaves what the schema takes and reads back', async () => {
    const codec = memoryCodec();
    let made = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LETTERS),
        fc.array(fc.oneof(step, open), { maxLength: 4 }),
        async ([owner, topic, value], typed) => {
          try {
            const edit = editOf(owner, topic, value, patchIn(typed));
            const edited = withEdit<unknown>(owner, topic, value, edit);
            if (!edited.ok) throw new Error(edited.detail);
            made++;
            expect(edit.length).toBeGreaterThan(0);
            expect(locked(owner, topic, edited.value)).toBe(locked(owner, topic, value));
            const [read] = await codec.decode(topic, [codec.encode(topic, edited.value as never)]);
            expect(read).toMatchObject({ ok: true });
            expect(patchable(read!.ok ? read!.value : undefined)).toEqual(patchable(edited.value));
          } catch (error) {
            if (!isCoded(error)) throw error;
            expect(['EDIT_INVALID', 'EDIT_LOCKED', 'EDIT_TEST_FAILED']).toContain(error.code);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(made).toBeGreaterThan(50);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  const said = (patch: unknown, [owner, topic, value]: readonly [string, string, unknown] = LETTERS[0]) => {
    try {
      return editOf(owner, topic, value, patchIn(patch));
    } catch (error) {
      return isCoded(error) ? error.code : error;
    }
  };
  const set = (path: string, value: unknown) => [{ op: 'replace', path, value }];

  it('is an edit of the few texts that may be edited', () => {
    expect(said(set('/purposeCode', 'SALA'))).toEqual([{ path: '/purposeCode', value: 'SALA' }]);
    const test = { op: 'test', path: '/instructedAmount/minor', value: '50000' };
    expect(said([test, ...set('/parties/remittanceInformation', 'rent')])).toEqual([
      { path: '/parties/remittanceInformation', value: 'rent' },
    ]);
    const removed = [
      ...set('/requestedExecutionDate', '2026-11-30'),
      { op: 'remove', path: '/requestedExecutionDate' },
    ];
    expect(said([...set('/purposeCode', 'SALA'), ...removed])).toEqual([{ path: '/purposeCode', value: 'SALA' }]);
  });

  it.each([
    ['EDIT_LOCKED', set('/instructedAmount/minor', '1')],
    ['EDIT_LOCKED', set('/parties', {})],
    ['EDIT_LOCKED', set('/parties/creditor/account/value', 'GB00')],
    ['EDIT_LOCKED', set('/parties/debtor/name', 'x')],
    ['EDIT_LOCKED', set('', {})],
    ['EDIT_TEST_FAILED', [{ op: 'test', path: '/purposeCode', value: 'SALA' }, ...set('/purposeCode', 'RENT')]],
    ['EDIT_INVALID', set('/purposeCode', 7)],
    ['EDIT_INVALID', set('/purposeCode', 'DEPD')],
    ['EDIT_INVALID', set('/purposeCode', null)],
    ['EDIT_INVALID', set('/purposeCode', 'SALAR')],
    ['EDIT_INVALID', set('/parties/remittanceInformation', 'a\u202eb')],
    ['EDIT_INVALID', [{ op: 'move', from: '/purposeCode', path: '/purposeCode' }]],
    ['EDIT_INVALID', []],
    ['EDIT_INVALID', { op: 'replace' }],
    ['EDIT_INVALID', Array(21).fill({ op: 'test', path: '/purposeCode', value: 'DEPD' })],
  ])('is refused with %s: %j', (code, patch) => expect(said(patch)).toBe(code));

  it('behind intake is one of the remittance information alone', () => {
    for (const letter of LETTERS.slice(1)) {
      expect(said(set('/instruction/purposeCode', 'SALA'), letter)).toBe('EDIT_LOCKED');
      expect(said(set('/parties/remittanceInformation', 'rent'), letter)).toHaveLength(1);
    }
    expect(said(set('/payout/status', 'x'), ['settlement', 'payout.updated', {}])).toBe('EDIT_LOCKED');
  });
});
