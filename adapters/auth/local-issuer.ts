// An issuer of tokens for development and tests: a key in a file, which a command signs with and the API trusts. It refuses to
// exist in production.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTVerifyGetKey, SignJWT } from 'jose';
import type { Role } from '../../operations/access/table.ts';
import { refuseOutsideTrials } from '../../ports/environment.ts';
import { localKeys, type TokenTerms } from './tokens.ts';

export const LOCAL_ISSUER = 'urn:corridor:local-issuer';
export const LOCAL_AUDIENCE = 'urn:corridor:api';

/** What tokens of the local issuer are verified by. */
export const LOCAL_TERMS: TokenTerms = {
  issuer: LOCAL_ISSUER,
  audience: LOCAL_AUDIENCE,
  algorithm: 'EdDSA',
  rolesClaim: 'roles',
  clockToleranceS: 5,
};

export interface LocalIssuer {
  readonly keys: JWTVerifyGetKey;
  /** A token for `subject` with these roles, valid for `seconds`. */
  token(subject: string, roles: readonly Role[], validS: number): Promise<string>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The issuer whose key is in this file; the key is made when there is none.
 * @throws CodedError UNSAFE_REFUSED unless CORRIDOR_ENV is development or test
 */
export async function localIssuer(file: string, env: Env): Promise<LocalIssuer> {
  refuseOutsideTrials(env, 'The local issuer of tokens');
  const jwk = read(file) ?? (await make(file));
  const { alg, crv, kid, kty, x } = jwk;
  return {
    keys: localKeys({ keys: [{ alg, crv, kid, kty, x } as JWK] }),
    async token(subject, roles, validS) {
      return new SignJWT({ roles })
        .setProtectedHeader({ alg: LOCAL_TERMS.algorithm, kid: kid! })
        .setIssuer(LOCAL_ISSUER)
        .setAudience(LOCAL_AUDIENCE)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(`${validS} s`)
        .setJti(randomUUID())
        .sign(await importJWK(jwk, LOCAL_TERMS.algorithm));
    },
  };
}

function read(file: string): JWK | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JWK;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all: of two that make it at once, one wins, and both use that one. */
async function make(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(LOCAL_TERMS.algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: LOCAL_TERMS.algorithm };
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(jwk), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return read(file)!;
}
