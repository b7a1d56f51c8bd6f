import { describe, expect, it } from 'vitest';
import { afterCancel, afterQuery, afterSubmit } from './decide.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from './policy.ts';
import { saw, submitting, T0, unknown } from './testing/states.ts';

describe('a foreign clock', () => {
  const expiry = T0 + 600_000;
  const over = expiry + POLICY.visibilityMs;
  const notFound = (asOf: number) => ({ kind: 'not-found', asOf }) as const;

  it('hours ahead is no proof of death, however often it is said: one attempt, and a case', () => {
    let payout = unknown();
    for (let n = 0; n < 40; n++) {
      const at = T0 + n * 1_000;
      payout = afterQuery(payout, { key: 't-1:1', result: notFound(at + 19_800_000), at }, POLICY);
      expect(payout).toMatchObject({ phase: 'OUTCOME_UNKNOWN', lastAttempt: 1 });
    }
    expect(payout.clockDoubts).toBe(40);
    expect(payout.cases).toMatchObject([{ code: 'PROVIDER_CLOCK', closedAt: null }]);
  });

  it('is no proof before ours is past the expiry too, and that of the store', () => {
    expect(
      afterQuery(unknown(), { key: 't-1:1', result: notFound(over), at: over - 1 }, POLICY).attempts[0]?.end,
    ).toBeNull();
    expect(
      afterQuery(unknown(), { key: 't-1:1', result: notFound(over), at: over, earliest: over - 1 }, POLICY).attempts[0]
        ?.end,
    ).toBeNull();
    expect(
      afterQuery(unknown(), { key: 't-1:1', result: notFound(over), at: over, earliest: over }, POLICY).attempts[0]
        ?.end,
    ).not.toBeNull();
  });

  it.each([
    ['ahead', 1],
    ['behind', -1],
  ])('that is implausibly far %s says neither "not found" nor "expired"', (_, sign) => {
    for (const skew of [POLICY.maxClockSkewMs + 1, 19_800_000, Number.POSITIVE_INFINITY]) {
      const asOf = over + sign * skew;
      expect(
        afterQuery(unknown(), { key: 't-1:1', result: notFound(asOf), at: over }, POLICY).attempts[0]?.end,
      ).toBeNull();
      const expired = { ...saw('EXPIRED'), asOf };
      expect(afterQuery(unknown(), { key: 't-1:1', result: expired, at: T0 }, POLICY)).toMatchObject({
        phase: 'OUTCOME_UNKNOWN',
      });
      expect(afterSubmit(submitting(), { key: 't-1:1', result: expired, at: T0 }, POLICY)).toMatchObject({
        phase: 'OUTCOME_UNKNOWN',
      });
    }
  });

  it('takes nothing from what does not speak of time', () => {
    const asOf = T0 + 19_800_000;
    expect(afterQuery(unknown(), { key: 't-1:1', result: { ...saw('PAID'), asOf }, at: T0 }, POLICY).phase).toBe(
      'PAID',
    );
    expect(
      afterCancel(unknown(), { key: 't-1:1', result: { ...saw('CANCELLED'), asOf }, at: T0 }, POLICY),
    ).toMatchObject({
      phase: 'NEW',
      clockDoubts: 1,
    });
  });
});
