// What a file of corridors or limits may say: the built-in tables come back from it as they are, and whatever else is refused.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { LIMIT_RULES } from '../domain/limits/limit-rules.ts';
import { loadConfig } from '../runtime/config/config.ts';
import { casePolicy, corridors, limitRuleSet } from './configured-rules.ts';
import { configuredTermBook, configuredTerms } from './terms.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'corridor-terms-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null;

const asFile = (value: unknown): Json =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))) as Json;

function written(content: Json): string {
  const file = path.join(folder, 'terms.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const EXAMPLE_TERMS = JSON.parse(
  readFileSync(new URL('../processors/fx-pricing/example-terms.json', import.meta.url), 'utf8'),
) as { readonly note: string };

/** Says all that a rule can say. */
const RICH_RULE = {
  ...LIMIT_RULES[0]!,
  ruleId: 'rich',
  where: { corridors: ['GB-IN'], sourceCurrencies: ['GBP'], arrangements: ['RDA'], kycTiers: ['TIER_1'] },
  window: { kind: 'calendar', unit: 'week', timeZone: 'Asia/Kolkata', weekStart: 'sunday' },
};

const KINDS = {
  corridors: {
    built: CORRIDORS,
    read: (content: Json) => corridors(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_CORRIDORS_FILE: written(content) })),
  },
  limits: {
    built: { name: 'house', version: '1', note: '', rules: [RICH_RULE, ...LIMIT_RULES] },
    read: (content: Json) => ({
      ...limitRuleSet(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_LIMITS_FILE: written(content) })),
      note: '',
    }),
  },
  terms: {
    built: EXAMPLE_TERMS,
    read: (content: Json) => ({
      ...configuredTerms(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_TERMS_FILE: written(content) })),
      note: EXAMPLE_TERMS.note,
    }),
  },
} as const;

/** Every copy of the content with one key more, one key less, or one value of another type, with the way to it. */
function* variants(content: Json, way = '$'): Generator<readonly [string, Json]> {
  if (content === null || typeof content !== 'object') {
    yield [`${way} is another type`, typeof content === 'string' ? 7 : 'other'];
    yield [`${way} is null`, null];
    return;
  }
  if (Array.isArray(content)) {
    if (content.length === 0) return;
    yield [`${way} is no array`, content[0]!];
    for (const [more, item] of variants(content[0]!, `${way}[0]`)) yield [more, [item, ...content.slice(1)]];
    return;
  }
  yield [`${way} has a key more`, { ...content, surprise: 1 }];
  for (const [key, value] of Object.entries(content)) {
    const { [key]: _, ...rest } = content;
    yield [`${way}.${key} is missing`, rest];
    yield [`${way}.${key} is misspelled`, { ...rest, [`${key}s`]: value }];
    for (const [more, changed] of variants(value, `${way}.${key}`)) yield [more, { ...content, [key]: changed }];
  }
}

/** What may be left out, or null. */
const OPTIONAL =
  /\.(bearers|corridors|rates|quorum|maxDistanceBps|maxJumpBps|fixings|pivots|sourceCurrencies|arrangements|kycTiers|region|bearers|fundingMethods|amount|markets) is missing$|\.(link|validTo|minMinor|maxMinor|belowMinor) is null$/;

describe.each(Object.entries(KINDS))('a file of %s', (_, { built, read }) => {
  it('that holds the built-in table means it', () => {
    expect(asFile(read(asFile(built)))).toEqual(asFile(built));
  });

  it('is refused wherever it differs in form, with the place', () => {
    const content = asFile(built);
    let tried = 0;
    for (const [what, changed] of variants(content)) {
      if (OPTIONAL.test(what)) continue;
      tried += 1;
      expect(() => read(changed), what).toThrow(expect.objectContaining({ code: 'TERMS_UNREADABLE' }));
    }
    expect(tried).toBeGreaterThan(20);
  });
});

describe('limit rules of the first form', () => {
  const rule: { [key: string]: Json } = {
    ...{ ruleId: 'sender-day-gbp-review', subject: 'sender', metric: 'amount', currency: 'GBP', limitMinor: '800000' },
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, action: 'review', freedByReturn: true },
  };
  const read = (content: Json) =>
    limitRuleSet(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_LIMITS_FILE: written(content) })).rules;

  it('mean what they always meant', () => {
    expect(read([rule])).toEqual([LIMIT_RULES[0]]);
  });

  it.each([
    ['another subject', { subject: 'beneficiary' }],
    ['another metric', { metric: 'count' }],
    ['another window', { window: { kind: 'rolling', unit: 'day', timeZone: 'UTC' } }],
    ['another zone', { window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Kolkata' } }],
    ['an amount that is a number', { limitMinor: 1_000_000 }],
    ['an amount with a sign', { limitMinor: '-5' }],
    ['an amount with a fraction', { limitMinor: '5.0' }],
    ['no corridor at all', { corridors: [] }],
    ['a corridor that is not there', { corridors: ['GB-IN', 'XX-YY'] }],
  ])('with %s are refused', (_, change) => {
    expect(() => read([{ ...rule, ...change }])).toThrow(
      expect.objectContaining({ code: 'TERMS_UNREADABLE', faultClass: 'fatal' }),
    );
  });

  it('may name corridors that are there', () => {
    expect(read([{ ...rule, corridors: ['GB-IN'] }])).toMatchObject([{ where: { corridors: ['GB-IN'] } }]);
  });
});

describe('limit rules', () => {
  const read = (change: object) =>
    KINDS.limits.read(asFile({ ...KINDS.limits.built, rules: [{ ...RICH_RULE, ...change }] }));

  it.each([
    ['a provider that nobody named', { subject: 'provider' }],
    ['a provider of a sender', { provider: 'simulator' }],
    ['a number of one transfer', { metric: { kind: 'count' }, window: { kind: 'transfer' } }],
    ['declared use of a number', { metric: { kind: 'count' }, declaredUse: true }],
    ['beneficiaries of a beneficiary', { subject: 'beneficiary', metric: { kind: 'beneficiaries' } }],
    ['a currency that is not known', { metric: { kind: 'amount', of: 'debit', currency: 'XYZ' } }],
    ['a zone that is not there', { window: { kind: 'calendar', unit: 'day', timeZone: 'Mars/Olympus' } }],
    ['a year without a beginning', { window: { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 13 } }],
    ['a window of two years', { window: { kind: 'rolling', unit: 'day', length: 731 } }],
    ['no window at all', { window: { kind: 'rolling', unit: 'day', length: 0 } }],
    ['an end before its beginning', { validFrom: '2026-02-01', validTo: '2026-01-01' }],
    ['a corridor that is not there', { where: { corridors: ['XX-YY'] } }],
    ['no authority', { authority: '' }],
    ['a link that is none', { link: 'the law' }],
  ])('with %s are refused', (_, change) => {
    expect(() => read(change)).toThrow(/TERMS_UNREADABLE|terms\.json cannot be used|correct the limit rules/);
  });

  it('twice under one id are refused', () => {
    const twice = asFile({ ...KINDS.limits.built, rules: [RICH_RULE, RICH_RULE] });
    expect(() => KINDS.limits.read(twice)).toThrow(/rich is there twice/);
  });

  it('of the examples that are shipped can be used', () => {
    const { rules } = limitRuleSet(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_LIMITS_FILE: 'example' }));
    expect(rules.every(({ status }) => status === 'TO_CONFIRM_WITH_COUNSEL')).toBe(true);
    expect(rules.map(({ ruleId }) => ruleId)).toContain('lrs-sender-year-usd');
  });
});

it.each([
  [
    'a number where minor units belong',
    [{ ...(asFile(CORRIDORS[0]) as object), fees: [{ code: 'A', flatMinor: 9, bps: 0 }] }],
  ],
  ['a charge bearer without a meaning', [{ ...(asFile(CORRIDORS[0]) as object), chargeBearers: ['CRED'] }]],
  ['a purpose that is no code', [{ ...(asFile(CORRIDORS[0]) as object), purposeCodes: ['family'] }]],
  ['nothing', []],
])('a file of corridors with %s is refused', (_, content) => {
  expect(() => KINDS.corridors.read(content as Json)).toThrow(/terms\.json cannot be used/);
});

it('a policy of cases with an unknown key is refused', () => {
  const env = { CORRIDOR_ENV: 'test', CORRIDOR_CASE_POLICY_FILE: written({ secondPersons: {} }) };
  expect(() => casePolicy(loadConfig(env))).toThrow(expect.objectContaining({ code: 'TERMS_UNREADABLE' }));
});

describe('terms', () => {
  const read = (file: string) => configuredTermBook(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_TERMS_FILE: file }));
  const changed = (change: (terms: ReturnType<typeof structuredClone<typeof ANY>>) => void) => {
    const terms = structuredClone(ANY);
    change(terms);
    return () => read(written(terms as unknown as Json));
  };
  interface Row {
    termId: string;
    where: Record<string, unknown>;
    [key: string]: unknown;
  }
  const ANY = EXAMPLE_TERMS as unknown as Record<'margins' | 'fees' | 'settlements' | 'markets' | 'lifetimes', Row[]>;

  it('of the set that is shipped fit the corridors that are built in', () => {
    expect(read('example').set).toMatchObject({ name: 'example' });
  });

  it('are those of the corridors where there is no file', () => {
    expect(configuredTerms(loadConfig({ CORRIDOR_ENV: 'test' }))).toMatchObject({ name: 'built-in', version: '1' });
  });

  it('of a file of corridors have the version that the file gives them by what it says', () => {
    const ofFile = (bps: number) => {
      const file = written(asFile(CORRIDORS.map((corridor) => ({ ...corridor, marginBps: bps }))));
      return configuredTerms(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_CORRIDORS_FILE: file }));
    };
    const [one, same, other] = [ofFile(1), ofFile(1), ofFile(2)];
    expect(one).toMatchObject({ name: 'corridors-file', version: same.version });
    expect(other.version).not.toBe(one.version);
  });

  it.each([
    [
      'no margin for a corridor',
      (terms: typeof ANY) => terms.margins.shift(),
      'GB-IN: not every transfer has a margin',
    ],
    [
      'no lifetime for a corridor',
      (terms: typeof ANY) => terms.lifetimes.shift(),
      'GB-IN: not every transfer has a lifetime',
    ],
    ['no fee of DEBT', (terms: typeof ANY) => terms.fees.splice(1, 1), 'DEBT is offered without a fee of its own'],
    [
      'a corridor that is not there',
      (terms: typeof ANY) => (terms.margins[1]!.where['corridors'] = ['XX-YY']),
      'no corridor XX-YY',
    ],
    [
      'amounts in the currency of the credit',
      (terms: typeof ANY) =>
        (terms.margins[1]!.where['amount'] = { currency: 'INR', fromMinor: '1', belowMinor: null }),
      'which is not what is debited',
    ],
    ['one id twice', (terms: typeof ANY) => (terms.margins[1]!.termId = terms.margins[0]!.termId), 'is there 2 times'],
    [
      'a calendar that is not there',
      (terms: typeof ANY) => (terms.markets[0]!['calendars'] = ['XX']),
      'no calendar XX',
    ],
    [
      'a zone that is not there',
      (terms: typeof ANY) => (terms.settlements[0]!['timeZone'] = 'Mars/Olympus'),
      'no time zone',
    ],
    ['a fee of the code that is taken', (terms: typeof ANY) => (terms.fees[0]!['code'] = 'ROUNDING'), 'is taken'],
  ])('with %s are refused', (_, change, why) => {
    expect(changed(change)).toThrow(why);
  });
});
