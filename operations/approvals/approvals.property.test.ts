// Whatever people and programs do, in any order and at any time: an approval moves only as its table says, is decided once,
// by another person who holds the rights, and its act is done at most once, only after that.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { testRings } from '../../test/kit/rings.ts';
import { times } from '../../test/kit/times.ts';
import { principalOf } from '../access/principal.ts';
import { conditionFor, type Role } from '../access/table.ts';
import { isSamePerson } from '../four-eyes/second-person.ts';
import { ACTS, hashOfAct, termsOfAct } from './acts.ts';
import { type Approval, isContentApproved, NEXT_STATES } from './approval.ts';
import { askForApproval, decideApproval, withdrawApproval } from './approvals.ts';
import { executeApproval } from './execute.ts';
import { memoryApprovals } from './testing/memory-approvals.ts';

const operators = testRings.operators!;
const PEOPLE = ['Asha', 'asha', 'Ben', 'BEN ', 'Carla'] as const;
const ROLE_SETS: readonly (readonly Role[])[] = [
  ['operator'],
  ['approver'],
  ['compliance'],
  ['admin'],
  ['operator', 'approver'],
  [],
];
const person = fc.constantFrom(...PEOPLE);
const roles = fc.constantFrom(...ROLE_SETS);

const step = fc.oneof(
  fc.record({
    kind: fc.constant('decide' as const),
    by: person,
    roles,
    verdict: fc.constantFrom('APPROVED' as const, 'REFUSED' as const),
    isStale: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('withdraw' as const), by: person }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 80 * 3_600_000 }) }),
  fc.record({ kind: fc.constant('expire' as const) }),
  fc.record({
    kind: fc.constant('execute' as const),
    comes: fc.constantFrom('done' as const, 'away' as const, 'refused' as const, 'dies' as const),
  }),
);

it('moves only as the table says, and nothing is done that one person alone wanted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ACTS), person, fc.array(step, { maxLength: 20 }), async (act, maker, steps) => {
      const store = memoryApprovals();
      let now = Date.UTC(2026, 10, 30);
      const [subject, content] = ['s', '{"n":1}'];
      const hash = hashOfAct(act, subject, content);
      await askForApproval(
        store,
        { id: 'a', act, subject, hash, content, summary: 's', by: maker, reason: 'r', at: new Date(now) },
        operators,
      );
      const expiresAt = now + termsOfAct(act).validMs;
      let before: Approval = store.all.get('a')!;
      let completed = 0;
      let begunInTime = false;
      for (const one of steps) {
        const at = new Date(now);
        if (one.kind === 'wait') now += one.ms;
        if (one.kind === 'expire') await store.expire(at);
        if (one.kind === 'withdraw') await withdrawApproval(store, 'a', one.by, at).catch(coded);
        if (one.kind === 'decide') {
          const by = principalOf(one.by, one.roles, { credential: 'token' });
          const seen = one.isStale ? 'f'.repeat(64) : hash;
          const decided = await decideApproval(
            store,
            { id: 'a', hash: seen, verdict: one.verdict, by, reason: 'r', at },
            operators,
          ).catch(coded);
          if (decided) {
            expect([before.state, one.isStale, isSamePerson(maker, one.by), now < expiresAt]).toEqual([
              'WAITING',
              false,
              false,
              true,
            ]);
            expect(conditionFor(one.roles, termsOfAct(act).right)).toBe('always');
            expect(conditionFor(one.roles, 'approvals.decide')).toBe('always');
          }
        }
        if (one.kind === 'execute') {
          const executor = async () => {
            expect(isContentApproved(operators, store.all.get('a')!)).toBe(true);
            begunInTime ||= now < expiresAt;
            expect(begunInTime).toBe(true);
            if (one.comes === 'away')
              throw new CodedError('KAFKA_UNAVAILABLE', 'x', { faultClass: 'transient-dependency' });
            if (one.comes === 'refused') throw new CodedError('OPTION_INVALID', 'x');
            if (one.comes === 'dies') throw new Error('killed');
            completed++;
            return 'done';
          };
          await executeApproval(store, 'a', {
            handlers: { [act]: { describe: async () => [], execute: executor } },
            operators,
            at,
          }).catch((error: unknown) => {
            if (!(error instanceof Error && error.message === 'killed')) coded(error);
          });
        }
        const after = store.all.get('a')!;
        if (after.state !== before.state) expect(NEXT_STATES[before.state]).toContain(after.state);
        if (before.decided) expect(after.decided).toEqual(before.decided);
        if (after.state === 'EXECUTED') expect(completed).toBe(1);
        before = after;
      }
      expect(completed).toBeLessThanOrEqual(1);
    }),
    { numRuns: times(500) },
  );
});

function coded(error: unknown): undefined {
  if (error instanceof CodedError) return undefined;
  throw error;
}
