// What a sender is to hear is what was priced and paid; what a rule asks for is there, or it is said why not.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { decide } from '../../processors/fx-pricing/decide.ts';
import { termsFile } from '../../processors/fx-pricing/terms-file.ts';
import { lifecycleOf } from '../../processors/lifecycle.ts';
import type { TransferLifecycle, TransferPriced } from '../../schemas/types.generated.ts';
import { toWrite } from '../../sinks/events/to-write.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  only,
  received,
  transferCompleted,
  transferScreened,
} from '../../test/kit/builders.ts';
import { times } from '../../test/kit/times.ts';
import { disclosureOf } from './disclosure.ts';
import { disclosureRulesFile, requirementsOf } from './rules.ts';

const json = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as unknown;
const RULES = disclosureRulesFile.parse(json('./example-rules.json'));
const EXAMPLE = termBook(
  termsFile.parse(json('../../processors/fx-pricing/example-terms.json')),
  CORRIDORS,
  () => new Set(),
);
const BUILT_IN = BUILT_IN_PRICES.at(AT).content;
const US = BOOK.corridors.find(({ id }) => id === 'US-IN')!;

interface Asked {
  readonly terms?: typeof EXAMPLE;
  readonly minor?: bigint;
  readonly side?: 'SOURCE' | 'TARGET';
  readonly method?: 'CASH' | 'ACCOUNT';
  readonly bearer?: 'DEBT' | 'SHAR';
  readonly rate?: string;
}

/** A transfer from the United States, priced by the stage itself. */
function priced({
  terms = EXAMPLE,
  minor = 100_000n,
  side = 'SOURCE',
  method = 'CASH',
  bearer = 'SHAR',
  rate = '83.1234567',
}: Asked = {}): TransferPriced | undefined {
  const screened = transferScreened();
  const instruction = {
    ...screened.instruction,
    ...{ sourceCurrency: 'USD', sourceCountry: 'US', amountSide: side, chargeBearer: bearer, corridorId: 'US-IN' },
    instructedAmount: { minor, currency: side === 'SOURCE' ? 'USD' : 'INR' },
    funding: { method, receivedAt: null, reference: null },
  } as const;
  const leg = { base: 'USD', quote: 'INR', rate, source: 'sample', observedAt: AT, agreement: null };
  const decision = decide(received('transfer.screened', { ...screened, instruction }), {
    ...{ now: AT, corridor: US, terms },
    route: { kind: 'fresh', legs: [leg], taken: [] },
    rules: { maxAttempts: 5, maxWaitMs: 1, waitStepMs: 1, jumpStepMs: 1 },
  });
  return Array.isArray(decision) && decision[0].to === 'transfer.rejected'
    ? undefined
    : only(decision, 'transfer.priced');
}
const rowOf = (value: TransferPriced): TransferLifecycle => lifecycleOf('transfer.priced', value, 'FX_PRICING')!;
const stored = (...rows: readonly TransferLifecycle[]) =>
  toWrite(rows.map((value) => received('transfer.lifecycle', value)));
const disclosed = (asked: Asked = {}) => disclosureOf('t', stored(rowOf(priced(asked)!)));

describe('a disclosure', () => {
  it('has the amounts of the price to the unit, and they add up', () => {
    let seen = 0;
    const asked = fc.record({
      minor: fc.bigInt({ min: 1n, max: 3_500_000n }),
      side: fc.constantFrom('SOURCE' as const, 'TARGET' as const),
      method: fc.constantFrom('CASH' as const, 'ACCOUNT' as const),
      bearer: fc.constantFrom('DEBT' as const, 'SHAR' as const),
      rate: fc.integer({ min: 700_000, max: 900_000 }).map((n) => (n / 10_000).toFixed(4)),
    });
    fc.assert(
      fc.property(asked, (of) => {
        const value = priced(of);
        if (value === undefined) return;
        seen += 1;
        const record = disclosureOf('t', stored(rowOf(value)));
        const { price } = value;
        expect(record).toMatchObject({
          total: price.debit,
          totalToRecipient: price.credit,
          transferAmount: price.principal,
        });
        expect(record.fees).toEqual(price.fees);
        expect(record.taxes.map(({ amount }) => amount)).toEqual(price.taxes.map(({ amount }) => amount));
        expect(record.total.minor).toBe(record.transferAmount.minor + record.feesTotal.minor + record.taxesTotal.minor);
        expect(record.feesTotal.minor).toBe(record.fees.reduce((sum, { amount }) => sum + amount.minor, 0n));
        expect(record.difference).toEqual(price.margin);
        expect(record.otherFeesMayApply).toBe(of.bearer === 'SHAR');
        // Off the exact rate by no more than half of the last decimal.
        const [shown, exact] = [record.shownRate, record.customerRate].map((text) => Number(text)) as [number, number];
        expect(record.shownRate).toMatch(/^\d+\.\d{4}$/);
        expect(Math.abs(shown - exact)).toBeLessThanOrEqual(0.000_050_000_1);
      }),
      { numRuns: times(500) },
    );
    expect(seen).toBeGreaterThan(times(100));
  });

  it('tells excise, dates and cancellation by the terms', () => {
    expect(disclosed()).toMatchObject({
      ...{ terms: 'example@2026-11-30', corridor: 'US-IN', valueDate: '2026-11-23' },
      taxes: [{ kind: 'EXCISE', authority: 'US_IRC_4475' }],
      cancelUntil: AT + 30 * 60_000,
      availableAt: AT + 30 * 60_000,
      ...{ paid: null, returned: null },
    });
  });

  it('is of the price in force, in whatever order rows are stored, and says what was paid', () => {
    const [first, second] = [priced()!, priced({ rate: '84' })!];
    const again = { ...second, envelope: { ...second.envelope, attempt: 2, sequence: 9, eventId: 'again' } };
    const rows = [rowOf(again), rowOf(first)];
    expect(disclosureOf('t', stored(...rows))).toMatchObject({ attempt: 2, midRate: '84' });
    const completed = { ...rowOf(again), eventId: 'end', sequence: 10, state: 'COMPLETED' } as TransferLifecycle;
    expect(disclosureOf('t', stored(completed, ...rows))).toMatchObject({
      state: 'COMPLETED',
      paid: again.price.credit,
    });
    const returned = {
      ...completed,
      eventId: 'back',
      sequence: 11,
      state: 'RETURNED',
      returnedMinor: again.price.credit.minor,
    };
    expect(disclosureOf('t', stored(returned as TransferLifecycle, completed, ...rows)).returned).toEqual(
      again.price.credit,
    );
  });

  it('tells what was paid, of the attempt that paid it, whatever stands behind', () => {
    const value = transferCompleted();
    const done = lifecycleOf('transfer.completed', value, 'SETTLEMENT')!;
    const mark = (of: TransferLifecycle, eventId: string) => ({
      ...{ ...of, eventId, eventKind: 'MARK', state: 'DEAD_LETTERED' as const, occurredAt: of.occurredAt + 60_000 },
    });
    const paid = { state: 'COMPLETED', deadLettered: true, paid: value.price.credit, returned: null };
    expect(disclosureOf('t', stored(done, mark(done, 'late')))).toMatchObject(paid);
    // A letter of the first attempt, put aside when the second was paid: its price is not what was paid.
    const first = {
      ...done,
      eventId: 'first',
      sequence: 1,
      attempt: 9,
      state: 'PRICED',
      debitMinor: 1n,
      creditMinor: 2n,
    };
    const old = mark(first as TransferLifecycle, 'old');
    expect(
      disclosureOf('t', stored(first as TransferLifecycle, done, { ...old, occurredAt: done.occurredAt + 1 })),
    ).toMatchObject({ ...paid, attempt: done.attempt, total: value.price.debit });
    const back = { ...done, eventId: 'back', sequence: done.sequence + 1, state: 'RETURNED' as const };
    const returned = { ...back, occurredAt: done.occurredAt + 1, returnedMinor: value.price.credit.minor };
    expect(disclosureOf('t', stored(done, returned, { ...mark(back, 'letter'), returnedMinor: null }))).toMatchObject({
      ...{ state: 'RETURNED', paid: value.price.credit, returned: value.price.credit },
    });
    expect(disclosureOf('t', stored(done))).toMatchObject({ ...paid, deadLettered: false });
    const priced = { ...done, state: 'PRICED' as const };
    expect(disclosureOf('t', stored(priced, mark(priced, 'stuck')))).toMatchObject({
      ...{ state: 'PRICED', deadLettered: true, paid: null },
    });
  });

  it('is of what a transfer of the chain has at its end', () => {
    const value = transferCompleted();
    const row = lifecycleOf('transfer.completed', value, 'SETTLEMENT')!;
    expect(disclosureOf('t', stored(row))).toMatchObject({ paid: value.price.credit, total: value.price.debit });
  });

  it('reads rows of before, which say less, and rows as a store has them', () => {
    const {
      chargedTaxes: _,
      chargedTaxesMinor: __,
      valueDate: ___,
      availableAt: _a,
      cancelUntil: _c,
      ...row
    } = rowOf(priced({ terms: BUILT_IN })!);
    const [document] = stored({ ...row, principalMinor: null, marginMinor: null, termsVersion: null } as never);
    const record = disclosureOf('t', [{ ...document!, sequence: 3n, attempt: 1n, occurredAt: BigInt(AT) } as never]);
    expect(record).toMatchObject({
      difference: null,
      taxes: [],
      valueDate: null,
      availableAt: null,
      terms: null,
      attempt: 1,
      asOf: AT,
    });
    expect(record.transferAmount.minor + record.feesTotal.minor).toBe(record.total.minor);
  });

  it('of what has no price is refused', () => {
    const rejected = {
      ...rowOf(priced()!),
      debitMinor: null,
      creditMinor: null,
      state: 'REJECTED',
    } as TransferLifecycle;
    expect(() => disclosureOf('t', stored(rejected))).toThrow(expect.objectContaining({ code: 'TRANSFER_UNPRICED' }));
    expect(() => disclosureOf('t', [])).toThrow(expect.objectContaining({ code: 'TRANSFER_UNPRICED' }));
  });
});

describe('what a rule asks for', () => {
  const of = (asked: Asked, ruleId: string) =>
    requirementsOf(disclosed(asked), RULES).filter((each) => each.ruleId === ruleId);

  it('is all there before the sender pays: Regulation E, 1005.31(b)(1)', () => {
    const asked = of({}, 'us-reg-e-prepayment');
    expect(asked.map(({ label }) => label)).toEqual([
      ...['Transfer Amount', 'Transfer Fees', 'Transfer Taxes', 'Total', 'Exchange Rate', 'Total to Recipient'],
      expect.stringMatching(/may receive less/),
    ]);
    expect(asked.every(({ state }) => state === 'MET')).toBe(true);
  });

  it('is there on the receipt but for what the producer alone can say', () => {
    const asked = of({}, 'us-reg-e-receipt');
    expect(asked.filter(({ state }) => state === 'MISSING')).toEqual([]);
    expect(asked.filter(({ state }) => state === 'PRODUCER').map(({ field }) => field)).toEqual([
      'recipient',
      'senderRights',
      'providerContact',
      'agencyContact',
    ]);
  });

  it('is said to be missing, and why, where the terms do not say it', () => {
    const asked = of({ terms: BUILT_IN }, 'us-reg-e-receipt').filter(({ state }) => state === 'MISSING');
    expect(asked.map(({ label, why }) => [label, why])).toEqual([
      ['Date Available', 'the terms that it was priced by name no settlement'],
      ['Cancellation within 30 minutes', 'the terms that it was priced by name no cancellation'],
    ]);
  });

  it('is asked of transfers from its country, on its days', () => {
    const record = disclosed();
    expect(requirementsOf({ ...record, sourceCountry: 'GB' }, RULES)).toEqual([]);
    expect(requirementsOf({ ...record, asOf: Date.UTC(2013, 9, 27) }, RULES)).toEqual([]);
    const emirates = requirementsOf({ ...record, sourceCountry: 'AE' }, RULES);
    expect(emirates.map(({ field, state }) => [field, state])).toEqual(
      ['midRate', 'exchangeRate', 'difference', 'fees', 'taxes', 'total'].map((field) => [field, 'MET']),
    );
    expect(
      requirementsOf({ ...record, sourceCountry: 'AE', difference: null }, RULES).find(
        ({ field }) => field === 'difference',
      ),
    ).toMatchObject({ state: 'MISSING' });
  });

  it('is read strictly', () => {
    const file = json('./example-rules.json') as { readonly rules: readonly object[] };
    expect(() => disclosureRulesFile.parse({ ...file, extra: 1 })).toThrow('extra');
    expect(() =>
      disclosureRulesFile.parse({
        ...file,
        rules: [{ ...file.rules[0], fields: [{ cite: 'x', label: 'y', field: 'z' }] }],
      }),
    ).toThrow();
  });
});
