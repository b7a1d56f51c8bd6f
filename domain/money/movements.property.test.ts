// Movements against the price that they come from: they sum to zero in each currency, and say what the price says.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { priceOf } from '../pricing/pricing.ts';
import { type MoneyRow, type Movement, movementsOf } from './movements.ts';

const CURRENCIES = ['GBP', 'EUR', 'INR', 'JPY', 'KWD', 'USD'];
const priced = fc
  .record({
    side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
    currencies: fc.shuffledSubarray(CURRENCIES, { minLength: 2, maxLength: 2 }),
    minor: fc.bigInt({ min: 1n, max: 10n ** 12n }),
    marginBps: fc.integer({ min: 0, max: 900 }),
    rate: fc.integer({ min: 1, max: 1_000_000 }).map((n) => `${n / 1_000}`),
    fees: fc.array(
      fc.record({
        code: fc.constantFrom('FLAT', 'SHARE'),
        flatMinor: fc.bigInt({ min: 0n, max: 400n }),
        bps: fc.integer({ min: 0, max: 90 }),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ side, currencies, minor, marginBps, rate, fees }) => {
    const [sourceCurrency, targetCurrency] = currencies as [string, string];
    const amount = { minor, currency: side === 'SOURCE' ? sourceCurrency : targetCurrency };
    const legs = [{ base: sourceCurrency, quote: targetCurrency, rate }];
    return priceOf({ side, amount, sourceCurrency, targetCurrency, legs, marginBps }, fees);
  })
  .filter((result) => result.ok)
  .map(({ pricing }) => pricing);
type Pricing = Extract<ReturnType<typeof priceOf>, { ok: true }>['pricing'];

const feesOf = ({ fees }: Pricing) => fees.reduce((total, { amount }) => total + amount.minor, 0n);

/** `version` 1: without what came later. `taxes`: charged in the debit, beside what the price makes. */
function rowOf(
  pricing: Pricing,
  state: string,
  { version = 2, previousState = 'DISPATCHED', taxes = 0n } = {},
): MoneyRow {
  const { debit, credit, fees, principal, margin } = pricing;
  const first = {
    ...{ eventId: 'event-1', state, sourceCurrency: debit.currency, targetCurrency: credit.currency },
    ...{ debitMinor: debit.minor + taxes, creditMinor: credit.minor, feesMinor: feesOf(pricing) },
  };
  if (version === 1)
    return {
      ...first,
      previousState: null,
      fees: [],
      chargedTaxes: [],
      principalMinor: null,
      marginMinor: null,
      returnedMinor: null,
    };
  return {
    ...first,
    previousState,
    fees: fees.map(({ code, amount }) => ({ code, minor: amount.minor })),
    chargedTaxes: taxes === 0n ? [] : [{ kind: 'EXCISE', minor: taxes }],
    principalMinor: principal.minor,
    marginMinor: margin.minor,
    returnedMinor: state === 'RETURNED' ? credit.minor : null,
  };
}

function sums(movements: readonly Movement[]): ReadonlySet<bigint> {
  const byCurrency = new Map<string, bigint>();
  for (const { currency, minor } of movements) byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + minor);
  return new Set(byCurrency.values());
}
const on = (movements: readonly Movement[], role: string, currency?: string) =>
  movements
    .filter((movement) => movement.role === role && (currency === undefined || movement.currency === currency))
    .reduce((total, { minor }) => total + minor, 0n);

describe('the movements of a payout', () => {
  it('sum to zero in each currency, whatever the version of the row and the taxes in the debit', () => {
    const taxes = fc.bigInt({ min: 0n, max: 999n });
    fc.assert(
      fc.property(priced, fc.constantFrom(1, 2), taxes, (pricing, version, tax) => {
        const movements = movementsOf(rowOf(pricing, 'COMPLETED', { version, taxes: version === 1 ? 0n : tax }));
        expect(sums(movements)).toEqual(new Set([0n]));
        expect(on(movements, 'TAXES')).toBe(version === 1 ? 0n : tax);
        for (const { role, code } of movements) if (role === 'TAXES') expect(code).toBe('EXCISE');
      }),
      { numRuns: times(2_000) },
    );
  });

  it('say what the price says: debit, each fee, margin, what was exchanged, credit', () => {
    fc.assert(
      fc.property(priced, (pricing) => {
        const { debit, credit, principal, margin, fees } = pricing;
        const movements = movementsOf(rowOf(pricing, 'COMPLETED'));
        expect(on(movements, 'DEBTOR')).toBe(-debit.minor);
        expect(on(movements, 'MARGIN')).toBe(margin.minor);
        expect(on(movements, 'CONVERSION', debit.currency)).toBe(principal.minor - margin.minor);
        expect(on(movements, 'CONVERSION', credit.currency)).toBe(-credit.minor);
        expect(on(movements, 'CREDITOR', credit.currency)).toBe(credit.minor);
        const charged = fees
          .filter(({ amount }) => amount.minor !== 0n)
          .map(({ code, amount }) => [code, amount.minor]);
        const moved = movements.filter(({ role }) => role === 'FEES').map(({ code, minor }) => [code, minor]);
        expect(moved).toEqual(charged);
      }),
      { numRuns: times(2_000) },
    );
  });

  it('have ids of their own, the same each time, and none is of nothing', () => {
    fc.assert(
      fc.property(priced, fc.constantFrom('COMPLETED', 'RETURNED'), (pricing, state) => {
        const movements = movementsOf(rowOf(pricing, state));
        expect(new Set(movements.map(({ movementId }) => movementId)).size).toBe(movements.length);
        expect(movementsOf(rowOf(pricing, state))).toEqual(movements);
        expect(movements.map(({ minor }) => minor)).not.toContain(0n);
      }),
      { numRuns: times(1_000) },
    );
  });
});

describe('a return', () => {
  it('takes the credit back, and leaves the source side; both of its rows together sum to zero', () => {
    fc.assert(
      fc.property(priced, fc.constantFrom(1, 2), (pricing, version) => {
        const { credit, debit } = pricing;
        const back = movementsOf(rowOf(pricing, 'RETURNED', { version, previousState: 'COMPLETED' }));
        expect(back.map(({ role, minor, currency }) => [role, minor, currency])).toEqual([
          ['CREDITOR', -credit.minor, credit.currency],
          ['RETURNED', credit.minor, credit.currency],
        ]);
        const all = [...movementsOf(rowOf(pricing, 'COMPLETED', { version })), ...back];
        expect(sums(all)).toEqual(new Set([0n]));
        expect(on(all, 'CREDITOR')).toBe(0n);
        expect(on(all, 'DEBTOR')).toBe(-debit.minor);
      }),
      { numRuns: times(1_000) },
    );
  });

  it('tells the payout too where nobody told it before', () => {
    fc.assert(
      fc.property(priced, (pricing) => {
        const movements = movementsOf(rowOf(pricing, 'RETURNED', { previousState: 'DISPATCHED' }));
        expect(on(movements, 'DEBTOR')).toBe(-pricing.debit.minor);
        expect(on(movements, 'CREDITOR')).toBe(0n);
        expect(on(movements, 'RETURNED')).toBe(pricing.credit.minor);
        expect(sums(movements)).toEqual(new Set([0n]));
      }),
      { numRuns: times(1_000) },
    );
  });
});

it.each(['ACCEPTED', 'HELD', 'PRICED', 'DISPATCHED', 'REJECTED', 'DEAD_LETTERED'])(
  'nothing moves by a row in state %s',
  (state) => {
    const [pricing] = fc.sample(priced, { numRuns: 1, seed: 1 });
    expect(movementsOf(rowOf(pricing!, state))).toEqual([]);
  },
);

it('amounts have the decimals of their currency', () => {
  const row = { ...rowOf(fc.sample(priced, { numRuns: 1, seed: 1 })[0]!, 'COMPLETED') };
  const exponents = movementsOf({ ...row, sourceCurrency: 'KWD', targetCurrency: 'JPY' }).map(
    ({ currency, exponent }) => `${currency} ${exponent}`,
  );
  expect(new Set(exponents)).toEqual(new Set(['KWD 3', 'JPY 0']));
  expect(movementsOf({ ...row, targetCurrency: 'XQQ' }).at(-1)!.exponent).toBeNull();
});
