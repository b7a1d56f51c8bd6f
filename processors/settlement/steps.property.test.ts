// Payout updates as they may really come: repeated, reordered, contradicting. Whatever comes, what is emitted is a legal
// path, and each command has one outcome for ever.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brokenTransition, type ReachedState } from '../../domain/transfers/transfer-states.ts';
import type { PayoutStatus, PayoutUpdated } from '../../schemas/types.generated.ts';
import { payoutRequested, payoutUpdated } from '../../test/kit/builders.ts';
import { times } from '../../test/kit/times.ts';
import type { SettlementClaim, SettlementEnd } from './ports.ts';
import { advance, type StepOutcome } from './steps.ts';

const requested = payoutRequested();
const base = requested.envelope.sequence;

/** The payout.requested of an attempt; each later attempt is four transitions further on. */
function requestedFor(attempt: number) {
  return { ...requested, envelope: { ...requested.envelope, attempt, sequence: base + (attempt - 1) * 4 } };
}
const status = fc.constantFrom<PayoutStatus>('ACCEPTED', 'OUTCOME_UNKNOWN', 'PAID', 'FAILED', 'RETURNED', 'EXPIRED');
const update: fc.Arbitrary<PayoutUpdated> = fc
  .record({ version: fc.integer({ min: 1, max: 6 }), status, attempt: fc.integer({ min: 1, max: 3 }) })
  .map(({ version, status: state, attempt }) =>
    payoutUpdated(requestedFor(attempt), { version, status: state, commandId: `${version}-${state}-${attempt}` }),
  );

const STATE = {
  completed: 'COMPLETED',
  rejected: 'REJECTED',
  returned: 'RETURNED',
  requote: 'REQUOTING',
} as const satisfies Record<SettlementEnd, string>;

type Placed = { readonly value: PayoutUpdated; readonly position: string; readonly appendedAt: number };
const placed = (updates: readonly PayoutUpdated[]): Placed[] =>
  updates.map((value, offset) => ({ value, position: `payout.updated:0:${offset}`, appendedAt: 0 }));

function fold(updates: readonly PayoutUpdated[]) {
  return foldPlaced(placed(updates));
}

function foldPlaced(updates: readonly Placed[]): { outcomes: StepOutcome[]; claim: SettlementClaim | undefined } {
  let claim: SettlementClaim | undefined;
  const outcomes = updates.map((each, index) => {
    const advanced = advance(claim, each, index);
    claim = advanced.claim;
    return advanced.outcome;
  });
  return { outcomes, claim };
}

describe('settlement of one transfer', () => {
  it('emits a legal path, whatever is reported', () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 25 }), (updates) => {
        const { claim } = fold(updates);
        let previous: ReachedState | undefined;
        for (const { end, attempt, sequence } of claim?.steps ?? []) {
          // After a requote the transfer was priced, reserved and dispatched again.
          if (previous === undefined || previous.state === 'REQUOTING') {
            previous = { state: 'DISPATCHED', stage: 'PAYOUT_DISPATCH', sequence: sequence - 1, attempt };
          }
          const next: ReachedState = { state: STATE[end], stage: 'SETTLEMENT', sequence, attempt };
          expect(brokenTransition(previous, next)).toBeUndefined();
          previous = next;
        }
        const sequences = (claim?.steps ?? []).map((step) => step.sequence);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
      }),
      { numRuns: times(3_000) },
    );
  });

  it('gives a record the same step however often it runs, and its command one step however often it is published', () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (updates, repeats) => {
        const first = placed(updates);
        const rerun = first.length === 0 ? [] : repeats.map((at) => first[at % first.length]!);
        const republished = rerun.map(({ value }, n) => ({
          value,
          position: `payout.updated:0:${1_000 + n}`,
          appendedAt: 0,
        }));
        const all = [...first, ...rerun, ...republished];
        const { outcomes } = foldPlaced(all);
        const steps = new Map<string, { position: string; outcome: unknown }>();
        all.forEach(({ value, position }, index) => {
          const outcome = outcomes[index]!;
          if (outcome.kind !== 'step') return;
          const known = steps.get(value.command.commandId);
          expect(known ?? { position, outcome }).toEqual({ position, outcome });
          steps.set(value.command.commandId, { position, outcome });
        });
        expect(outcomes.slice(first.length + rerun.length).every(({ kind }) => kind !== 'step')).toBe(true);
      }),
      { numRuns: times(2_000) },
    );
  });

  it('never completes twice and never both rejects and pays', () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 25 }), (updates) => {
        const ends = (fold(updates).claim?.steps ?? []).map((step) => step.end);
        expect(ends.filter((end) => end === 'completed').length).toBeLessThanOrEqual(1);
        expect(ends.includes('rejected') && (ends.includes('completed') || ends.includes('returned'))).toBe(false);
      }),
      { numRuns: times(2_000) },
    );
  });
});
