// What stands in an entry, what does not, and when it stands there.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { audited } from './audit.ts';
import { type Act, entryFlaw, entryOf, hashedId, ticketNumber } from './entry.ts';
import { fakeAudit } from './testing/fake-audit.ts';

const asha = { subject: 'asha', roles: ['operator'], credential: 'TOKEN' } as const;
const replay = { who: asha, action: 'replays.approve', on: { kind: 'replays', id: 'r-1' } } as const;
const TERMS = { entryId: '00000000-0000-4000-8000-000000000001', at: 1, program: 'test' };

describe('an entry', () => {
  it('says who, what, on what and with what outcome', () => {
    const act: Act = {
      ...replay,
      on: { kind: 'replays', id: 'r-1', isKnown: true },
      outcome: 'DONE',
      decidedOn: 'ab'.repeat(32),
      reference: 'INC-12',
      requestId: 'c'.repeat(32),
    };
    expect(entryOf(act, TERMS)).toEqual({
      ...{ entryId: TERMS.entryId, at: 1, program: 'test', subject: 'asha', roles: ['operator'], credential: 'TOKEN' },
      ...{ action: 'replays.approve', objectKind: 'replays', objectId: 'r-1', outcome: 'DONE', reasonCode: null },
      ...{ reference: 'INC-12', decidedOn: 'ab'.repeat(32), requestId: 'c'.repeat(32), partOf: null, count: 1 },
    });
  });

  it('holds nothing that somebody typed: neither an id that nothing has shown to be one, nor a text', () => {
    const planted = 'Gwen Hartley DE89370400440532013000';
    const entry = entryOf(
      {
        who: { ...asha, roles: [planted] },
        action: 'cases.decide',
        on: { kind: 'cases', id: planted },
        outcome: 'FAILED',
        reasonCode: planted,
        reference: planted,
        decidedOn: planted,
        requestId: planted,
        partOf: planted,
      },
      TERMS,
    );
    expect(JSON.stringify(entry)).not.toMatch(/Gwen|Hartley|DE8937/);
    expect(entry.objectId).toBe(hashedId(planted));
    expect(() => ticketNumber('Gwen Hartley')).toThrow(/INC-1234/);
    expect(ticketNumber('INC-1234')).toBe('INC-1234');
  });

  it('is one that the sequencer takes, whatever it is made of', () => {
    const text = fc.string({ unit: 'binary', maxLength: 250 });
    fc.assert(
      fc.property(
        fc.record({ subject: fc.option(text), id: text, code: text, decidedOn: text, isKnown: fc.boolean() }),
        ({ subject, id, code, decidedOn, isKnown }) => {
          const who = { subject: subject?.trim() ? subject : null, roles: [id], credential: 'CLAIMED' as const };
          const on = { kind: 'cases', id, isKnown };
          const act: Act = { who, action: 'cases.decide', on, outcome: 'DENIED', reasonCode: code, decidedOn };
          expect(entryFlaw(entryOf(act, TERMS))).toBeUndefined();
        },
      ),
    );
  });

  it('has a name of an act, or is none', () => {
    expect(() => entryOf({ ...replay, action: 'Replays.approve!', outcome: 'DONE' }, TERMS)).toThrow(/no name/);
  });
});

describe('an audited act', () => {
  it('is in the log before it is done, and again with what came of it and of each item', async () => {
    const audit = fakeAudit();
    const result = await audited(
      audit,
      replay,
      async (entryId) => {
        expect(audit.entries).toMatchObject([{ entryId, outcome: 'ALLOWED', objectId: hashedId('r-1') }]);
        return 2;
      },
      () => ({
        decidedOn: 'cd'.repeat(32),
        items: ['l-1', 'l-2'].map((id) => ({ on: { kind: 'letters', id, isKnown: true }, outcome: 'DONE' as const })),
      }),
    );
    expect(result).toBe(2);
    const partOf = audit.entries[0]!.entryId;
    expect(audit.entries.slice(1)).toMatchObject([
      { objectId: 'r-1', outcome: 'DONE', partOf, decidedOn: 'cd'.repeat(32) },
      { objectKind: 'letters', objectId: 'l-1', outcome: 'DONE', partOf, subject: 'asha' },
      { objectKind: 'letters', objectId: 'l-2', outcome: 'DONE', partOf, subject: 'asha' },
    ]);
  });

  it('that fails says so, with the code, and throws on', async () => {
    const audit = fakeAudit();
    const failing = audited(audit, replay, async () => {
      throw new CodedError('REPLAY_MOVED', 'it is in another state by now');
    });
    await expect(failing).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
    expect(audit.entries.map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual([
      ['ALLOWED', null],
      ['FAILED', 'REPLAY_MOVED'],
    ]);
    expect(audit.entries[1]!.objectId).toBe(hashedId('r-1'));
  });

  it('that cannot be recorded is not done', async () => {
    const audit = fakeAudit();
    audit.isDown = true;
    let isDone = false;
    const act = audited(audit, replay, async () => {
      isDone = true;
    });
    await expect(act).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE', faultClass: 'transient-dependency' });
    expect(isDone).toBe(false);
  });
});
