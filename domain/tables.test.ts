// The tables that are data: corridors, limits, currencies, reasons.
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from './corridors/corridor-table.ts';
import { corridorBook } from './corridors/corridors.ts';
import { checkLimitRules, LIMIT_RULES } from './limits/limit-rules.ts';
import { windowFinder } from './limits/windows.ts';
import { currencyOf, formatMoney } from './money/currencies.ts';
import { isKnownReason, REASONS, reason } from './reasons.ts';

describe('corridors', () => {
  it('are valid and found by their pair', () => {
    const book = corridorBook(CORRIDORS);
    for (const pair of [
      ['GBP', 'INR'],
      ['EUR', 'INR'],
      ['USD', 'INR'],
      ['AED', 'INR'],
      ['INR', 'GBP'],
    ] as const) {
      expect(book.between(pair[0], pair[1])).toBeDefined();
    }
    expect(book.between('GBP', 'GBP')).toBeUndefined();
  });

  it('tell every mistake at once', () => {
    const [first] = CORRIDORS;
    const broken = [
      { ...first!, id: 'A', target: first!.source },
      {
        ...first!,
        id: 'B',
        marginBps: -1,
        source: { ...first!.source, amount: { minMinor: 0n, maxMinor: 2n ** 60n } },
      },
      { ...first!, id: 'C', purposeCodes: [] },
    ];
    expect(() => corridorBook(broken)).toThrow(
      /A: source and target.*B: the amounts.*B: the cap.*B: margin.*C: no charge bearer.*C: the pair/s,
    );
  });
});

describe('limit rules', () => {
  it('are valid, and every corridor has one that declines', () => {
    checkLimitRules(LIMIT_RULES);
    for (const { id, source } of CORRIDORS) {
      const rules = LIMIT_RULES.filter(({ where }) => where.sourceCurrencies?.includes(source.currency));
      expect(
        rules.some((rule) => rule.action === 'reject'),
        id,
      ).toBe(true);
    }
  });

  it('count by the calendar day in UTC', () => {
    const windowAt = windowFinder({ kind: 'calendar', unit: 'day', timeZone: 'UTC' });
    expect(windowAt(Date.UTC(2026, 10, 23, 23, 59, 59, 999)).id).toBe('2026-11-23');
    expect(windowAt(Date.UTC(2026, 10, 24)).id).toBe('2026-11-24');
  });

  it('tell every mistake at once', () => {
    const [first] = LIMIT_RULES;
    const rules = [
      first!,
      first!,
      {
        ...first!,
        ruleId: 'UPPER',
        limitMinor: 0n,
        metric: { kind: 'amount', of: 'debit', currency: 'pounds' } as const,
      },
    ];
    expect(() => checkLimitRules(rules)).toThrow(/is there twice.*UPPER: use lower-case.*UPPER: the limit.*pounds/s);
  });
});

describe('currencies', () => {
  it('end with the currency', () => {
    expect(currencyOf('HRK', '2022-12-31')?.exponent).toBe(2);
    expect(currencyOf('HRK', '2023-01-01')).toBeUndefined();
    expect(currencyOf('BGN')).toBeUndefined();
    expect(currencyOf('XXX')).toBeUndefined();
  });

  it('show minor units as people write them', () => {
    expect(formatMoney({ minor: 1_234_567n, currency: 'GBP' })).toBe('12345.67 GBP');
    expect(formatMoney({ minor: -5n, currency: 'KWD' })).toBe('-0.005 KWD');
    expect(formatMoney({ minor: 42n, currency: 'JPY' })).toBe('42 JPY');
  });
});

describe('reasons', () => {
  it('have four characters, a name and a text', () => {
    for (const [code, { name, text }] of Object.entries(REASONS)) {
      expect(code).toMatch(/^[A-Z0-9]{4}$/);
      expect(name).not.toBe('');
      expect(text.endsWith('.')).toBe(true);
    }
    expect(isKnownReason('AM14')).toBe(true);
    expect(isKnownReason('toString')).toBe(false);
    expect(reason('AM14').detail).toBe(REASONS.AM14.text);
  });
});
