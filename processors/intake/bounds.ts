// How long each text of an intent may be, in characters, and how many there may be of each. Lengths follow ISO 20022
// (Max35Text, Max140Text, five address lines of 70), those of an address in fields CBPR+, and what every provider takes. Codes and dates have one form each;
// their lengths stand here too, so that no text of the schema is without a bound.

/** Most characters by field. Parties are the same in every role: `account` only of sender and beneficiary. */
export const MAX_CHARACTERS = {
  transferId: 64,
  endToEndId: 35,
  'instructedAmount.currency': 3,
  sourceCurrency: 3,
  targetCurrency: 3,
  purposeCode: 4,
  requestedExecutionDate: 10,
  remittanceInformation: 140,
  'party.customerId': 64,
  'party.name': 140,
  'party.birthDate': 10,
  'party.country': 2,
  'party.nationalities': 2,
  'party.address': 350,
  'party.identifiers.scheme': 64,
  'party.identifiers.value': 64,
  'party.identifiers.country': 2,
  'party.account.scheme': 4,
  'party.account.value': 64,
  'party.account.agent': 11,
  'party.postalAddress.street': 70,
  'party.postalAddress.building': 16,
  'party.postalAddress.postCode': 16,
  'party.postalAddress.town': 35,
  'party.postalAddress.subdivision': 35,
  'party.postalAddress.country': 2,
  'party.postalAddress.lines': 70,
  'party.birthPlace.town': 35,
  'party.birthPlace.country': 2,
  verifiedPayeeName: 140,
  'nationalPurpose.scheme': 16,
  'nationalPurpose.code': 16,
  'nationalPurpose.relation': 16,
  'funding.reference': 35,
  'payeeVerification.scheme': 16,
  arrangement: 16,
  'taxes.kind': 16,
  'taxes.authority': 35,
  'taxes.amount.currency': 3,
  'taxes.basis.currency': 3,
  kycTier: 16,
  'declaredUse.currency': 3,
  quoteId: 36,
} as const;

/** Most items by field. */
export const MAX_ITEMS = {
  intermediaries: 10,
  'party.nationalities': 10,
  'party.identifiers': 10,
  'party.postalAddress.lines': 2,
  taxes: 10,
} as const;
