// Walks the schema of an intent: no text of it, at whatever depth, is without a bound, and none carries hidden characters on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selfContained } from '../../schemas/load.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { AT, BOOK, creditor, debtor, intermediary, transferRequested } from '../../test/kit/builders.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import { DEFAULT_TIMING, reasonsAgainst } from './validate.ts';

const rules = { ...DEFAULT_TIMING, corridors: BOOK };
const against = (intent: unknown) => reasonsAgainst(intent as TransferRequested, AT, rules);

type Path = readonly string[];
type Schema = string | readonly Schema[] | { readonly [name: string]: unknown };

/** Paths of everything of this kind within a schema; `*` stands for the items of an array. */
function pathsOf(kind: 'string' | 'array', schema: Schema, at: Path, named: Map<string, Schema>): Path[] {
  if (typeof schema === 'string') {
    const known = named.get(schema);
    if (known !== undefined) return pathsOf(kind, known, at, named);
    return schema === kind ? [at] : [];
  }
  if (Array.isArray(schema)) {
    const records = (schema as Schema[]).filter((branch) => nameOf(branch, named) !== undefined);
    return (schema as Schema[]).flatMap((branch) =>
      pathsOf(kind, branch, records.length > 1 ? [...at, nameOf(branch, named)!] : at, named),
    );
  }
  const { type, name, namespace, fields, items } = schema as Record<string, unknown>;
  if (type === 'record') {
    named.set(`${String(namespace ?? 'corridor')}.${String(name)}`, schema);
    const each = fields as { name: string; type: Schema }[];
    return each.flatMap((field) => pathsOf(kind, field.type, [...at, field.name], named));
  }
  if (type === 'array') {
    return [...(kind === 'array' ? [at] : []), ...pathsOf(kind, items as Schema, [...at, '*'], named)];
  }
  if (type === 'enum' || type === 'fixed') return [];
  return pathsOf(kind, type as Schema, at, named);
}

function nameOf(schema: Schema, named: Map<string, Schema>): string | undefined {
  if (typeof schema === 'string') return named.has(schema) ? schema : undefined;
  const { type, name, namespace } = schema as Record<string, unknown>;
  return type === 'record' ? `${String(namespace ?? 'corridor')}.${String(name)}` : undefined;
}

const SCHEMA = selfContained('corridor.TransferRequested') as unknown as Schema;
const sealed = (path: Path) => path.includes('corridor.SealedParties');
const STRINGS = pathsOf('string', SCHEMA, [], new Map()).filter((path) => !sealed(path));
const ARRAYS = pathsOf('array', SCHEMA, [], new Map()).filter((path) => !sealed(path));

/** The name of a field in the table of bounds. */
const nameIn = (path: Path) =>
  path
    .filter((part) => part !== '*' && part !== 'parties' && part !== 'corridor.Parties')
    .join('.')
    .replace(/^(debtor|creditor|intermediaries)\./, 'party.');

const identifiers = [{ scheme: 'PASSPORT', value: 'X1234567', country: 'GB' }];
const postalAddress = {
  street: 'High Street',
  building: '1',
  postCode: 'LS1 4DY',
  town: 'Leeds',
  subdivision: 'West Yorkshire',
  country: 'GB',
  lines: ['c/o Porter'],
};
const birthPlace = { town: 'Leeds', country: 'GB' };
const full = {
  ...{ nationalities: ['GB'], identifiers, address: '1 High Street, Leeds', birthDate: '1985-04-12' },
  ...{ postalAddress, birthPlace },
};
const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });
const declared: Partial<TransferRequested> = {
  nationalPurpose: { scheme: 'RBI', code: 'P1301', relation: 'PARENT' },
  funding: { method: 'CASH', receivedAt: AT, reference: 'F-1' },
  payeeVerification: { scheme: 'EPC_VOP', result: 'CMTC', checkedAt: AT, payerProceeded: true },
  arrangement: 'RDA',
  taxes: [{ kind: 'EXCISE', authority: 'US_IRC_4475', amount: gbp(10n), basis: gbp(1_000n) }],
  kycTier: 'TIER_1',
  declaredUse: { minor: 1n, currency: 'USD' },
};
/** Every field of it is filled, so that every path leads somewhere. */
function filled(vpa: boolean): TransferRequested {
  const account = vpa
    ? { scheme: 'VPA', value: 'ravi.k@okhdfc', agent: 'HDFC0000077' }
    : { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' };
  const intent = transferRequested({
    debtor: { ...debtor(), ...full, account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555', agent: 'BUKBGB22' } },
    creditor: { ...creditor(), ...full, account },
    intermediaries: [intermediary({ ...full, customerId: 'customer-3', country: 'GB' })],
    intent: { requestedExecutionDate: '2026-11-23', ...declared },
  });
  const parties = intent.parties as { 'corridor.Parties': object };
  return {
    ...intent,
    parties: {
      'corridor.Parties': {
        ...parties['corridor.Parties'],
        ...{ remittanceInformation: 'for the rent', verifiedPayeeName: 'R. Kulkarni' },
      },
    },
  } as TransferRequested;
}

/** The intent with what `change` makes of the value at the path. */
function changed(intent: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return change(intent);
  if (first === '*') return (intent as unknown[]).map((item) => changed(item, rest, change));
  const object = intent as Record<string, unknown>;
  expect(object, path.join('.')).toHaveProperty([first]);
  return { ...object, [first]: changed(object[first], rest, change) };
}

describe.each([
  ['an account number', false],
  ['a payment address', true],
])('an intent with every field filled, to %s', (_, vpa) => {
  const intent = filled(vpa);
  it('is valid', () => expect(against(intent)).toEqual([]));

  it.each(STRINGS.map((path) => [path.join('.'), path] as const))('is refused when %s is too long', (_name, path) => {
    const most = MAX_CHARACTERS[nameIn(path) as keyof typeof MAX_CHARACTERS];
    expect(most, `${path.join('.')} needs a bound in bounds.ts`).toBeGreaterThan(0);
    for (const length of [most + 1, 5_000]) {
      expect(against(changed(intent, path, () => 'x'.repeat(length)))).not.toEqual([]);
      expect(against(changed(intent, path, (value) => String(value).padEnd(length, '1')))).not.toEqual([]);
    }
  });

  it.each(STRINGS.map((path) => [path.join('.'), path] as const))(
    'is refused when %s hides something',
    (_name, path) => {
      const hidden = fc.constantFrom(
        '\u001b',
        '\u0000',
        '\n',
        '\u009b',
        '\u202e',
        '\u2066',
        '\u200b',
        '\u2028',
        '\ufeff',
        '\ud800',
        '\ufffd',
      );
      fc.assert(
        fc.property(hidden, fc.boolean(), (character, first) => {
          const with_ = (value: unknown) => (first ? `${character}${String(value)}` : `${String(value)}${character}`);
          expect(against(changed(intent, path, with_))).not.toEqual([]);
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(ARRAYS.map((path) => [path.join('.'), path] as const))(
    'is refused when %s has too many items',
    (_name, path) => {
      const most = MAX_ITEMS[nameIn(path) as keyof typeof MAX_ITEMS];
      expect(most, `${path.join('.')} needs a bound in bounds.ts`).toBeGreaterThan(0);
      const many = (value: unknown) => Array.from({ length: most + 1 }, () => (value as unknown[])[0]);
      expect(against(changed(intent, path, many))).not.toEqual([]);
    },
  );
});

describe('lengths', () => {
  it('are counted in characters, not in halves of them', () => {
    const name = (text: string) => against(transferRequested({ creditor: { name: text } }));
    expect([name('𠮷'.repeat(140)), name('𠮷'.repeat(141)).map(({ code }) => code)]).toEqual([[], ['CH16']]);
  });

  it('of the bank of a payment address stop it before any provider sees it', () => {
    const to = (agent: string | null) =>
      against(transferRequested({ creditor: { account: { scheme: 'VPA', value: 'ravi.k@okhdfc', agent } } })).map(
        ({ code }) => code,
      );
    expect([to(null), to('HDFC0000077'), to('HDFCINBB'), to('\u001b[2J'.repeat(1_250))]).toEqual([
      [],
      [],
      [],
      ['RC10'],
    ]);
  });
});
