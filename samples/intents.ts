// Good and deliberately bad transfer intents, each with the end that it must come to.
import type { Intermediary, TransferRequested } from '../schemas/types.generated.ts';
import { agent, person } from './parties.ts';
import type { Random } from './random.ts';

interface Corridor {
  readonly source: string;
  readonly target: string;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  /** Usual amounts in minor units of the source. */
  readonly minor: readonly [number, number];
}

export const SAMPLE_CORRIDORS: readonly Corridor[] = [
  { source: 'GB', target: 'IN', sourceCurrency: 'GBP', targetCurrency: 'INR', minor: [2_000, 90_000] },
  { source: 'DE', target: 'IN', sourceCurrency: 'EUR', targetCurrency: 'INR', minor: [2_000, 90_000] },
  { source: 'US', target: 'IN', sourceCurrency: 'USD', targetCurrency: 'INR', minor: [2_500, 95_000] },
  { source: 'AE', target: 'IN', sourceCurrency: 'AED', targetCurrency: 'INR', minor: [10_000, 350_000] },
  { source: 'IN', target: 'GB', sourceCurrency: 'INR', targetCurrency: 'GBP', minor: [200_000, 6_000_000] },
];

export interface IntentIds {
  readonly transferId: string;
  readonly customerId: string;
  readonly beneficiaryId: string;
}

/** What the sample producer declares of every transfer. */
const DECLARED = {
  nationalPurpose: null,
  funding: { method: 'ACCOUNT', receivedAt: null, reference: null },
  payeeVerification: null,
  arrangement: null,
  taxes: [],
  kycTier: null,
  declaredUse: null,
  quoteId: null,
} as const;

/** A valid intent on a random corridor. `ending`: six digits of the beneficiary's account that choose the outcome. */
export function goodIntent(random: Random, ids: IntentIds, now: number, ending?: string): TransferRequested {
  const corridor = random.pick(SAMPLE_CORRIDORS);
  const [low, high] = corridor.minor;
  return {
    transferId: ids.transferId,
    endToEndId: `E2E-${ids.transferId}`.slice(0, 35),
    requestedAt: now,
    instructedAmount: { minor: BigInt(low + random.below(high - low)), currency: corridor.sourceCurrency },
    amountSide: 'SOURCE',
    sourceCurrency: corridor.sourceCurrency,
    targetCurrency: corridor.targetCurrency,
    chargeBearer: 'SLEV',
    purposeCode: 'DEPD',
    requestedExecutionDate: null,
    parties: {
      'corridor.Parties': {
        debtor: person(random, corridor.source, ids.customerId),
        creditor: person(random, corridor.target, ids.beneficiaryId, ending),
        remittanceInformation: null,
        intermediaries: [],
        verifiedPayeeName: null,
      },
    },
    ...DECLARED,
  };
}

type Change = (intent: TransferRequested, random: Random) => TransferRequested;

const parties = (intent: TransferRequested) =>
  (intent.parties as { 'corridor.Parties': never })['corridor.Parties'] as {
    debtor: ReturnType<typeof person>;
    creditor: ReturnType<typeof person>;
    remittanceInformation: string | null;
    intermediaries: readonly Intermediary[];
    verifiedPayeeName: string | null;
  };
const withAmount = (intent: TransferRequested, minor: bigint): TransferRequested => ({
  ...intent,
  instructedAmount: { ...intent.instructedAmount, minor },
});
const withParty = (
  intent: TransferRequested,
  role: 'debtor' | 'creditor',
  change: Partial<ReturnType<typeof person>>,
): TransferRequested => ({
  ...intent,
  parties: { 'corridor.Parties': { ...parties(intent), [role]: { ...parties(intent)[role], ...change } } },
});

const DAY_MS = 86_400_000;

/** Intents that decode and must be refused by intake, by kind. The transferId stays as it is. */
export const INVALID_INTENTS: Readonly<Record<string, Change>> = {
  'negative-amount': (intent) => withAmount(intent, -5_000n),
  'zero-amount': (intent) => withAmount(intent, 0n),
  'overflowing-amount': (intent) => withAmount(intent, 2n ** 63n - 1n),
  'unknown-source-currency': (intent) => ({
    ...intent,
    sourceCurrency: 'XQZ',
    instructedAmount: { ...intent.instructedAmount, currency: 'XQZ' },
  }),
  'unknown-target-currency': (intent) => ({ ...intent, targetCurrency: 'QQQ' }),
  'same-source-and-target': (intent) => ({ ...intent, targetCurrency: intent.sourceCurrency }),
  'currency-of-neither-side': (intent) => ({
    ...intent,
    instructedAmount: { ...intent.instructedAmount, currency: 'JPY' },
  }),
  'requested-in-the-future': (intent) => ({ ...intent, requestedAt: intent.requestedAt + 3 * DAY_MS }),
  'requested-long-ago': (intent) => ({ ...intent, requestedAt: 946_684_800_000 }),
  'execution-date-in-the-future': (intent) => ({
    ...intent,
    requestedExecutionDate: new Date(intent.requestedAt + 40 * DAY_MS).toISOString().slice(0, 10),
  }),
  'execution-date-not-a-date': (intent) => ({ ...intent, requestedExecutionDate: '2026-13-45' }),
  'empty-beneficiary-name': (intent) => withParty(intent, 'creditor', { name: '   ' }),
  'empty-sender-name': (intent) => withParty(intent, 'debtor', { name: '' }),
  'unknown-country': (intent) => withParty(intent, 'creditor', { country: 'QX' }),
  'iban-check-digits-wrong': (intent) =>
    withParty(intent, 'debtor', { account: { scheme: 'IBAN', value: 'GB00NWBK60161331926819', agent: null } }),
  'empty-account': (intent) =>
    withParty(intent, 'creditor', { account: { ...parties(intent).creditor.account, value: '' } }),
  'unknown-intermediary-role': (intent, random) => withOthers(intent, [{ ...agent(random, 'GB'), role: 'UNKNOWN' }]),
  'empty-intermediary-name': (intent, random) => withOthers(intent, [{ ...agent(random, 'GB'), name: ' ' }]),
  'no-customer-id': (intent) => withParty(intent, 'debtor', { customerId: '' }),
  'end-to-end-id-too-long': (intent) => ({ ...intent, endToEndId: 'X'.repeat(36) }),
  'end-to-end-id-empty': (intent) => ({ ...intent, endToEndId: '' }),
  'unknown-amount-side': (intent) => ({ ...intent, amountSide: 'UNKNOWN' }),
  'unsupported-corridor': (intent) => ({
    ...intent,
    sourceCurrency: 'JPY',
    instructedAmount: { minor: 90_000n, currency: 'JPY' },
  }),
  'sealed-parties-without-a-key': (intent) => ({
    ...intent,
    parties: {
      'corridor.SealedParties': { keyId: 'none', algorithm: 'AES-256-GCM', ciphertext: Buffer.from([1, 2, 3]) },
    },
  }),
};

/** The same transfer with another amount: an id used again for another payload. */
export const withOtherPayload: Change = (intent) => withAmount(intent, intent.instructedAmount.minor + 1n);

/** An amount above any daily limit of the sample corridors, yet inside what a corridor takes at once. */
export function overDailyLimit(intent: TransferRequested): TransferRequested {
  return withAmount(intent, OVER_LIMIT_MINOR[intent.sourceCurrency]!);
}
const OVER_LIMIT_MINOR: Readonly<Record<string, bigint>> = {
  GBP: 1_500_000n,
  EUR: 1_500_000n,
  USD: 1_500_000n,
  AED: 6_000_000n,
  INR: 150_000_000n,
};

/** The money is from or for somebody else in the end, and goes through an agent. */
export function withIntermediaries(intent: TransferRequested, random: Random): TransferRequested {
  const { debtor, creditor } = parties(intent);
  const { name, birthDate, kind, country, nationalities, postalAddress, birthPlace } = person(
    random,
    debtor.country,
    '',
  );
  const ultimate: Intermediary = {
    role: 'ULTIMATE_DEBTOR',
    customerId: null,
    kind,
    name,
    birthDate,
    country,
    nationalities,
    identifiers: [],
    address: null,
    postalAddress,
    birthPlace,
  };
  return withOthers(intent, [ultimate, agent(random, creditor.country)]);
}

const withOthers = (intent: TransferRequested, intermediaries: readonly Intermediary[]): TransferRequested => ({
  ...intent,
  parties: { 'corridor.Parties': { ...parties(intent), intermediaries } },
});

/** The one that the money is for in the end carries a listed name. */
export function listedUltimateCreditor(intent: TransferRequested, random: Random, name: string): TransferRequested {
  const [ultimate, ...others] = parties(withIntermediaries(intent, random)).intermediaries;
  return withOthers(intent, [...others, { ...ultimate!, role: 'ULTIMATE_CREDITOR', name, birthDate: null }]);
}

/** On no list. */
const PASSPORT = { scheme: 'PASSPORT', value: 'QX0000000', country: null };

/**
 * The sender carries a listed name, and has no date of birth that could tell them apart: known by a document instead, and of an
 * amount from which on nobody asks for that date.
 */
export function listedSender(intent: TransferRequested, name: string): TransferRequested {
  const small = SAMPLE_CORRIDORS.find(({ sourceCurrency }) => sourceCurrency === intent.sourceCurrency)!.minor[0];
  return withParty(withAmount(intent, BigInt(small)), 'debtor', { name, birthDate: null, identifiers: [PASSPORT] });
}
