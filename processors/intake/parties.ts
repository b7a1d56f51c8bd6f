// Validation of the sender and the beneficiary.
import type { Corridor, CorridorSide } from '../../domain/corridors.ts';
import type { ReasonCode } from '../../domain/reasons.ts';
import type { Identifier, Parties, Party } from '../../schemas/types.generated.ts';
import { type AccountCodes, CREDITOR_CODES, checkAccount, DEBTOR_CODES } from './accounts.ts';
import { dayOf, isPartialDate } from './dates.ts';
import type { Faults } from './faults.ts';

const MAX_NAME = 140;
const MAX_ADDRESS = 350;
const MAX_REMITTANCE = 140;
const MAX_ID = 64;
const MAX_ITEMS = 10;
const COUNTRY = /^[A-Z]{2}$/;

/** Adds what is wrong with the parties. `corridor` is undefined when none fits. */
export function checkParties(
  faults: Faults,
  parties: Parties,
  corridor: Corridor | undefined,
  appendedAt: number,
): void {
  checkParty(faults, parties.debtor, 'debtor', SENDER, corridor?.source, appendedAt);
  checkParty(faults, parties.creditor, 'creditor', BENEFICIARY, corridor?.target, appendedAt);
  faults.optionalText(parties.remittanceInformation, 'remittanceInformation', MAX_REMITTANCE);
}

interface RoleCodes {
  readonly name: ReasonCode;
  readonly country: ReasonCode;
  readonly account: AccountCodes;
}
const SENDER: RoleCodes = { name: 'RR02', country: 'BE10', account: DEBTOR_CODES };
const BENEFICIARY: RoleCodes = { name: 'RR03', country: 'BE11', account: CREDITOR_CODES };

function checkParty(
  faults: Faults,
  party: Party,
  role: string,
  codes: RoleCodes,
  side: CorridorSide | undefined,
  appendedAt: number,
): void {
  faults.text(party.customerId, `${role}.customerId`, MAX_ID);
  faults.text(party.name, `${role}.name`, MAX_NAME, codes.name);
  faults.unless(party.kind !== 'UNKNOWN', 'CH16', `${role}.kind is none that this version knows`);
  faults.optionalText(party.address, `${role}.address`, MAX_ADDRESS);
  if (party.birthDate !== null) {
    const real = isPartialDate(party.birthDate) && party.birthDate <= dayOf(appendedAt);
    faults.unless(real, 'DT01', `${role}.birthDate is no date of the past`);
  }
  if (faults.unless(COUNTRY.test(party.country), codes.country, `${role}.country is no ISO 3166-1 code`)) {
    const served = side === undefined || side.countries.includes(party.country);
    faults.unless(served, codes.country, `${role}.country is outside of the corridor`);
  }
  const nations = party.nationalities;
  const known = nations.length <= MAX_ITEMS && nations.every((code) => COUNTRY.test(code));
  faults.unless(known, 'CH16', `${role}.nationalities must be at most ${MAX_ITEMS} ISO 3166-1 codes`);
  checkIdentifiers(faults, party.identifiers, role);
  checkAccount(faults, party.account, `${role}.account`, codes.account, side);
}

function checkIdentifiers(faults: Faults, identifiers: readonly Identifier[], role: string): void {
  if (!faults.unless(identifiers.length <= MAX_ITEMS, 'CH16', `${role} has more than ${MAX_ITEMS} identifiers`)) return;
  for (const { scheme, value, country } of identifiers) {
    faults.text(scheme, `${role}.identifiers.scheme`, MAX_ID);
    faults.text(value, `${role}.identifiers.value`, MAX_ID);
    const known = country === null || COUNTRY.test(country);
    faults.unless(known, 'CH16', `${role}.identifiers.country is no ISO 3166-1 code`);
  }
}
