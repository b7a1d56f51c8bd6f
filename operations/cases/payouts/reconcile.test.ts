// A document that lacks what the log says was about to be sent is not closed as unpaid before a person has dealt with that.
import { describe, expect, it } from 'vitest';
import { type BegunAttempt, STOPPED } from '../../../payouts/attempt-ledger.ts';
import { lastAttempt, openCase } from '../../../payouts/changes.ts';
import { beginAttempt, openPayout } from '../../../payouts/decide.ts';
import type { Payout, PayoutCaseCode, PayoutPhase } from '../../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../../payouts/policy.ts';
import { MemoryClaimLog } from '../../../payouts/testing/memory-claims.ts';
import { REQUEST, T0, unknown } from '../../../payouts/testing/states.ts';
import { dependencyDown } from '../../../ports/fault.ts';
import { MemoryStore } from '../../../test/kit/payouts/memory.ts';
import { closePayoutCase } from './cases.ts';
import type { CaseClosing } from './decide.ts';

const LATER = T0 + 86_400_000;
const statement = {
  outcome: 'UNPAID',
  ...{ reference: 'L-88', date: new Date(LATER).toISOString().slice(0, 10) },
  documentSha256: 'a'.repeat(64),
} as const;
const stated = (number = 1): CaseClosing => ({
  number,
  by: 'amara',
  reason: 'letter L-88',
  agreedBy: 'bela',
  statement,
});
const closed = (number = 1): CaseClosing => ({ number, by: 'amara', reason: 'the provider has closed every key' });

/** A payout, and a log in which attempt 2 of it was claimed, which only a later state of the document has. */
function world(payout: Payout) {
  const store = new MemoryStore();
  store.payouts.set('t-1', payout);
  const log = new MemoryClaimLog(() => LATER).follower();
  const claims = async () => log;
  const claim = (attempt: number, earlier: readonly BegunAttempt[]) =>
    log.claim([{ payoutId: 't-1', attempt, startedAt: T0 + attempt, token: null, earlier }]);
  const closing = { load: store.load.bind(store), apply: store.apply.bind(store), claims };
  const close = (asked: CaseClosing) => closePayoutCase(closing, 't-1', asked, LATER);
  return { claim, close, log, now: () => store.payouts.get('t-1')!, closing };
}
const first = (payout: Payout) => {
  const { number, startedAt } = lastAttempt(payout)!;
  return { number, startedAt, token: null };
};
const inPhase = (phase: PayoutPhase, code: PayoutCaseCode) =>
  openCase({ ...openPayout(REQUEST, T0), phase, nextPollAt: null }, code, 'detail', T0);

describe('closing as unpaid', () => {
  it('is refused while the log has an attempt that the document lacks, and says which in a case', async () => {
    const put = openCase(unknown(), 'NO_PROOF', 'nobody knows', T0);
    const { claim, close, now } = world(put);
    expect(await claim(2, [first(put)])).toEqual([true]);
    const refusal = { code: 'PAYOUT_LACKS_ATTEMPT', message: expect.stringContaining('t-1:2') };
    await expect(close(stated())).rejects.toMatchObject(refusal);
    expect(now()).toMatchObject({
      phase: 'OUTCOME_UNKNOWN',
      cases: [{ closedAt: null }, { code: 'ROLLED_BACK', attemptKey: 't-1:2', closedAt: null }],
    });
    // Again says the same once, and another case is told once.
    await expect(close(stated())).rejects.toMatchObject({ code: 'STATEMENT_UNFIT' });
    expect(now().cases).toHaveLength(2);
  });

  it.each([
    ['NEW', 'CONTRADICTION'],
    ['NEW', 'ATTEMPTS_DIED'],
    ['EXPIRED', 'ANSWER_DIFFERS'],
    ['FAILED', 'CONTRADICTION'],
  ] as const)('of %s with %s needs the case that names the key to be closed first', async (phase, code) => {
    const { claim, close, now } = world(inPhase(phase, code));
    await claim(2, []);
    await expect(close(closed())).rejects.toMatchObject({ code: 'PAYOUT_LACKS_ATTEMPT' });
    await expect(close(closed())).rejects.toMatchObject({ code: 'PAYOUT_LACKS_ATTEMPT' });
    expect(now().cases).toHaveLength(2);
    // A person has asked about the key, and says so.
    await close(closed(2));
    await close(closed(1));
    expect(now().cases.every(({ closedAt }) => closedAt !== null)).toBe(true);
  });

  it('of a document that was put back once more names the later key too', async () => {
    const { claim, close, now } = world(inPhase('NEW', 'CONTRADICTION'));
    await claim(2, []);
    await expect(close(closed())).rejects.toMatchObject({ code: 'PAYOUT_LACKS_ATTEMPT' });
    await claim(3, [{ number: 2, startedAt: T0 + 2, token: null }]);
    await expect(close(closed(2))).rejects.toMatchObject({ message: expect.stringContaining('t-1:3') });
    expect(now().cases.map(({ attemptKey }) => attemptKey)).toEqual(['t-1:0', 't-1:2', 't-1:3']);
  });

  it('is refused when the log says that it was stopped, and the document has nothing that says why', async () => {
    const { close, log, now } = world(inPhase('NEW', 'ATTEMPTS_DIED'));
    await log.stopped('t-1', T0);
    expect(log.highest('t-1')).toMatchObject({ attempt: STOPPED });
    await expect(close(closed())).rejects.toMatchObject({ code: 'PAYOUT_LACKS_ATTEMPT' });
    expect(now().cases[1]).toMatchObject({ code: 'ROLLED_BACK' });
  });

  it('is done when the document has all that was claimed, and where money has moved whatever the log says', async () => {
    const payout = openCase(beginAttempt(openPayout(REQUEST, T0), T0, DEFAULT_PAYOUT_POLICY), 'NO_PROOF', 'nobody', T0);
    const sent = { ...payout, phase: 'OUTCOME_UNKNOWN' as const };
    const whole = world(sent);
    const { number, startedAt } = lastAttempt(sent)!;
    await whole.log.claim([{ payoutId: 't-1', attempt: number, startedAt, token: null, earlier: [] }]);
    expect(await whole.close(stated())).toMatchObject({ phase: 'FAILED' });
    const moved = world(inPhase('PAID', 'CONTRADICTION'));
    await moved.claim(2, []);
    expect(await moved.close(closed())).toMatchObject({ phase: 'PAID' });
  });

  it('waits for a log that cannot be read, and changes nothing meanwhile', async () => {
    const { closing, now } = world(inPhase('NEW', 'CONTRADICTION'));
    const before = now();
    const away = async () => {
      throw dependencyDown('kafka', 'KAFKA_UNAVAILABLE', 'down');
    };
    const asked = closePayoutCase({ ...closing, claims: away }, 't-1', closed(), LATER);
    await expect(asked).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', faultClass: 'transient-dependency' });
    expect(now()).toBe(before);
  });
});
