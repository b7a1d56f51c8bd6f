// Who is screened of a transfer, and by which token each of them is known. Pure.
import type { Instruction, Intermediary, Parties, Party, PartyRole } from '../schemas/types.generated.ts';

/** What of a party is compared with the lists. */
export type ScreenedFields = Pick<Party, 'kind' | 'name' | 'birthDate' | 'nationalities' | 'identifiers'> &
  Pick<Intermediary, 'country'> &
  Partial<Pick<Party, 'postalAddress' | 'birthPlace'>>;

export interface Counterparty {
  readonly role: PartyRole;
  readonly party: ScreenedFields;
}

/** Sender, beneficiary, then every intermediary: the order of the evidence. */
export const counterpartiesOf = ({ debtor, creditor, intermediaries }: Parties): readonly Counterparty[] => [
  { role: 'DEBTOR', party: debtor },
  { role: 'CREDITOR', party: creditor },
  ...intermediaries.map((party): Counterparty => ({ role: 'INTERMEDIARY', party })),
];

export type Tokens = Pick<Instruction, 'debtorToken' | 'creditorToken' | 'intermediaryTokens'>;

/** Tokens of all counterparties, in the order of the evidence. */
export const tokensOf = ({ debtorToken, creditorToken, intermediaryTokens }: Tokens): readonly string[] => [
  debtorToken,
  creditorToken,
  ...intermediaryTokens,
];

const WHO: Readonly<Record<PartyRole, string>> = {
  UNKNOWN: 'party',
  DEBTOR: 'sender',
  CREDITOR: 'beneficiary',
  INTERMEDIARY: 'intermediary',
};
/** Place of the first intermediary in the evidence. */
export const FIRST_INTERMEDIARY = 2;

/** What people call the party at this place of the evidence: `sender`, `intermediary 2`. */
export function wordFor(role: PartyRole, place: number): string {
  return role === 'INTERMEDIARY' ? `${WHO[role]} ${place - FIRST_INTERMEDIARY + 1}` : WHO[role];
}
