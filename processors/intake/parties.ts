// Validation of sender and beneficiary, and of whoever else takes part.
import type { Corridor, CorridorSide } from '../../domain/corridors/corridors.ts';
import type { Parties, Party } from '../../schemas/types.generated.ts';
import { type AccountCodes, CREDITOR_CODES, checkAccount, DEBTOR_CODES } from './accounts.ts';
import { MAX_CHARACTERS } from './bounds.ts';
import { checkIntermediaries } from './intermediaries.ts';
import { checkPerson, type PersonCodes } from './persons.ts';
import type { Violations } from './violations.ts';

/** Adds what is wrong with the parties. `corridor` is undefined when none fits. */
export function checkParties(
  violations: Violations,
  parties: Parties,
  corridor: Corridor | undefined,
  appendedAt: number,
): void {
  checkParty(violations, parties.debtor, 'debtor', SENDER, corridor?.source, appendedAt);
  checkParty(violations, parties.creditor, 'creditor', BENEFICIARY, corridor?.target, appendedAt);
  checkIntermediaries(violations, parties.intermediaries, appendedAt);
  violations.optionalText(parties.remittanceInformation, 'remittanceInformation', MAX_CHARACTERS.remittanceInformation);
}

interface RoleCodes extends PersonCodes {
  readonly account: AccountCodes;
}
const SENDER: RoleCodes = { name: 'RR02', country: 'BE10', account: DEBTOR_CODES };
const BENEFICIARY: RoleCodes = { name: 'RR03', country: 'BE11', account: CREDITOR_CODES };

function checkParty(
  violations: Violations,
  party: Party,
  role: string,
  codes: RoleCodes,
  side: CorridorSide | undefined,
  appendedAt: number,
): void {
  violations.text(party.customerId, `${role}.customerId`, MAX_CHARACTERS['party.customerId']);
  if (checkPerson(violations, party, role, codes, appendedAt)) {
    const served = side === undefined || side.countries.includes(party.country);
    violations.unless(served, codes.country, `${role}.country is outside of the corridor`);
  }
  checkAccount(violations, party.account, `${role}.account`, codes.account, side);
}
