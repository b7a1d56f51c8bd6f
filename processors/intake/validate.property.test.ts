// Whatever decodes is either refused with reasons or becomes an event that the schema takes: nothing in between, no throw.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKnownReason } from '../../domain/reasons.ts';
import { recordType } from '../../schemas/avro-types.ts';
import type {
  Account,
  Funding,
  Identifier,
  Intermediary,
  Parties,
  Party,
  PayeeVerification,
  Tax,
  TransferRequested,
} from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  creditor,
  debtor,
  only,
  received,
  run,
  TOKEN_KEY,
  transferRequested,
} from '../../test/kit/builders.ts';
import { memoryIntentClaims } from '../../test/kit/memory-claims.ts';
import { times } from '../../test/kit/times.ts';
import { createIntake } from './processor.ts';
import { DEFAULT_TIMING, reasonsAgainst } from './validate.ts';

/** Mostly a sensible value, sometimes anything at all. */
const mostly = <T>(sensible: readonly T[], anything: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 25, arbitrary: fc.constantFrom(...sensible) }, { weight: 1, arbitrary: anything });
const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ' ', '\u0000', '💸', 'x'.repeat(400)),
);
const orNull = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: null });

const account = (base: Account): fc.Arbitrary<Account> =>
  fc.record({
    scheme: mostly([base.scheme], fc.constantFrom('IBAN', 'BBAN', 'VPA', 'PAN', '')),
    value: mostly([base.value], junk),
    agent: mostly([base.agent], orNull(junk)),
  });
const postalAddress: fc.Arbitrary<Party['postalAddress']> = fc.option(
  fc.record({
    street: mostly<string | null>(['High Street'], junk),
    building: mostly<string | null>(['1a', null], junk),
    postCode: mostly<string | null>(['LS1 4DY', null], junk),
    town: mostly<string | null>(['Leeds'], junk),
    subdivision: mostly<string | null>([null], junk),
    country: mostly<string | null>(['GB'], junk),
    lines: mostly<string[]>([[], ['c/o Porter']], fc.array(junk, { maxLength: 3 })),
  }),
  { nil: null },
);
const birthPlace: fc.Arbitrary<Party['birthPlace']> = fc.option(
  fc.record({ town: mostly(['Leeds'], junk), country: mostly(['GB'], junk) }),
  { nil: null },
);
const anyTime = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
const money = fc.record({
  minor: mostly([100n, 0n], fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  currency: mostly(['GBP'], junk),
});
const declarations = {
  nationalPurpose: fc.option(
    fc.record({
      scheme: mostly(['RBI'], junk),
      code: mostly(['P1301'], junk),
      relation: mostly<string | null>(['PARENT', null], junk),
    }),
    { nil: null },
  ),
  funding: fc.option(
    fc.record({
      method: mostly<Funding['method']>(['ACCOUNT', 'CASH'], fc.constant('UNKNOWN')),
      receivedAt: mostly<number | null>([null, AT], anyTime),
      reference: mostly<string | null>([null, 'F-1'], junk),
    }),
    { nil: null },
  ),
  payeeVerification: fc.option(
    fc.record({
      scheme: mostly(['EPC_VOP'], junk),
      result: mostly<PayeeVerification['result']>(['MTCH', 'NMTC'], fc.constant('UNKNOWN')),
      checkedAt: mostly([AT], anyTime),
      payerProceeded: fc.boolean(),
    }),
    { nil: null },
  ),
  arrangement: mostly<string | null>([null, 'RDA'], junk),
  taxes: mostly<Tax[]>(
    [[]],
    fc.array(fc.record({ kind: mostly(['EXCISE'], junk), authority: junk, amount: money, basis: money }), {
      maxLength: 12,
    }),
  ),
  kycTier: mostly<string | null>([null, 'TIER_1'], junk),
  declaredUse: fc.option(money, { nil: null }),
  quoteId: fc.option(fc.uuid(), { nil: null }),
};
const party = (base: Party): fc.Arbitrary<Party> =>
  fc.record({
    customerId: mostly([base.customerId], junk),
    kind: mostly<Party['kind']>(['PERSON', 'ORGANISATION'], fc.constant('UNKNOWN')),
    name: mostly([base.name], junk),
    birthDate: mostly<string | null>(['1985-04-12', '1985', null], junk),
    country: mostly([base.country], junk),
    nationalities: mostly<string[]>([[], ['GB']], fc.array(junk, { maxLength: 12 })),
    identifiers: fc.constant([]),
    address: mostly<string | null>([null, 'Leeds'], junk),
    postalAddress,
    birthPlace,
    account: account(base.account),
  });
const beside: fc.Arbitrary<Intermediary> = fc.record({
  role: mostly<Intermediary['role']>(['ULTIMATE_DEBTOR', 'INTERMEDIARY_AGENT'], fc.constant('UNKNOWN')),
  customerId: mostly<string | null>([null, 'customer-9'], junk),
  kind: mostly<Party['kind']>(['PERSON', 'ORGANISATION'], fc.constant('UNKNOWN')),
  name: mostly(['Leela Narayan'], junk),
  birthDate: mostly<string | null>([null, '1985'], junk),
  country: mostly<string | null>([null, 'IN'], junk),
  nationalities: mostly<string[]>([[], ['GB']], fc.array(junk, { maxLength: 12 })),
  identifiers: mostly<Identifier[]>(
    [[], [{ scheme: 'BIC', value: 'BUKBGB22', country: null }]],
    fc.array(fc.record({ scheme: junk, value: junk, country: orNull(junk) }), { maxLength: 12 }),
  ),
  address: mostly<string | null>([null], junk),
  postalAddress,
  birthPlace,
});
const intent: fc.Arbitrary<TransferRequested> = fc
  .record({
    transferId: mostly(['transfer-0001', '5f0c8f0e-3c1a-4a1e-9f63-2d9a0c1b7e11'], junk),
    endToEndId: mostly(['E2E'], junk),
    requestedAt: mostly([AT, AT - 1_000], fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 })),
    minor: mostly([100_000n, 500n], fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    currency: mostly(['GBP'], junk),
    amountSide: mostly<TransferRequested['amountSide']>(['SOURCE'], fc.constantFrom('UNKNOWN', 'TARGET')),
    sourceCurrency: mostly(['GBP'], junk),
    targetCurrency: mostly(['INR'], junk),
    chargeBearer: mostly<TransferRequested['chargeBearer']>(['SLEV', 'DEBT'], fc.constantFrom('UNKNOWN', 'CRED')),
    purposeCode: mostly(['DEPD'], junk),
    requestedExecutionDate: mostly<string | null>([null, '2026-11-23'], junk),
    ...declarations,
    parties: fc.record({
      debtor: party(debtor()),
      creditor: party(creditor()),
      remittanceInformation: orNull(junk),
      verifiedPayeeName: mostly<string | null>([null], junk),
      intermediaries: fc.oneof(
        { weight: 9, arbitrary: fc.array(beside, { maxLength: 2 }) },
        { weight: 1, arbitrary: fc.array(beside, { minLength: 9, maxLength: 12 }) },
      ),
    }),
  })
  .map(({ minor, currency, parties, ...rest }) => ({
    ...rest,
    instructedAmount: { minor, currency },
    parties: { 'corridor.Parties': parties as Parties },
  }));

const rules = { ...DEFAULT_TIMING, corridors: BOOK };
const accepted = recordType('TransferAccepted');
const rejected = recordType('IntentRejected');

describe('any intent', () => {
  it('is refused with reasons of the catalogue, or becomes an event that the schema takes', async () => {
    const seen = { accepted: 0, rejected: 0 };
    const intake = () =>
      createIntake({
        claims: memoryIntentClaims(),
        corridors: BOOK,
        homePartitionOf: () => 0,
        tokenKey: TOKEN_KEY,
        clock: () => AT,
      });
    await fc.assert(
      fc.asyncProperty(intent, async (value) => {
        const reasons = reasonsAgainst(value, AT, rules);
        expect(reasons.every(({ code, detail }) => isKnownReason(code) && detail !== '')).toBe(true);
        expect(reasonsAgainst(value, AT, rules)).toEqual(reasons);
        const [decision] = await run(intake(), [received('transfer.requested', value)]);
        if (reasons.length === 0) {
          seen.accepted += 1;
          expect(accepted.isValid(only(decision, 'transfer.accepted'))).toBe(true);
        } else {
          seen.rejected += 1;
          expect(rejected.isValid(only(decision, 'intent.rejected'))).toBe(true);
        }
      }),
      { numRuns: times(2_000) },
    );
    expect(Math.min(seen.accepted, seen.rejected)).toBeGreaterThan(20);
  });

  it('with an ordinary payload passes', () => expect(reasonsAgainst(transferRequested(), AT, rules)).toEqual([]));
});
