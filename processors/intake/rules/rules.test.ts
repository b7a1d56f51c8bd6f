// Each rule of the shipped set: a pair of intents one field apart, of which one passes and one is refused by this rule.
import { describe, expect, it } from 'vitest';
import { strictJson } from '../../../domain/text/strict-json.ts';
import type { Intermediary, Party, PostalAddress, TransferRequested } from '../../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  creditor,
  debtor,
  intermediary,
  only,
  received,
  run,
  TOKEN_KEY,
  transferRequested,
} from '../../../test/kit/builders.ts';
import { exampleRules, exampleRulesText } from '../../../test/kit/example-rules.ts';
import { memoryIntentClaims } from '../../../test/kit/memory-claims.ts';
import { createIntake } from '../processor.ts';
import { DEFAULT_TIMING, lookAt } from '../validate.ts';
import { transferRulesFrom, versionOf } from './rule-set.ts';

const RULES = exampleRules();
const rules = { ...DEFAULT_TIMING, corridors: BOOK, transferRules: RULES };
const address = (over: Partial<PostalAddress> = {}): PostalAddress => ({
  ...{ street: 'High Street', building: '1', postCode: 'LS1', town: 'Leeds', subdivision: null, country: 'GB' },
  lines: [],
  ...over,
});

interface Sketch {
  readonly debtor?: Partial<Party>;
  readonly creditor?: Partial<Party>;
  readonly intermediaries?: readonly Intermediary[];
  readonly intent?: Partial<TransferRequested>;
  readonly minor?: bigint;
}

const CURRENCIES = {
  'GB-IN': ['GBP', 'INR', { country: 'GB', account: debtor().account }, {}],
  'EU-IN': [
    ...(['EUR', 'INR'] as const),
    { country: 'DE', account: { scheme: 'IBAN', value: 'DE89370400440532013000', agent: null } },
    {},
  ],
  'US-IN': [
    ...(['USD', 'INR'] as const),
    { country: 'US', account: { scheme: 'BBAN', value: '1234567890', agent: '021000021' } },
    {},
  ],
  'IN-GB': [
    ...(['INR', 'GBP'] as const),
    { country: 'IN', account: creditor().account },
    { country: 'GB', account: debtor().account },
  ],
} as const;
type CorridorId = keyof typeof CURRENCIES;

/** A small intent that meets every rule of its corridor, but for what the sketch says otherwise. */
function intentOn(corridor: CorridorId, sketch: Sketch = {}): TransferRequested {
  const [source, target, sender, beneficiary] = CURRENCIES[corridor];
  return transferRequested({
    debtor: { postalAddress: address(), birthPlace: { town: 'Leeds', country: 'GB' }, ...sender, ...sketch.debtor },
    creditor: { postalAddress: address({ town: 'Pune', country: 'IN' }), ...beneficiary, ...sketch.creditor },
    intermediaries: sketch.intermediaries ?? [],
    intent: {
      instructedAmount: { minor: sketch.minor ?? 50_000n, currency: source },
      ...{ sourceCurrency: source, targetCurrency: target },
      funding: { method: 'ACCOUNT', receivedAt: null, reference: null },
      ...sketch.intent,
    },
  });
}

const MTSS: Partial<TransferRequested> = {
  arrangement: 'MTSS',
  nationalPurpose: { scheme: 'RBI', code: 'P1301', relation: 'PARENT' },
};
const PAN = { scheme: 'PAN', value: 'AAAPA1234A', country: 'IN' };
const LRS: Partial<TransferRequested> = {
  arrangement: 'LRS',
  nationalPurpose: { scheme: 'RBI', code: 'S1301', relation: null },
  declaredUse: { minor: 0n, currency: 'USD' },
};
const lrs = (over: Sketch = {}): Sketch => ({
  ...over,
  debtor: { identifiers: [PAN], ...over.debtor },
  intent: { ...LRS, ...over.intent },
});
const noTown = { postalAddress: address({ town: null }) };

/** By rule: the corridor, what passes, and the same with one field changed. */
const PAIRS: Readonly<Record<string, readonly [CorridorId, Sketch, Sketch, code: string]>> = {
  'cbpr-debtor-address': ['GB-IN', {}, { debtor: noTown }, 'BE07'],
  'cbpr-creditor-address': ['GB-IN', {}, { creditor: noTown }, 'BE04'],
  'cbpr-other-addresses': [
    'GB-IN',
    { intermediaries: [intermediary({ postalAddress: address() })] },
    { intermediaries: [intermediary({ postalAddress: address({ country: null }) })] },
    'CH21',
  ],
  'fatf-r16-person': ['GB-IN', { minor: 75_000n }, { minor: 75_000n, debtor: { birthDate: '1985' } }, 'RR02'],
  'eu-2023-1113-art-4': ['EU-IN', {}, { debtor: { birthPlace: null } }, 'RR01'],
  'us-travel-rule': [
    'US-IN',
    { minor: 300_000n },
    { minor: 300_000n, debtor: { postalAddress: address({ street: null, building: null, postCode: null }) } },
    'RR02',
  ],
  'us-excise-funding': ['US-IN', {}, { intent: { funding: null } }, 'CH21'],
  'mtss-persons': ['GB-IN', { intent: MTSS }, { intent: MTSS, creditor: { kind: 'ORGANISATION' } }, 'AG01'],
  'mtss-no-trade': ['GB-IN', { intent: MTSS }, { intent: { ...MTSS, purposeCode: 'GDDS' } }, 'AG01'],
  'mtss-purpose': [
    'GB-IN',
    { intent: MTSS },
    { intent: { ...MTSS, nationalPurpose: { ...MTSS.nationalPurpose!, relation: null } } },
    'FF07',
  ],
  'lrs-pan': ['IN-GB', lrs(), lrs({ debtor: { identifiers: [{ ...PAN, scheme: 'PASSPORT' }] } }), 'RR01'],
  'lrs-purpose': [
    'IN-GB',
    lrs(),
    lrs({ intent: { nationalPurpose: { ...LRS.nationalPurpose!, code: 'P1301' } } }),
    'FF07',
  ],
  'lrs-declared-use': ['IN-GB', lrs(), lrs({ intent: { declaredUse: null } }), 'CH21'],
};
/** Rules that intake's own checks already make sure of. */
const ALWAYS_MET = ['eu-2023-1113-art-6'];

describe('the shipped rules', () => {
  it('each have a pair, or are met by every intent that intake takes', () => {
    expect([...Object.keys(PAIRS), ...ALWAYS_MET].toSorted()).toEqual(RULES.required.map(({ id }) => id).toSorted());
  });

  it.each(Object.entries(PAIRS))('%s: refuses what is one field apart', (id, [corridor, good, bad, code]) => {
    expect(lookAt(intentOn(corridor, good), AT, rules)).toEqual({ reasons: [], brokenRules: [], reviewRules: [] });
    const { reasons, brokenRules } = lookAt(intentOn(corridor, bad), AT, rules);
    expect(brokenRules).toEqual([id]);
    expect(reasons).toEqual([{ code, detail: expect.stringMatching(`^rule ${id}: `) }]);
  });

  it('do not hold before their day', () => {
    const before = Date.UTC(2026, 10, 13, 23, 59);
    const on = Date.UTC(2026, 10, 14);
    const at = (moment: number) => {
      const intent = intentOn('GB-IN', { creditor: noTown, intent: { requestedAt: moment } });
      return lookAt(intent, moment, rules).brokenRules;
    };
    expect([at(before), at(on)]).toEqual([[], ['cbpr-creditor-address']]);
  });

  it('hold from their amount on, and in a currency that they do not name from the first unit', () => {
    const year = { debtor: { birthDate: '1985' } };
    const broken = (minor: bigint) => lookAt(intentOn('GB-IN', { ...year, minor }), AT, rules).brokenRules;
    expect([broken(74_999n), broken(75_000n)]).toEqual([[], ['fatf-r16-person']]);
    const forgotten = {
      ...RULES,
      required: RULES.required.map((rule) => ({ ...rule, where: { ...rule.where, atLeastMinor: new Map() } })),
    };
    const found = lookAt(intentOn('GB-IN', { ...year, minor: 100n }), AT, { ...rules, transferRules: forgotten });
    expect(found.brokenRules).toContain('fatf-r16-person');
  });

  it('take either of two sets for a payer of the Union', () => {
    const passport = [{ scheme: 'PASSPORT', value: 'C01X00T47', country: 'DE' }];
    const broken = (over: Partial<Party>) => lookAt(intentOn('EU-IN', { debtor: over }), AT, rules).brokenRules;
    expect(broken({ birthPlace: null, identifiers: passport })).toEqual([]);
    expect(broken({ identifiers: [] })).toEqual([]);
    expect(broken({ birthDate: null, identifiers: [] })).toEqual(['eu-2023-1113-art-4']);
  });

  it('refuse an arrangement that is not known, or not of the corridor', () => {
    const broken = (corridor: CorridorId, arrangement: string) =>
      lookAt(intentOn(corridor, { intent: { arrangement } }), AT, rules).reasons.map(({ code }) => code);
    expect([broken('GB-IN', 'NOSUCH'), broken('GB-IN', 'RDA'), broken('IN-GB', 'RDA')]).toEqual([
      ['AG03'],
      [],
      ['AG03'],
    ]);
  });

  it('hold on a name that differs, and never refuse for it', () => {
    const looked = (result: 'MTCH' | 'CMTC' | 'NMTC' | 'NOAP') =>
      lookAt(
        intentOn('GB-IN', {
          intent: { payeeVerification: { scheme: 'IN_LOOKUP', result, checkedAt: AT, payerProceeded: true } },
        }),
        AT,
        rules,
      );
    for (const result of ['MTCH', 'NOAP'] as const)
      expect(looked(result)).toEqual({ reasons: [], brokenRules: [], reviewRules: [] });
    for (const result of ['CMTC', 'NMTC'] as const)
      expect(looked(result)).toEqual({ reasons: [], brokenRules: [], reviewRules: ['payee-name-differs'] });
  });
});

describe('intake', () => {
  const intake = () =>
    createIntake({
      ...{ claims: memoryIntentClaims(), corridors: BOOK, transferRules: RULES, tokenKey: TOKEN_KEY },
      homePartitionOf: () => 0,
      clock: () => AT,
    });

  it('names the set in what it accepts and in what it rejects, with the rules that are not met', async () => {
    const [good] = await run(intake(), [received('transfer.requested', intentOn('GB-IN'))]);
    expect(only(good, 'transfer.accepted').instruction).toMatchObject({
      transferRules: versionOf(RULES),
      reviewRules: [],
    });
    const [bad] = await run(intake(), [received('transfer.requested', intentOn('GB-IN', { debtor: noTown }))]);
    expect(only(bad, 'intent.rejected')).toMatchObject({
      ...{ transferRules: versionOf(RULES), brokenRules: ['cbpr-debtor-address'] },
      reasons: [{ code: 'BE07' }],
    });
  });
});

describe('a file of rules', () => {
  const file = () => strictJson(exampleRulesText()) as Record<string, Record<string, unknown>[]>;
  it.each([
    ['a key that nobody knows', (all: ReturnType<typeof file>) => ({ ...all, extra: 1 })],
    [
      'a key of a rule that nobody knows',
      (all: ReturnType<typeof file>) => {
        const [first, ...rest] = all['required']!;
        return { ...all, required: [{ ...first, wehre: {} }, ...rest] };
      },
    ],
    [
      'a field that nobody knows',
      (all: ReturnType<typeof file>) => {
        const [first, ...rest] = all['required']!;
        return { ...all, required: [{ ...first, require: [[{ field: 'debtor.shoeSize' }]] }, ...rest] };
      },
    ],
    [
      'an id that stands twice',
      (all: ReturnType<typeof file>) => ({
        ...all,
        required: [...all['required']!, all['required']![0]],
      }),
    ],
    [
      'a reason that is not in the catalogue',
      (all: ReturnType<typeof file>) => {
        const [first, ...rest] = all['required']!;
        return { ...all, required: [{ ...first, reason: 'ZZ99' }, ...rest] };
      },
    ],
    ['an arrangement that is not in it', (all: ReturnType<typeof file>) => ({ ...all, arrangements: [] })],
    [
      'no authority',
      (all: ReturnType<typeof file>) => {
        const [{ authority: _, ...first } = {}, ...rest] = all['required']!;
        return { ...all, required: [first, ...rest] };
      },
    ],
  ])('with %s is refused', (_name, change) => {
    expect(() => transferRulesFrom(change(file()))).toThrow();
  });
});
