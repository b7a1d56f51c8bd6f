// What is asked for when a counterparty is to pass for one listed entity: whose token, which entity, for how long. Pure.
import { CodedError } from '../../ports/fault.ts';
import { FIRST_INTERMEDIARY, type Tokens, tokensOf } from '../../screening/counterparties.ts';

const DAY_MS = 86_400_000;
/** An exception is looked at again once a year at the latest. */
export const MAX_DAYS = 366;

/** When an exception ends that is asked for at `now`, ms since 1970. @throws CodedError OPTION_INVALID */
export function expiryAfter(days: number, now: number): number {
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return now + days * DAY_MS;
  throw new CodedError('OPTION_INVALID', `an exception holds for a whole number of days from 1 to ${MAX_DAYS}`);
}

/** The source of an entity and its id there, from SOURCE:ID. @throws CodedError OPTION_INVALID */
export function entityNamed(text: string): { readonly source: string; readonly entityId: string } {
  const at = text.indexOf(':');
  if (at > 0 && at < text.length - 1) return { source: text.slice(0, at), entityId: text.slice(at + 1) };
  throw new CodedError('OPTION_INVALID', `an entity is named SOURCE:ID, such as OFAC:12345 (it is "${text}")`);
}

/** What the parties of a case are called: `debtor`, `creditor`, `intermediary-1` … */
const rolesOf = (tokens: readonly string[]): readonly string[] => [
  'debtor',
  'creditor',
  ...tokens.slice(FIRST_INTERMEDIARY).map((_, index) => `intermediary-${index + 1}`),
];

/** The token of the party with this role. Cases of the time before intermediaries name none. @throws CodedError OPTION_INVALID */
export function tokenOfRole(instruction: Omit<Tokens, 'intermediaryTokens'> & Partial<Tokens>, role: string): string {
  const tokens = tokensOf({ ...instruction, intermediaryTokens: instruction.intermediaryTokens ?? [] });
  const roles = rolesOf(tokens);
  const token = tokens[roles.indexOf(role.toLowerCase())];
  if (token !== undefined) return token;
  throw new CodedError('OPTION_INVALID', `the role must be one of: ${roles.join(', ')} (it is "${role}")`);
}
