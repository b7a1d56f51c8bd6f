import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contracts } from '../../topics/catalogue.ts';
import { brokenTransition, ENDED, type ReachedState, STATE_OF_TOPIC, STATES, TRANSITIONS } from './transfer-states.ts';

/** The standing after a transition, as the table allows it. */
function follow(previous: ReachedState | undefined, choice: number): ReachedState | undefined {
  const rows = TRANSITIONS.filter(
    (row) => row.from === previous?.state && (row.from !== 'HELD' || row.by === previous?.stage),
  );
  const row = rows[choice % Math.max(1, rows.length)];
  if (row === undefined) return undefined;
  const attempt = (previous?.attempt ?? 1) + (row.attempt === 'next' ? 1 : 0);
  return { state: row.to, stage: row.by, sequence: (previous?.sequence ?? 0) + 1, attempt };
}

function walk(choices: readonly number[]): ReachedState[] {
  const path: ReachedState[] = [];
  for (const choice of choices) {
    const next = follow(path.at(-1), choice);
    if (next === undefined) break;
    path.push(next);
  }
  return path;
}

const choices = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 });

describe('the life of a transfer', () => {
  it('accepts every walk along the table', () => {
    fc.assert(
      fc.property(choices, (steps) => {
        const path = walk(steps);
        expect(path.map((reached, index) => brokenTransition(path[index - 1], reached))).toEqual(
          path.map(() => undefined),
        );
      }),
    );
  });

  it('refuses a walk in which one event is left out or told twice', () => {
    fc.assert(
      fc.property(choices, fc.nat(), fc.boolean(), (steps, at, twice) => {
        const path = walk(steps);
        const index = at % path.length;
        if (!twice && index === path.length - 1) return;
        const bent = twice ? path.toSpliced(index, 0, path[index]!) : path.toSpliced(index, 1);
        const faults = bent.map((reached, i) => brokenTransition(bent[i - 1], reached));
        expect(faults.some((fault) => fault !== undefined)).toBe(true);
      }),
    );
  });

  it('has a way on from every state but the ends, and no way out of rejected and returned', () => {
    for (const state of STATES) {
      const ways = TRANSITIONS.filter((row) => row.from === state);
      expect(ways.length > 0, state).toBe(!['REJECTED', 'RETURNED'].includes(state));
      expect(
        TRANSITIONS.some((row) => row.to === state),
        state,
      ).toBe(true);
    }
    for (const state of ENDED)
      expect(TRANSITIONS.filter((row) => row.from === state).every((row) => ENDED.has(row.to))).toBe(true);
  });

  it('lets only the stage that holds resume', () => {
    const held: ReachedState = { state: 'HELD', stage: 'SCREENING', sequence: 2, attempt: 1 };
    expect(brokenTransition(held, { state: 'SCREENED', stage: 'SCREENING', sequence: 3, attempt: 1 })).toBeUndefined();
    expect(brokenTransition(held, { state: 'RESERVED', stage: 'LIMITS', sequence: 3, attempt: 1 })).toContain(
      'held by SCREENING',
    );
  });

  it('names a state for every transition topic', () => {
    const topics = Object.values(contracts).filter((contract) => contract.kind === 'transition');
    expect(Object.keys(STATE_OF_TOPIC).sort()).toEqual(topics.map((contract) => contract.name).sort());
  });
});
