// Who asks, as their credential proves it, and what they are let do. Pure.
import { isSystemIdentity, nameSkeleton, personName } from '../../domain/people/identities.ts';
import { CodedError } from '../../ports/fault.ts';
import { ACTIONS, type Action, type Condition, conditionFor, ROLES, type Role } from './table.ts';

/** One and the same text for one who asks, however the name is typed. Names that only look alike stay two: see four-eyes. */
const subjectOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

export interface Principal {
  /** What is counted and what owns things. Who may be a second person is for `isSamePerson` to say. */
  readonly subject: string;
  /** The name as the credential has it, for people to read. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** Absent: all that the roles may. */
  readonly scopes?: readonly Action[];
  readonly credential: 'token' | 'key';
}

/** Turns what a request bears (without `Bearer`) into who asks. */
export interface Authenticator {
  /**
   * @throws CodedError CREDENTIAL_INVALID, CREDENTIAL_EXPIRED; ISSUER_UNAVAILABLE when its keys cannot be had
   */
  authenticate(credential: string): Promise<Principal>;
}

/**
 * The principal of a verified credential.
 *
 * @param claimed what stands there as roles: those that Corridor does not know are passed over
 * @throws CodedError CREDENTIAL_INVALID when the name is empty or unfit, or one of the system
 */
export function principalOf(
  name: string,
  claimed: readonly string[],
  over: Pick<Principal, 'credential' | 'scopes'>,
): Principal {
  if (isSystemIdentity(name)) throw invalid('its subject is a name of the system');
  try {
    const shown = personName(name);
    return { subject: subjectOf(shown), name: shown, roles: ROLES.filter((role) => claimed.includes(role)), ...over };
  } catch {
    throw invalid('its subject is no name of 1 to 64 printable characters');
  }
}

/** Whose names are those of producers. */
export interface ProducerNames {
  /** Every producer of the installation; empty: it lists none, so any other name may be one. */
  readonly listed: readonly string[];
  /** Producers that are known otherwise: those that have API keys. */
  readonly keyed: readonly string[];
}

/**
 * A name is that of a producer or of a person, whatever roles a token claims for it: nobody acts as both.
 * @throws CodedError CREDENTIAL_INVALID
 */
export function checkNameOfRole(
  { name, roles }: Pick<Principal, 'name' | 'roles'>,
  { listed, keyed }: ProducerNames,
): void {
  const isPerson = roles.some((role) => PEOPLE.includes(role));
  const isProducer = roles.includes('producer');
  if (isProducer && isPerson) throw invalid('it claims the roles of a producer and of a person');
  const isAmong = (ids: readonly string[]) => ids.some((id) => nameSkeleton(id) === nameSkeleton(name));
  if (isProducer && listed.length > 0 && !isAmong(listed))
    throw invalid('its subject is no producer of this installation');
  if (isPerson && isAmong([...listed, ...keyed])) throw invalid('its subject is that of a producer');
}

/** A credential that proves nothing; `why` is told to whoever sent it, so it holds nothing of the credential. */
export const invalid = (why: string): CodedError =>
  new CodedError('CREDENTIAL_INVALID', `the credential is not accepted: ${why}`);

export const isAction = (text: string): text is Action => (ACTIONS as readonly string[]).includes(text);

/** The best that the roles may, within the scopes. */
export const conditionOf = ({ roles, scopes }: Principal, action: Action): Condition =>
  scopes && !scopes.includes(action) ? 'never' : conditionFor(roles, action);

/**
 * On which condition the principal may do it: `always` or `own`.
 * @throws CodedError ACTION_FORBIDDEN
 */
export function permission(principal: Principal, action: Action): Exclude<Condition, 'never'> {
  const condition = conditionOf(principal, action);
  if (condition !== 'never') return condition;
  const { roles } = principal;
  const held = roles.length > 0 ? roles.join(', ') : 'none';
  throw new CodedError('ACTION_FORBIDDEN', `${action} is not allowed to you (roles: ${held})`);
}

/**
 * Whether what belongs to `owner` may be shown on this condition. What nobody is known to own belongs to nobody.
 */
export const mayTouch = (condition: Condition, { subject }: Principal, owner: string | undefined): boolean =>
  condition === 'always' || (condition === 'own' && owner === subject);

/**
 * Who acts through a program that has the keys of operators: whoever may run it there holds every right of a person, under
 * the name that the program was told. Four eyes hold all the same.
 * @throws DomainError PERSON_INVALID
 */
export function personWithKeys(name: string): Principal {
  const shown = personName(name);
  return { subject: subjectOf(shown), name: shown, roles: PEOPLE, credential: 'key' };
}

const PEOPLE: readonly Role[] = ['viewer', 'operator', 'approver', 'compliance', 'admin'];
