import { describe, expect, it } from 'vitest';
import type { Command } from './decide.ts';
import { nextDueAt } from './payout.ts';
import { instruction, replay, run, terms } from './testing/test-support.ts';

const submit = (change = {}): Command => ({ type: 'submit', instruction: instruction(change) });
const query: Command = { type: 'query' };
const cancel: Command = { type: 'cancel' };
const tick: Command = { type: 'tick' };

describe('a payout without a magic ending', () => {
  it('is accepted, then paid after the delay', () => {
    const { kinds, answers, payout } = run([
      { at: 1_000, command: submit() },
      { at: 1_199, command: query },
      { at: 1_200, command: query },
    ]);
    expect(kinds).toEqual(['submit', 'execution']);
    expect(answers.map((answer) => answer.type === 'payout' && answer.payout.runs[0]?.state)).toEqual([
      'ACCEPTED',
      'ACCEPTED',
      'PAID',
    ]);
    expect(payout?.runs[0]).toMatchObject({ state: 'PAID', paidAt: 1_200, transferId: 'T1' });
  });

  it('is paid in the answer when the delay is 0', () => {
    const { kinds, payout } = run([{ at: 1_000, command: submit() }], { ...terms, delayMs: 0 });
    expect(kinds).toEqual(['submit', 'execution']);
    expect(payout?.runs[0]?.state).toBe('PAID');
  });
});

describe('an outcome chosen by data', () => {
  it('pays at once', () => {
    const { kinds } = run([{ at: 1_000, command: submit({ scenario: { outcome: 'PAY', atOnce: true } }) }]);
    expect(kinds).toEqual(['submit', 'execution']);
  });

  it('pays at the n-th query, however much time passes', () => {
    const { kinds, answers } = run([
      { at: 1_000, command: submit({ scenario: { outcome: 'PAY', polls: 2 } }) },
      { at: 50_000, command: tick },
      { at: 50_000, command: query },
      { at: 50_001, command: query },
    ]);
    expect(kinds).toEqual(['submit', 'poll', 'poll', 'execution']);
    expect(answers.at(-1)).toMatchObject({ type: 'payout', payout: { runs: [{ state: 'PAID' }] } });
  });

  it('fails with its reason', () => {
    const scenario = { outcome: 'FAIL', reasonCode: 'AC04' } as const;
    const { records, payout } = run([
      { at: 1_000, command: submit({ scenario }) },
      { at: 1_200, command: tick },
    ]);
    expect(records.at(-1)).toMatchObject({ kind: 'failure', reasonCode: 'AC04' });
    expect(payout?.runs[0]).toMatchObject({ state: 'FAILED', reasonCode: 'AC04' });
  });

  it('comes back after it was paid', () => {
    const scenario = { outcome: 'RETURN', reasonCode: 'AC06' } as const;
    const { kinds, payout } = run([
      { at: 1_000, command: submit({ scenario }) },
      { at: 1_200, command: tick },
      { at: 1_499, command: tick },
      { at: 1_500, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'execution', 'return']);
    expect(payout?.runs[0]).toMatchObject({ state: 'RETURNED', reasonCode: 'AC06' });
    expect(nextDueAt(payout)).toBeNull();
  });

  it('is refused definitively, and so is the same key again', () => {
    const scenario = { outcome: 'REFUSE', reasonCode: 'AG01' } as const;
    const { answers, kinds } = run([
      { at: 1_000, command: submit({ scenario }) },
      { at: 1_001, command: submit({ scenario: { outcome: 'PAY' } }) },
      { at: 2_000, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'refusal', 'submit', 'refusal']);
    for (const answer of answers.slice(0, 2))
      expect(answer).toMatchObject({ type: 'error', code: 'DECLINED', reasonCode: 'AG01', definitive: true });
  });

  it('stays accepted until its expiry ends it', () => {
    const { kinds, payout } = run([
      { at: 1_000, command: submit({ scenario: { outcome: 'STALL' } }) },
      { at: 59_999, command: tick },
      { at: 60_000, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'expiry']);
    expect(payout?.runs[0]).toMatchObject({ state: 'EXPIRED', reasonCode: 'AB03' });
  });
});

describe('expiry', () => {
  it('refuses a submit that arrives at it, and the key for ever', () => {
    const { answers, kinds } = run([
      { at: 60_000, command: submit() },
      { at: 60_001, command: submit({ expiresAt: 99_000, hash: 'h2' }) },
      { at: 60_500, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'refusal', 'submit', 'refusal']);
    for (const answer of answers.slice(0, 2))
      expect(answer).toMatchObject({ code: 'EXPIRED', reasonCode: 'TM01', definitive: true, state: 'EXPIRED' });
  });

  it('ends an accepted payout that is due too late, also when the timer is late', () => {
    const dueLater = run([
      { at: 59_900, command: submit() },
      { at: 60_000, command: tick },
    ]);
    expect(dueLater.kinds).toEqual(['submit', 'expiry']);
    const timerLate = run([
      { at: 1_000, command: submit() },
      { at: 60_000, command: query },
    ]);
    expect(timerLate.kinds).toEqual(['submit', 'expiry']);
  });

  it('does not touch what was paid before it', () => {
    const { kinds, last } = run([
      { at: 1_000, command: submit() },
      { at: 1_200, command: tick },
      { at: 70_000, command: submit() },
    ]);
    expect(kinds).toEqual(['submit', 'execution', 'submit']);
    expect(last).toMatchObject({ type: 'payout', replayed: true, payout: { runs: [{ state: 'PAID' }] } });
  });
});

describe('cancel', () => {
  it('of an accepted payout keeps it from ever executing', () => {
    const { kinds, payout, answers } = run([
      { at: 1_000, command: submit() },
      { at: 1_100, command: cancel },
      { at: 1_200, command: tick },
      { at: 1_300, command: submit() },
    ]);
    expect(kinds).toEqual(['submit', 'cancel', 'submit', 'refusal']);
    expect(payout?.runs[0]?.state).toBe('CANCELLED');
    expect(answers.at(-1)).toMatchObject({ code: 'CANCELLED', definitive: true });
  });

  it('before the submit leaves a tombstone', () => {
    const { kinds, answers } = run([
      { at: 1_000, command: cancel },
      { at: 1_001, command: submit() },
      { at: 1_500, command: tick },
      { at: 1_501, command: query },
    ]);
    expect(kinds).toEqual(['cancel', 'submit', 'refusal']);
    expect(answers[1]).toMatchObject({ code: 'CANCELLED', definitive: true });
    expect(answers[3]).toMatchObject({ type: 'payout', payout: { closed: { state: 'CANCELLED' } } });
  });

  it('is refused once executed, also when the timer had not noticed that it was due', () => {
    const { kinds, last } = run([
      { at: 1_000, command: submit() },
      { at: 1_200, command: cancel },
    ]);
    expect(kinds).toEqual(['submit', 'execution', 'cancel']);
    expect(last).toMatchObject({ code: 'ALREADY_EXECUTED', definitive: false, state: 'PAID' });
  });

  it('of what failed leaves it failed', () => {
    const { last } = run([
      { at: 1_000, command: submit({ scenario: { outcome: 'FAIL', reasonCode: 'AC01' } }) },
      { at: 1_200, command: cancel },
    ]);
    expect(last).toMatchObject({ type: 'payout', payout: { runs: [{ state: 'FAILED' }] } });
  });
});

describe('a key used twice', () => {
  it('repeats the first answer while the body is the same', () => {
    const { kinds, last } = run([
      { at: 1_000, command: submit() },
      { at: 1_010, command: submit() },
      { at: 1_200, command: tick },
      { at: 1_400, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'submit', 'execution']);
    expect(last).toEqual({ type: 'none' });
  });

  it('is a mismatch with another body, and the first stands', () => {
    const { kinds, answers } = run([
      { at: 1_000, command: submit() },
      { at: 1_010, command: submit({ hash: 'h2' }) },
      { at: 1_200, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'submit', 'execution']);
    expect(answers[1]).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', definitive: false, state: 'ACCEPTED' });
  });

  it('executes twice with duplicate protection off', () => {
    const { kinds } = run(
      [
        { at: 1_000, command: submit() },
        { at: 1_010, command: submit() },
        { at: 1_300, command: tick },
      ],
      { ...terms, duplicateProtection: false },
    );
    expect(kinds).toEqual(['submit', 'submit', 'execution', 'execution']);
  });

  it('stays closed by expiry and cancel with duplicate protection off', () => {
    const off = { ...terms, duplicateProtection: false };
    const cancelled = run(
      [
        { at: 1_000, command: submit() },
        { at: 1_001, command: cancel },
        { at: 1_002, command: submit() },
        { at: 1_300, command: tick },
      ],
      off,
    );
    expect(cancelled.kinds).not.toContain('execution');
    const late = run(
      [
        { at: 1_000, command: submit() },
        { at: 1_200, command: tick },
        { at: 60_000, command: submit({ expiresAt: 90_000 }) },
        { at: 61_000, command: tick },
      ],
      off,
    );
    expect(late.kinds).toEqual(['submit', 'execution', 'submit', 'refusal']);
    expect(late.answers[2]).toMatchObject({ code: 'EXPIRED', definitive: false, state: 'PAID' });
  });
});

describe('a submit that breaks the contract', () => {
  it('closes its key', () => {
    const { answers, kinds } = run([
      { at: 1_000, command: { type: 'submit-invalid', transferId: null } },
      { at: 1_001, command: submit() },
    ]);
    expect(kinds).toEqual(['submit', 'refusal', 'submit', 'refusal']);
    for (const answer of answers) expect(answer).toMatchObject({ code: 'INVALID_REQUEST', definitive: true });
  });

  it('does not harm the payout that lives under its key', () => {
    const { answers, kinds } = run([
      { at: 1_000, command: submit() },
      { at: 1_001, command: { type: 'submit-invalid', transferId: 'T1' } },
      { at: 1_200, command: tick },
    ]);
    expect(kinds).toEqual(['submit', 'submit', 'refusal', 'execution']);
    expect(answers[1]).toMatchObject({ definitive: false, state: 'ACCEPTED' });
  });
});

describe('query', () => {
  it('finds nothing under an unknown key and leaves no trace', () => {
    const { records, last } = run([{ at: 1_000, command: query }]);
    expect(records).toEqual([]);
    expect(last).toMatchObject({ code: 'NOT_FOUND', definitive: false });
  });

  it('does not see a payout during its lag, though it executes', () => {
    const { answers, kinds } = run([
      { at: 1_000, command: { type: 'submit', instruction: instruction(), lagMs: 1_000 } },
      { at: 1_999, command: query },
      { at: 2_000, command: query },
    ]);
    expect(kinds).toEqual(['submit', 'execution']);
    expect(answers[1]).toMatchObject({ code: 'NOT_FOUND', definitive: false });
    expect(answers[2]).toMatchObject({ type: 'payout' });
  });
});

it('a dropped submit and a fault are recorded and change nothing', () => {
  const fault = { id: 'fault-1', rule: 'r', kind: 'reset-before' };
  const { records, payout } = run([
    { at: 1_000, command: { type: 'submit-dropped', transferId: 'T1', amount: null, fault } },
    { at: 1_000, command: { type: 'fault', on: 'query', fault } },
  ]);
  expect(records).toEqual([
    { at: 1_000, key: 'T1:1', transferId: 'T1', kind: 'submit', outcome: 'dropped', amount: null, fault },
    { at: 1_000, key: 'T1:1', transferId: null, kind: 'fault', on: 'query', fault },
  ]);
  expect(payout).toBeUndefined();
  expect(replay(records)).toBeUndefined();
});
