// Tokens (JWT) of one issuer, verified: issuer, audience and algorithm are pinned, the clock may differ by little, and the keys
// of the issuer are kept and fetched anew when it signs with one that is not known.
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import { type Authenticator, invalid, principalOf } from '../../operations/access/principal.ts';
import { CodedError, dependencyDown } from '../../ports/fault.ts';

/** What is pinned. Shared secrets (HS256) are left out: whoever can check such a signature can make one. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

export interface TokenTerms {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithm: TokenAlgorithm;
  /** Name of the claim that holds the roles, as a list. */
  readonly rolesClaim: string;
  /** How far the clock of the issuer may be off, s. */
  readonly clockToleranceS: number;
}

/** A token is never older than this, whatever it says of its end, s. */
const MAX_LIFE_S = 24 * 3_600;
/** Characters. */
const MAX_TOKEN_CHARACTERS = 8_192;
/** An unknown key is looked up at most so often, ms: made-up key ids make no load. */
const KEYS_COOLDOWN_MS = 30_000;
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_TIMEOUT_MS = 3_000;

/** Keys of the issuer from its URL, kept and renewed. */
export const remoteKeys = (url: string): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(url), {
    cooldownDuration: KEYS_COOLDOWN_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });

export { createLocalJWKSet as localKeys };

/** Verifies tokens of this issuer. */
export function tokenAuthenticator(
  terms: TokenTerms,
  keys: JWTVerifyGetKey,
  clock: () => number = Date.now,
): Authenticator {
  const rolesIn = z.array(z.string().max(100)).max(50);
  return {
    async authenticate(token) {
      if (token.length > MAX_TOKEN_CHARACTERS) throw invalid('it is too long');
      const { sub, ...claims } = await verified(token, terms, keys, clock);
      const roles = rolesIn.safeParse(claims[terms.rolesClaim] ?? []);
      if (sub === undefined) throw invalid('it names no subject');
      if (!roles.success) throw invalid('its roles are no list of texts');
      return principalOf(sub, roles.data, { credential: 'token' });
    },
  };
}

export interface Claims {
  readonly subject: string | undefined;
  readonly roles: readonly string[];
  readonly issuer: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** The last moment that a date can hold, s since 1970. */
const MAX_EPOCH_S = 8_640_000_000_000;
/** Claims are as somebody wrote them, whatever the library says of their types. */
const textIn = (claim: unknown): string | undefined => (typeof claim === 'string' ? claim : undefined);

/** What a token says of itself, which proves nothing: for the one whose token it is. Undefined: it is of another form. */
export function claimsIn(token: string, rolesClaim = 'roles'): Claims | undefined {
  try {
    const { sub, iss, exp, [rolesClaim]: roles } = decodeJwt(token);
    const named = z.array(z.string().max(100)).max(50).safeParse(roles);
    const expiresAt = typeof exp === 'number' && exp >= 0 && exp <= MAX_EPOCH_S ? new Date(exp * 1_000) : undefined;
    return { subject: textIn(sub), roles: named.data ?? [], issuer: textIn(iss), expiresAt };
  } catch {
    return undefined;
  }
}

async function verified(
  token: string,
  { issuer, audience, algorithm, clockToleranceS }: TokenTerms,
  keys: JWTVerifyGetKey,
  clock: () => number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [algorithm],
      clockTolerance: clockToleranceS,
      maxTokenAge: MAX_LIFE_S,
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: new Date(clock()),
    });
    return payload;
  } catch (error) {
    throw refusal(error);
  }
}

/** What is wrong with the token, without a word of it; what is wrong with the issuer is not the caller's. */
function refusal(error: unknown): CodedError {
  if (error instanceof errors.JWTExpired)
    return new CodedError('CREDENTIAL_EXPIRED', 'the credential is not accepted: it has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(WHY[error.claim] ?? 'a claim of it is missing or wrong');
  }
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('the issuer has no key with which it is signed');
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return invalid('it is no token');
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('its signature is wrong');
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('its algorithm is not the one of the issuer');
  if (error instanceof errors.JOSENotSupported) return invalid('its header asks for what is not supported');
  return dependencyDown('issuer', 'ISSUER_UNAVAILABLE', error);
}

const WHY: Readonly<Record<string, string>> = {
  iss: 'it is of another issuer',
  aud: 'it is for another audience',
  sub: 'it names no subject',
  exp: 'it says no end',
  iat: 'it does not say since when it is valid, or is too old',
  nbf: 'it is not valid yet',
};
