// Whose word the API takes for who asks: tokens of the issuer, API keys, and for trials tokens of a local issuer.
import { apiKeyAuthenticator, isApiKey, type KeyAuthenticator } from '../../adapters/auth/api-keys.ts';
import { LOCAL_TERMS, localIssuer } from '../../adapters/auth/local-issuer.ts';
import { remoteKeys, type TokenTerms, tokenAuthenticator } from '../../adapters/auth/tokens.ts';
import { type Authenticator, checkNameOfRole, invalid } from '../../operations/access/principal.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Config } from '../../runtime/config/config.ts';
import { producerTerms } from '../configured-producers.ts';

const NOBODY: KeyAuthenticator = {
  producers: () => [],
  authenticate: async () => {
    throw invalid('credentials of this kind are not taken here');
  },
};

/**
 * What the configuration asks for.
 *
 * @param onUnusable told when a changed file of API keys cannot be used
 * @throws CodedError CONFIG_INVALID (fatal) when nobody could be let in, or by two issuers
 */
export async function authentication(
  { auth, environment, producers }: Config,
  onUnusable: (why: CodedError) => void,
): Promise<Authenticator> {
  const { apiKeysFile, localKeyFile, issuer } = auth;
  if (issuer === undefined && localKeyFile === undefined && apiKeysFile === undefined) {
    throw refused('set CORRIDOR_AUTH_ISSUER or CORRIDOR_AUTH_API_KEYS_FILE: otherwise the API lets nobody in');
  }
  if (issuer !== undefined && localKeyFile !== undefined) {
    throw refused('unset CORRIDOR_AUTH_LOCAL_KEY_FILE or CORRIDOR_AUTH_ISSUER: tokens are taken of one issuer');
  }
  const tokens =
    localKeyFile === undefined
      ? ofIssuer(auth)
      : tokenAuthenticator(LOCAL_TERMS, (await localIssuer(localKeyFile, { CORRIDOR_ENV: environment })).keys);
  const keys = apiKeysFile === undefined ? NOBODY : await apiKeyAuthenticator(apiKeysFile, onUnusable);
  const terms = producerTerms({ producers });
  const listed = terms.producers.map(({ id }) => id);
  const shared = terms.sharedTopicProducer === undefined ? [] : [terms.sharedTopicProducer];
  return {
    async authenticate(credential) {
      const principal = await (isApiKey(credential) ? keys : tokens).authenticate(credential);
      checkNameOfRole(principal, { listed, keyed: [...shared, ...keys.producers()] });
      return principal;
    },
  };
}

function ofIssuer({
  issuer,
  audience,
  jwksUrl,
  algorithm,
  rolesClaim,
  clockToleranceS,
}: Config['auth']): Authenticator {
  if (issuer === undefined) return NOBODY;
  // The configuration has all three or none.
  const terms: TokenTerms = { issuer, audience: audience!, algorithm, rolesClaim, clockToleranceS };
  return tokenAuthenticator(terms, remoteKeys(jwksUrl!));
}

const refused = (why: string) => new CodedError('CONFIG_INVALID', why, { faultClass: 'fatal' });
