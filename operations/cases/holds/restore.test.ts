import { describe, expect, it } from 'vitest';
import { openCase } from '../../../sinks/cases/to-write.ts';
import { transferHeld } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { sealedDecision } from './decide.ts';
import { heldByStage, restoredCase } from './restore.ts';

const held = transferHeld();
const { holdId } = held.hold;
const opened = openCase(held);
const terms = { operators: KEYS.operators, needsTwo: () => [], isResumed: false };
const decision = sealedDecision(KEYS.operators, held.hold, {
  decision: 'REJECT',
  decidedBy: 'amara',
  decidedAt: new Date(held.envelope.occurredAt + 1),
  justification: 'same passport number',
});

describe('a case that was changed in the database', () => {
  it('is written again as it was opened, when it is gone or anything in it is other', () => {
    expect(restoredCase(undefined, held, terms)).toEqual(opened);
    for (const other of [{ evidenceHash: 'other' }, { instructedMinor: 1n }, { held: {} as never }, { reasons: [] }]) {
      expect(restoredCase({ ...opened, ...other }, held, terms)).toEqual(opened);
    }
  });

  it('keeps a decision that a person made on this very content, and no other', () => {
    const altered = { ...opened, instructedMinor: 1n, state: 'DECIDED' } as const;
    expect(restoredCase({ ...altered, decision }, held, terms)).toEqual({
      ...opened,
      state: 'DECIDED',
      decision,
      commandPending: true,
    });
    expect(restoredCase({ ...altered, decision: { ...decision, decision: 'APPROVE' } }, held, terms)).toEqual(opened);
    expect(restoredCase({ ...altered, decision: { ...decision, seal: null } }, held, terms)).toEqual(opened);
  });

  it('is left alone when it is whole, or its hold was resumed', () => {
    const refusal = (found: Parameters<typeof restoredCase>[0], isResumed = false) => {
      try {
        return restoredCase(found, held, { ...terms, isResumed });
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(refusal(opened)).toBe('CASE_WHOLE');
    expect(refusal({ ...opened, state: 'DECIDED', decision, commandPending: true })).toBe('CASE_WHOLE');
    expect(refusal(undefined, true)).toBe('HOLD_RESUMED');
  });

  it('is written again when it only looks decided, or its decision is never sent', () => {
    const lapse = { ...decision, decidedBy: 'hold-expiry', seal: null };
    const forged = { ...decision, seal: 'test.x' };
    const turns: Partial<typeof opened>[] = [
      { state: 'DECIDED' },
      { state: 'EXPIRED' },
      { state: 'EXPIRED', decision: lapse },
      { state: 'EXPIRED', decision: lapse, commandPending: true },
      { state: 'DECIDED', decision: forged, commandPending: true },
      { decision: forged },
      { commandPending: true },
      { state: 'PAID' as never },
    ];
    for (const turn of turns) expect(restoredCase({ ...opened, ...turn }, held, terms), turn.state).toEqual(opened);
    const sent = { ...opened, state: 'DECIDED', decision, commandPending: true } as const;
    expect(restoredCase({ ...sent, commandPending: false }, held, terms)).toEqual(sent);
    expect(restoredCase({ ...sent, state: 'OPEN' }, held, terms)).toEqual(sent);
  });

  it('is open again when one person approved what takes two: the stage has refused it, and nobody else ends it', () => {
    const of = (over: Partial<Omit<typeof decision, 'seal'>>) => {
      const { seal: _, ...said } = decision;
      const made = sealedDecision(KEYS.operators, held.hold, { ...said, decision: 'APPROVE', ...over });
      return { ...opened, state: 'DECIDED', decision: made, commandPending: false } as const;
    };
    const two = { ...terms, needsTwo: () => ['AMOUNT'] as const };
    expect(restoredCase(of({}), held, two)).toEqual(opened);
    expect(restoredCase(of({ agreedBy: 'Ämara' }), held, two)).toEqual(opened);
    const kept = [of({ agreedBy: 'bela' }), of({ glass: 'glass-1' }), of({ decision: 'REJECT' })];
    for (const each of kept) expect(restoredCase(each, held, two)).toEqual({ ...each, commandPending: true });
    expect(restoredCase(of({}), held, terms)).toMatchObject({ state: 'DECIDED', commandPending: true });
  });

  it('is taken from no event but that of a stage', () => {
    const forged = { ...held, hold: { ...held.hold, seal: 'test.x' } };
    const other = { ...held, instruction: { ...held.instruction, endToEndId: 'other' } };
    expect(heldByStage(KEYS, [forged, other], holdId)).toBeUndefined();
    expect(heldByStage(KEYS, [forged, other, held], holdId)).toBe(held);
    expect(heldByStage(KEYS, [held], 'another hold')).toBeUndefined();
  });
});
