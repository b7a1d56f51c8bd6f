// What people read of cases, and what they type.
import { describe, expect, it } from 'vitest';
import type { FoundHold } from '../../operations/cases/inbox/find.ts';
import type { InboxRow } from '../../operations/cases/inbox/row.ts';
import { openCase } from '../../sinks/cases/to-write.ts';
import { AT, transferHeld } from '../../test/kit/builders.ts';
import { typedVerdict } from './confirm.ts';
import { footer, fromNow, jsonRow, line } from './rows.ts';
import { caseLines, howToDecide } from './shown.ts';

const row: InboxRow = {
  kind: 'HOLD',
  id: 'h',
  transferId: 't',
  stage: 'SCREENING',
  reasonCodes: ['RR04', 'AM14'],
  amount: { minor: 123_456n, currency: 'GBP' },
  corridor: 'GB-IN',
  openedAt: 0,
  expiresAt: 9,
  dueAt: 7_500_000,
  assigned: { by: 'amara', until: 8 },
  names: { sender: 'G***', beneficiary: 'R***' },
  flaw: null,
};

describe('a list', () => {
  it('is read without JSON', () => {
    expect(line(row, 3_600_000)).toEqual({
      due: 'in 1 h 5 min',
      stage: 'SCREENING',
      reason: 'RR04',
      amount: '1234.56 GBP',
      corridor: 'GB-IN',
      sender: 'G***',
      beneficiary: 'R***',
      opened: '1 h 0 min ago',
      assigned: 'amara',
      case: 'h',
    });
    expect(jsonRow(row)).toMatchObject({ dueAt: new Date(7_500_000), expiresAt: new Date(9) });
    expect([0, 59_000, 26 * 3_600_000].map((ms) => fromNow(ms, 0))).toEqual(['in 0 min', 'in 1 min', 'in 1 d 2 h']);
  });

  it('believes nothing of what somebody else wrote', () => {
    const shown = line({ ...row, flaw: 'CASE_ALTERED', names: null }, 0);
    expect(shown).toMatchObject({ due: 'at once', reason: 'CASE_ALTERED', amount: '-', corridor: '-', case: 'h' });
  });

  it('says how much there is, where the next page begins, and what is missing', () => {
    const total = { cases: 2, money: [{ minor: 5n, currency: 'EUR' }], withoutAmount: 1 };
    const missing = [{ source: 'NAMES', code: 'REGISTRY_UNAVAILABLE', detail: 'away' }] as const;
    expect(footer({ total, next: 'abc', complete: false, missing, unknownPayouts: 5 })).toEqual([
      '2 open cases: 0.05 EUR, 1 without a known amount',
      '5 payouts have an unknown outcome, not yet a case: corridor payouts list',
      'next page: --after abc',
      'THIS LIST IS NOT COMPLETE:',
      '  NAMES: away (REGISTRY_UNAVAILABLE)',
    ]);
    const nothing = { cases: 0, money: [], withoutAmount: 0 };
    expect(footer({ total: nothing, next: null, complete: true, missing: [], unknownPayouts: 0 })).toEqual([
      '0 open cases',
    ]);
  });
});

describe('a hold', () => {
  it('is shown with both sides of each hit, and suggests no verdict', () => {
    const hold = openCase(transferHeld());
    const { _id: id, transferId, evidenceHash: seen } = hold;
    const found: FoundHold = { kind: 'HOLD', id, transferId, isOpen: true, seen, hold, proven: true };
    const text = caseLines(found, { now: AT, assignment: undefined }).join('\n');
    expect(text).toMatch(/Sender +Gwen Hartley, person, born 1985-04-12, GB/);
    expect(text).toMatch(/name +Gwen Hartley +\S.*(AGREES|SIMILAR)/);
    expect(text).toMatch(/list \S+, (\d+ days? old|of an unknown day)/);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
    expect(howToDecide(found).join('')).toContain('--approve|--reject');
    expect(howToDecide({ ...found, isOpen: false })).toEqual([]);
  });
});

describe('a verdict', () => {
  const asked: string[] = [];
  const typing = (answer: string) => async (question: string) => {
    asked.push(question);
    return answer;
  };

  it('is typed whole, whatever its case, also when the command said it', async () => {
    expect(await typedVerdict(typing(' Approve '), { kind: 'HOLD' }, undefined)).toBe('APPROVE');
    expect(await typedVerdict(typing('close'), { kind: 'PAYOUT' }, 'CLOSE')).toBe('CLOSE');
    expect(asked[0]).toContain('approve or reject');
    expect(await typedVerdict(typing('reject 12'), { kind: 'HOLD' }, undefined, 12)).toBe('REJECT');
    await expect(typedVerdict(typing('reject'), { kind: 'HOLD' }, 'REJECT', 12)).rejects.toThrow(
      'reject 12 was not typed',
    );
  });

  it.each([
    ['', undefined],
    ['y', undefined],
    ['yes', undefined],
    ['app', undefined],
    ['close', undefined],
    ['reject', 'APPROVE'],
    ['', 'APPROVE'],
  ] as const)('%j decides nothing (asked for: %s)', async (answer, wanted) => {
    await expect(typedVerdict(typing(answer), { kind: 'HOLD' }, wanted)).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
    });
  });
});
