// The token with which a person's commands go to an API.
import { type IssuerClient, type IssuerTerms, issuerClient } from '../../adapters/auth/issuer-client.ts';
import { type ApiClient, apiClient } from '../../adapters/http/api-client.ts';
import { isForTrials } from '../../ports/environment.ts';
import { CodedError } from '../../ports/fault.ts';
import { commandEnvironment } from '../dev/environment.ts';
import { isThere, type Login, loginFile, tokenFile, withLock, writeLogin } from './login-file.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Who asks: where their token is from, and the token itself, renewed where it can be. */
export interface Credential {
  readonly from: string;
  token(): Promise<string>;
}

const MAX_TOKEN_CHARACTERS = 8_192;
/** A login is renewed so long before its token is over, ms. */
const RENEW_BEFORE_MS = 60_000;

/**
 * The person's own token: CORRIDOR_TOKEN, the file that CORRIDOR_TOKEN_FILE names, or the one in which `corridor login` keeps it.
 * @throws CodedError OPTION_MISSING, FILE_UNREADABLE
 */
export function credentialOf(env: Env, open: (terms: IssuerTerms) => Promise<IssuerClient> = issuerClient): Credential {
  const given = env['CORRIDOR_TOKEN'];
  if (given) return { from: 'CORRIDOR_TOKEN', token: async () => sendable(given) };
  const file = env['CORRIDOR_TOKEN_FILE'] || loginFile(env);
  if (!env['CORRIDOR_TOKEN_FILE'] && !isThere(file)) throw missing();
  return {
    from: file,
    async token() {
      const kept = tokenFile(file);
      if (typeof kept === 'string') return sendable(kept);
      return isFresh(kept) ? kept.accessToken : renewed(file, env, open);
    },
  };
}

function sendable(text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_CHARACTERS) return token;
  throw missing();
}

const missing = () =>
  new CodedError(
    'OPTION_MISSING',
    'sign in with `corridor login`, or set CORRIDOR_TOKEN, or CORRIDOR_TOKEN_FILE to a file that holds your own token of the issuer',
  );

const isFresh = ({ expiresAt }: Login): boolean =>
  expiresAt === null || Date.parse(expiresAt) - Date.now() > RENEW_BEFORE_MS;

async function renewed(file: string, env: Env, open: (terms: IssuerTerms) => Promise<IssuerClient>): Promise<string> {
  return withLock(file, async () => {
    // Another command may have done it meanwhile.
    const kept = tokenFile(file);
    if (typeof kept === 'string') return sendable(kept);
    if (isFresh(kept)) return kept.accessToken;
    const { issuer: url, clientId, refreshToken } = kept;
    if (refreshToken === null) return lastUse(kept);
    const client = await open({ url, clientId, isTrial: isForTrials(env) });
    const { accessToken, refreshToken: next = null, expiresAt } = await client.refresh(refreshToken);
    writeLogin(file, { ...kept, accessToken, refreshToken: next, expiresAt: expiresAt?.toISOString() ?? null });
    return accessToken;
  });
}

/** A token that cannot be renewed is used to its end. */
function lastUse({ accessToken, expiresAt }: Login): string {
  if (expiresAt !== null && Date.parse(expiresAt) > Date.now()) return accessToken;
  throw new CodedError('LOGIN_OVER', 'your login is over, and the issuer gave nothing to renew it with');
}

/** The API that this command goes to, as the person whose token it is. */
export function session(url: string): ApiClient {
  const { token } = credentialOf(commandEnvironment());
  return apiClient({ url, token });
}
