// Whether two intents say the same: a hash over the decoded fields, so that neither the order of fields nor the schema
// version of the producer matters. Pure.
import { hash } from 'node:crypto';
import type { Account, Intermediary, Money, Parties, Party, TransferRequested } from '../../schemas/types.generated.ts';

type Canonical = string | number | boolean | null | readonly Canonical[];

// A version lists its fields. A field that the schema gains later belongs to the next version; claims made with an older
// one are compared in theirs. Never change a version that was released. A field that adds to the hash only where it is given
// changes nothing of what was hashed before: the intermediaries came so, and after them addresses, births, declarations
// and the quote.
const VERSIONS: Readonly<Record<string, (intent: TransferRequested) => Canonical>> = { v1: canonicalV1 };
/** The version that new claims are made with. */
export const CURRENT_HASH = 'v1';

/** Payload hash of an intent, as `<version>:<sha-256 hex>`; undefined for a version that this code does not know. */
export function payloadHash(intent: TransferRequested, version: string = CURRENT_HASH): string | undefined {
  const canonical = VERSIONS[version];
  if (canonical === undefined) return undefined;
  return `${version}:${hash('sha256', JSON.stringify(canonical(intent)), 'hex')}`;
}

/** The version that a stored hash was made with. */
export const hashVersion = (stored: string): string => stored.slice(0, stored.indexOf(':'));

function canonicalV1(intent: TransferRequested): Canonical {
  const { instructedAmount, parties } = intent;
  return [
    intent.transferId,
    intent.endToEndId,
    intent.requestedAt,
    instructedAmount.minor.toString(),
    instructedAmount.currency,
    intent.amountSide,
    intent.sourceCurrency,
    intent.targetCurrency,
    intent.chargeBearer,
    intent.purposeCode,
    intent.requestedExecutionDate,
    'corridor.Parties' in parties
      ? partiesV1(parties['corridor.Parties'])
      : [
          'sealed',
          parties['corridor.SealedParties'].keyId,
          parties['corridor.SealedParties'].algorithm,
          parties['corridor.SealedParties'].ciphertext.toString('base64'),
        ],
    ...declarationsV1(intent),
  ];
}

/** A part that counts only where it is given, under its name, so that no two of them can be taken for each other. */
const given = (name: string, value: Canonical | undefined): readonly Canonical[] =>
  value === undefined || value === null ? [] : [[name, value]];

const moneyV1 = ({ minor, currency }: Money): Canonical => [minor.toString(), currency];

function declarationsV1(intent: TransferRequested): readonly Canonical[] {
  const { nationalPurpose, funding, payeeVerification, taxes, declaredUse } = intent;
  return [
    ...given(
      'nationalPurpose',
      nationalPurpose && [nationalPurpose.scheme, nationalPurpose.code, nationalPurpose.relation],
    ),
    ...given('funding', funding && [funding.method, funding.receivedAt, funding.reference]),
    ...given(
      'payeeVerification',
      payeeVerification && [
        payeeVerification.scheme,
        payeeVerification.result,
        payeeVerification.checkedAt,
        payeeVerification.payerProceeded,
      ],
    ),
    ...given('arrangement', intent.arrangement),
    ...given(
      'taxes',
      taxes.length === 0
        ? null
        : taxes.map(({ kind, authority, amount, basis }) => [kind, authority, moneyV1(amount), moneyV1(basis)]),
    ),
    ...given('kycTier', intent.kycTier),
    ...given('declaredUse', declaredUse && moneyV1(declaredUse)),
    ...given('quoteId', intent.quoteId),
  ];
}

const partiesV1 = (parties: Parties): Canonical => [
  partyV1(parties.debtor),
  partyV1(parties.creditor),
  parties.remittanceInformation,
  ...(parties.intermediaries.length > 0 ? [['intermediaries', ...parties.intermediaries.map(intermediaryV1)]] : []),
  ...given('verifiedPayeeName', parties.verifiedPayeeName),
];

const partyV1 = (party: Party): Canonical => [
  party.customerId,
  ...personV1(party),
  accountV1(party.account),
  ...placesV1(party),
];

const intermediaryV1 = (party: Intermediary): Canonical => [
  party.role,
  party.customerId,
  ...personV1(party),
  ...placesV1(party),
];

function placesV1({ postalAddress: at, birthPlace }: Party | Intermediary): readonly Canonical[] {
  return [
    ...given(
      'postalAddress',
      at && [at.street, at.building, at.postCode, at.town, at.subdivision, at.country, at.lines],
    ),
    ...given('birthPlace', birthPlace && [birthPlace.town, birthPlace.country]),
  ];
}

const personV1 = (party: Party | Intermediary): readonly Canonical[] => [
  party.kind,
  party.name,
  party.birthDate,
  party.country,
  party.nationalities,
  party.identifiers.map(({ scheme, value, country }) => [scheme, value, country]),
  party.address,
];

const accountV1 = ({ scheme, value, agent }: Account): Canonical => [scheme, value, agent];
