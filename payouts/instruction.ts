// What the provider is asked to do: a pure function of the event and the attempt.
import { firstCharacters, isLongerThan, isPlainText, safeText } from '../domain/text/text.ts';
import { uetrOf } from '../domain/transfers/uetr.ts';
import type { Money, Parties, Party, PayoutRequested, PostalAddress } from '../schemas/types.generated.ts';
import type { Attempt, PayoutInstruction, StatedAddress, StatedPayer } from './payout.ts';

/** A rail by target currency; the first one that takes the amount is used. Limits are minor units, inclusive. */
const RAILS: Readonly<Record<string, readonly { readonly rail: string; readonly upTo: bigint | null }[]>> = {
  INR: [
    { rail: 'IMPS', upTo: 50_000_000n },
    { rail: 'RTGS', upTo: null },
  ],
  GBP: [
    { rail: 'FPS', upTo: 100_000_000n },
    { rail: 'CHAPS', upTo: null },
  ],
  EUR: [
    { rail: 'SCT-INST', upTo: 10_000_000n },
    { rail: 'SCT', upTo: null },
  ],
  AED: [
    { rail: 'AANI', upTo: 5_000_000n },
    { rail: 'UAEFTS', upTo: null },
  ],
  USD: [{ rail: 'FEDWIRE', upTo: null }],
};
const OTHER_RAIL = 'SWIFT';

/** Every rail that there is. */
export const RAILS_KNOWN: readonly string[] = [
  ...Object.values(RAILS).flatMap((rails) => rails.map(({ rail }) => rail)),
  OTHER_RAIL,
];

/** The rail of an amount: all of them pay around the clock or queue at the provider. */
export function railOf({ minor, currency }: Money): string {
  const fitting = RAILS[currency]?.find(({ upTo }) => upTo === null || minor <= upTo);
  return fitting?.rail ?? OTHER_RAIL;
}

/** Personal data of a transfer, or undefined when it is sealed and nobody here can open it. */
export function openParties(requested: PayoutRequested): Parties | undefined {
  return 'corridor.Parties' in requested.parties ? requested.parties['corridor.Parties'] : undefined;
}

/** The body of the one submit of this attempt. */
export function instructionOf(
  requested: PayoutRequested,
  parties: Parties,
  attempt: Pick<Attempt, 'key' | 'expiresAt'>,
): PayoutInstruction {
  const { instruction, price, envelope } = requested;
  const { creditor, debtor } = parties;
  const { nationalPurpose } = instruction;
  return {
    key: attempt.key,
    transferId: envelope.transferId,
    endToEndId: instruction.endToEndId,
    amount: price.credit,
    rail: railOf(price.credit),
    corridor: `${instruction.sourceCurrency}-${instruction.targetCurrency}`,
    beneficiary: {
      name: shown(creditor.name, MAX_NAME_CHARACTERS),
      account: creditor.account.value,
      bankCode: creditor.account.agent,
      country: creditor.country,
      address: addressOf(creditor.postalAddress),
    },
    payer: payerOf(debtor),
    purpose: { code: instruction.purposeCode, national: nationalPurpose },
    chargeBearer: instruction.chargeBearer,
    // Null: of before, and made the same way.
    uetr: instruction.uetr ?? uetrOf(envelope.transferId),
    remittanceInformation:
      parties.remittanceInformation === null ? null : shown(parties.remittanceInformation, MAX_REMITTANCE_CHARACTERS),
    expiresAt: attempt.expiresAt,
  };
}

/** Most characters of what is said of a payer beside the name: those of ISO 20022, and of an intent. */
const MAX_LINE_CHARACTERS = 350;
const MAX_FIELD_CHARACTERS = 70;
const MAX_STATED = 10;

const orNull = (text: string | null, most: number): string | null => (text === null ? null : shown(text, most));

/** Nothing of the payer keeps a payout from being sent: intake has checked it, and what does not show is a blank. */
function payerOf(debtor: Party): StatedPayer {
  const { name, kind, account, country, customerId, postalAddress, address, birthDate, birthPlace } = debtor;
  return {
    name: shown(name, MAX_NAME_CHARACTERS),
    kind,
    account: shown(account.value, MAX_FIELD_CHARACTERS),
    bankCode: orNull(account.agent, MAX_FIELD_CHARACTERS),
    country,
    customerNumber: shown(customerId, MAX_FIELD_CHARACTERS),
    address: addressOf(postalAddress),
    addressLine: orNull(address, MAX_LINE_CHARACTERS),
    birthDate,
    birthPlace: birthPlace && { ...birthPlace, town: shown(birthPlace.town, MAX_FIELD_CHARACTERS) },
    identifiers: debtor.identifiers.slice(0, MAX_STATED).map(({ scheme, value, country: issuer }) => ({
      scheme: shown(scheme, MAX_FIELD_CHARACTERS),
      value: shown(value, MAX_FIELD_CHARACTERS),
      country: issuer,
    })),
  };
}

function addressOf(at: PostalAddress | null): StatedAddress | null {
  if (at === null) return null;
  const field = (text: string | null) => orNull(text, MAX_FIELD_CHARACTERS);
  return {
    ...{ street: field(at.street), building: field(at.building), postCode: field(at.postCode) },
    ...{ town: field(at.town), subdivision: field(at.subdivision), country: at.country },
    lines: at.lines.map((line) => shown(line, MAX_FIELD_CHARACTERS)),
  };
}

/** Characters that providers take: ISO 20022 has the same bounds. */
const MAX_NAME_CHARACTERS = 140;
const MAX_REMITTANCE_CHARACTERS = 140;
const MAX_REFERENCE_CHARACTERS = 35;
const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9@._+/ -]{0,63}$/;
const BANK_CODE = /^[A-Za-z0-9][A-Za-z0-9@._/ -]{0,34}$/;

/** Text for people: of bounded length, with a blank for each character that does not show. */
const shown = (text: string, most: number): string =>
  safeText(firstCharacters(text, most), most).replaceAll('\ufffd', ' ');

/**
 * ISO 20022 reason why no provider could take this instruction; undefined: it fits. What names the beneficiary's account is
 * never mended: another account would be paid.
 */
export function unpayableReason({ beneficiary, endToEndId, amount }: PayoutInstruction): string | undefined {
  const { name, account, bankCode, country } = beneficiary;
  if (!ACCOUNT.test(account)) return 'AC01';
  if (bankCode !== null && !BANK_CODE.test(bankCode)) return 'AC01';
  if (name.trim() === '' || !/^[A-Z]{2}$/.test(country)) return 'CH16';
  if (endToEndId === '' || isLongerThan(endToEndId, MAX_REFERENCE_CHARACTERS) || !isPlainText(endToEndId))
    return 'CH16';
  return amount.minor > 0n && amount.minor < 10n ** 18n ? undefined : 'AM01';
}
