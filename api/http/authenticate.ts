// Who asks: from the Authorization field to a principal that may do what the route does.
import { type Authenticator, type Principal, permission } from '../../operations/access/principal.ts';
import type { Action, Condition } from '../../operations/access/table.ts';
import { CodedError } from '../../ports/fault.ts';

/** RFC 6750: one scheme, one token. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export interface Admitted {
  readonly principal: Principal;
  readonly condition: Exclude<Condition, 'never'>;
}

/** @throws CodedError CREDENTIAL_MISSING, and what the authenticator throws */
export async function authenticated(header: string | undefined, by: Authenticator): Promise<Principal> {
  if (header === undefined) throw new CodedError('CREDENTIAL_MISSING', 'there is no Authorization field');
  const credential = BEARER.exec(header)?.[1];
  if (credential === undefined)
    throw new CodedError('CREDENTIAL_MISSING', 'the Authorization field is not `Bearer` and one token');
  return by.authenticate(credential);
}

/** @throws CodedError ACTION_FORBIDDEN */
export const admit = (principal: Principal, action: Action): Admitted => ({
  principal,
  condition: permission(principal, action),
});
