// Validation of sender and beneficiary, and of whoever else takes part.
import type { Corridor, CorridorSide } from '../../domain/corridors/corridors.ts';
import type { Parties, Party } from '../../schemas/types.generated.ts';
import { type AccountCodes, CREDITOR_CODES, checkAccount, DEBTOR_CODES } from './accounts.ts';
import { MAX_CHARACTERS } from './bounds.ts';
import { checkIntermediaries } from './intermediaries.ts';
import { checkPerson, type PersonCodes } from './persons.ts';
import type { Faults } from './violations.ts';

/** Adds what is wrong with the parties. `corridor` is undefined when none fits. */
export function checkParties(
  faults: Faults,
  parties: Parties,
  corridor: Corridor | undefined,
  appendedAt: number,
): void {
  checkParty(faults, parties.debtor, 'debtor', SENDER, corridor?.source, appendedAt);
  checkParty(faults, parties.creditor, 'creditor', BENEFICIARY, corridor?.target, appendedAt);
  checkIntermediaries(faults, parties.intermediaries, appendedAt);
  faults.optionalText(parties.remittanceInformation, 'remittanceInformation', MAX_CHARACTERS.remittanceInformation);
}

interface RoleCodes extends PersonCodes {
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
  faults.text(party.customerId, `${role}.customerId`, MAX_CHARACTERS['party.customerId']);
  if (checkPerson(faults, party, role, codes, appendedAt)) {
    const served = side === undefined || side.countries.includes(party.country);
    faults.unless(served, codes.country, `${role}.country is outside of the corridor`);
  }
  checkAccount(faults, party.account, `${role}.account`, codes.account, side);
}
