import fc from 'fast-check';
import { expect, it } from 'vitest';
import { times } from '../test/kit/times.ts';
import { VISIBLE_WITHIN_MS } from './api.ts';
import type { Command, Terms } from './decide.ts';
import { nextDueAt, stateOf } from './payout.ts';
import type { RecordBody } from './records.ts';
import { allScenarios, scenarioOf } from './scenarios.ts';
import { instruction, replay, run, type Step } from './testing/test-support.ts';

const scenario = fc.constantFrom(scenarioOf('1'), ...allScenarios().values());
const fault = { id: 'fault-1', rule: 'r', kind: 'late' };

/** Commands for one key: few different bodies and expiries, so that repetitions, mismatches and late arrivals abound. */
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        scenario,
        hash: fc.constantFrom('h1', 'h2'),
        expiresAt: fc.constantFrom(1_500, 3_000, 9_000),
        lagMs: fc.constantFrom(0, 0, 700, VISIBLE_WITHIN_MS),
      })
      .map(({ lagMs, ...change }): Command => ({ type: 'submit', instruction: instruction(change), lagMs })),
  },
  { weight: 4, arbitrary: fc.constant<Command>({ type: 'query' }) },
  { weight: 2, arbitrary: fc.constant<Command>({ type: 'tick' }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'cancel' }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'submit-invalid', transferId: 'T1' }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'submit-dropped', transferId: 'T1', amount: null, fault }) },
);

const steps: fc.Arbitrary<Step[]> = fc
  .array(fc.record({ wait: fc.constantFrom(0, 1, 100, 400, 2_000, 6_000), command }), { minLength: 1, maxLength: 25 })
  .map((list) => {
    let at = 1_000;
    const timed = list.map(({ wait, command: next }) => {
      at += wait;
      return { at, command: next };
    });
    // Long after the last command, whatever can still happen has happened.
    return [...timed, { at: at + 100_000, command: { type: 'tick' } as const }];
  });

const terms: fc.Arbitrary<Terms> = fc.record({
  now: fc.constant(0),
  duplicateProtection: fc.boolean(),
  delayMs: fc.constantFrom(0, 200, 1_000),
  returnDelayMs: fc.constantFrom(0, 500),
});

const runs = { numRuns: times(3_000) };
const executionsIn = (records: readonly RecordBody[]) => records.filter(({ kind }) => kind === 'execution');

it('nothing executes at or after its expiry', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records, payout } = run(list, base);
      for (const record of records) {
        if (record.kind !== 'execution') continue;
        expect(record.at).toBeLessThan(payout?.runs[record.run - 1]?.expiresAt ?? 0);
      }
    }),
    runs,
  );
});

it('nothing executes after a confirmed cancel, nor before one', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records } = run(list, base);
      const confirmed = records.some((record) => record.kind === 'cancel' && record.outcome === 'cancelled');
      if (confirmed) expect(executionsIn(records)).toEqual([]);
    }),
    runs,
  );
});

it('a key executes at most once with duplicate protection, and at most once for each accepted submit without', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records } = run(list, base);
      const accepted = records.filter((record) => record.kind === 'submit' && record.outcome === 'accepted');
      expect(executionsIn(records).length).toBeLessThanOrEqual(accepted.length);
      if (base.duplicateProtection) expect(accepted.length).toBeLessThanOrEqual(1);
      const byRun = executionsIn(records).map((record) => record.kind === 'execution' && record.run);
      expect(new Set(byRun).size).toBe(byRun.length);
    }),
    runs,
  );
});

it('without duplicate protection, each accepted submit whose data pays executes unless expiry or cancel ends it', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records, payout } = run(list, { ...base, duplicateProtection: false });
      for (const { number, scenario: chosen, state } of payout?.runs ?? []) {
        const executed = executionsIn(records).some((record) => record.kind === 'execution' && record.run === number);
        expect(executed).toBe(state === 'PAID' || state === 'RETURNED');
        if (chosen.outcome === 'FAIL' || chosen.outcome === 'STALL') expect(executed).toBe(false);
        expect(state).not.toBe('ACCEPTED');
      }
    }),
    runs,
  );
});

it('a definitive answer and a dead state are true: the key has not executed and never does', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records, answers } = run(list, base);
      const promised = answers.some((answer) => {
        if (answer.type === 'error') return answer.definitive;
        if (answer.type !== 'payout' || !base.duplicateProtection) return false;
        return ['FAILED', 'EXPIRED', 'CANCELLED', 'REFUSED'].includes(stateOf(answer.payout));
      });
      if (promised) expect(executionsIn(records)).toEqual([]);
    }),
    runs,
  );
});

it('NOT_FOUND, once the visibility time after the expiry is over, is true for good', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records, answers, payout } = run(list, base);
      for (const [index, answer] of answers.entries()) {
        if (answer.type !== 'error' || answer.code !== 'NOT_FOUND') continue;
        const asOf = list[index]?.at ?? 0;
        const ruledOut = (payout?.runs ?? []).filter(({ expiresAt }) => expiresAt + VISIBLE_WITHIN_MS <= asOf);
        const executed = executionsIn(records).map((record) => record.kind === 'execution' && record.run);
        for (const { number } of ruledOut) expect(executed).not.toContain(number);
      }
    }),
    runs,
  );
});

it('the ledger, replayed, gives the state', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const { records, payout } = run(list, base);
      expect(replay(records)).toEqual(payout);
    }),
    runs,
  );
});

it('time alone changes nothing before nextDueAt, and something then', () => {
  fc.assert(
    fc.property(steps, terms, (list, base) => {
      const before = run(list.slice(0, -1), base);
      const due = nextDueAt(before.payout);
      const at = list.at(-2)?.at ?? 0;
      if (due === null) {
        expect(run(list, base).records).toEqual(before.records);
        return;
      }
      const early = [...list.slice(0, -1), { at: Math.max(at, due - 1), command: { type: 'tick' } as const }];
      const onTime = [...list.slice(0, -1), { at: Math.max(at, due), command: { type: 'tick' } as const }];
      if (due > at) expect(run(early, base).records).toEqual(before.records);
      expect(run(onTime, base).records.length).toBeGreaterThan(before.records.length);
    }),
    runs,
  );
});
