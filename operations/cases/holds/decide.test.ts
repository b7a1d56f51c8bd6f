import { describe, expect, it } from 'vitest';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { openCase } from '../../../sinks/cases/to-write.ts';
import { transferHeld } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { decideCase, listHolds, showHold } from './cases.ts';
import { checkDecided, decideHold, type HoldVerdict, lapseAt, sealedDecision } from './decide.ts';

const { operators } = KEYS;
const opened = openCase(transferHeld());
const at = new Date(opened.expiresAt.getTime() - 1);
const verdict: HoldVerdict = {
  holdId: opened._id,
  evidenceHash: opened.evidenceHash,
  decision: 'REJECT',
  by: ' amara ',
  reason: 'same passport number',
  at,
};
const decided: CaseDocument = { ...opened, state: 'DECIDED', decision: decideHold(opened, verdict, operators) };

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('a decision on a held transfer', () => {
  it('is that of the person, sealed over the hold and the evidence', () => {
    const { seal, ...made } = decideHold(opened, verdict, operators);
    expect(made).toEqual({ decision: 'REJECT', decidedBy: 'amara', decidedAt: at, justification: verdict.reason });
    expect(seal).toBe(decided.decision?.seal);
    expect(codeOf(() => checkDecided(decided, operators, at.getTime()))).toBeUndefined();
  });

  const lapsed = { ...verdict, at: opened.expiresAt };
  it.each<[string, CaseDocument | undefined, Partial<HoldVerdict>]>([
    ['CASE_UNKNOWN', undefined, {}],
    ['CASE_ALTERED', { ...opened, instructedMinor: 1n }, {}],
    ['CASE_ALTERED', { ...decided, held: {} as never }, {}],
    ['CASE_ALTERED', { ...opened, evidenceHash: 'other' }, { evidenceHash: 'other' }],
    ['CASE_ALTERED', { ...opened, expiresAt: new Date(opened.expiresAt.getTime() + 1) }, lapsed],
    ['CASE_NOT_OPEN', decided, {}],
    ['CASE_NOT_OPEN', decided, { evidenceHash: 'other' }],
    ['CASE_NOT_OPEN', { ...opened, state: 'EXPIRED', decision: lapseAt(at) }, lapsed],
    ['CASE_NOT_OPEN', { ...opened, state: 'EXPIRED' }, {}],
    ['EVIDENCE_CHANGED', opened, { evidenceHash: 'other' }],
    ['EVIDENCE_CHANGED', opened, { ...lapsed, evidenceHash: 'other' }],
    ['HOLD_LAPSED', opened, lapsed],
    ['PERSON_INVALID', opened, { by: 'Hold-Expiry' }],
    ['PERSON_INVALID', undefined, { by: '' }],
    ['JUSTIFICATION_INVALID', opened, { reason: ' ' }],
  ])('is refused as %s (%#)', (code, found, asked) => {
    expect(codeOf(() => decideHold(found, { ...verdict, ...asked }, operators))).toBe(code);
  });
});

describe('a decided case', () => {
  const lapse = lapseAt(new Date(opened.expiresAt.getTime() + 1));
  const expired: CaseDocument = { ...opened, state: 'EXPIRED', decision: lapse };
  const after = opened.expiresAt.getTime() + 1;
  it.each<[string | undefined, CaseDocument, number]>([
    [undefined, decided, after],
    [undefined, expired, after],
    ['HOLD_NOT_EXPIRED', expired, after - 1],
    ['HOLD_NOT_EXPIRED', { ...expired, decision: { ...lapse, decision: 'APPROVE' } }, after],
    ['DECISION_NOT_SEALED', { ...decided, decision: null }, after],
    ['DECISION_NOT_SEALED', { ...decided, decision: { ...decided.decision!, decision: 'APPROVE' } }, after],
    ['DECISION_NOT_SEALED', { ...decided, decision: { ...decided.decision!, seal: null } }, after],
    ['DECISION_NOT_SEALED', { ...decided, decision: { ...decided.decision!, decidedBy: 'bela' } }, after],
    ['CASE_ALTERED', { ...decided, reasons: [] }, after],
  ])('goes to the log, or is refused: %s (%#)', (code, found, now) => {
    expect(codeOf(() => checkDecided(found, operators, now))).toBe(code);
  });
});

describe('deciding a case', () => {
  /** A store whose case changes between the look and the write. */
  const racing = (...looks: readonly (CaseDocument | undefined)[]) => {
    let look = 0;
    return { find: async () => looks[look++], decide: async () => undefined };
  };

  it('writes what was decided', async () => {
    const written: unknown[] = [];
    const store = {
      find: async () => opened,
      decide: async (...given: unknown[]) => {
        written.push(given);
        return decided;
      },
    };
    expect(await decideCase(store, verdict, operators)).toBe(decided);
    expect(written).toEqual([[opened._id, opened.evidenceHash, decided.decision]]);
  });

  it('writes nothing when it is refused', async () => {
    const store = { find: async () => decided, decide: () => Promise.reject(new Error('written')) };
    await expect(decideCase(store, verdict, operators)).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
  });

  it.each<[string, CaseDocument | undefined]>([
    ['CASE_NOT_OPEN', decided],
    ['CASE_UNKNOWN', undefined],
    ['CASE_ALTERED', { ...opened, reasons: [] }],
    ['CASE_MOVED', opened],
  ])('says %s when somebody was faster', async (code, meanwhile) => {
    await expect(decideCase(racing(opened, meanwhile), verdict, operators)).rejects.toMatchObject({ code });
  });
});

describe('what is shown of cases', () => {
  it('says of each whether it can be relied on', async () => {
    const forged = { ...decided, decision: { ...decided.decision!, seal: null } };
    const store = { list: async () => [opened, decided, forged, { ...opened, reasons: [] }] };
    const listed = await listHolds(store, { limit: 9 }, operators);
    expect(listed.map(({ state }) => state)).toEqual(['OPEN', 'DECIDED', 'NOT SEALED', 'ALTERED']);
    expect(listed.at(-1)).toEqual({ holdId: opened._id, state: 'ALTERED', altered: ['reasons'] });
  });

  it('is no case that is not there, and none that was changed', async () => {
    const show = (found: CaseDocument | undefined) => showHold({ find: async () => found }, opened._id, operators);
    await expect(show(undefined)).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    await expect(show({ ...opened, reasons: [] })).rejects.toMatchObject({ code: 'CASE_ALTERED' });
    expect(await show(opened)).toEqual({ ...opened, proven: true });
    const unproven = { ...opened, decision: sealedDecision(operators, opened.held.hold, decided.decision!) };
    expect(await show(unproven)).toMatchObject({ proven: false });
  });
});
