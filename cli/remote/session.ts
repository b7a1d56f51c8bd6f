// Where commands go that persons type: to an API, with their own token, or to the stores, where the shell is what is trusted.
import { readFileSync } from 'node:fs';
import { type ApiClient, apiClient } from '../../adapters/http/api-client.ts';
import { CodedError } from '../../ports/fault.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface CommandRoute {
  /** What is left for the command itself. */
  readonly argv: readonly string[];
  /** The API that is meant; undefined: the stores. */
  readonly apiUrl: string | undefined;
}

/**
 * Takes `--api URL` and `--direct` out of what was typed. Where an API is named, there or by CORRIDOR_API_URL, it is what
 * commands go to: then a name that is only claimed (`--by`) is not believed. Pure.
 * @throws CodedError OPTION_INVALID
 */
export function routeOf(argv: readonly string[], env: Env): CommandRoute {
  const rest: string[] = [];
  let url = env['CORRIDOR_API_URL'] || undefined;
  let isDirect = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      rest.push(...argv.slice(at));
      break;
    }
    if (word === '--direct') isDirect = true;
    else if (word === '--api') {
      url = argv[at + 1];
      at += 1;
    } else if (word.startsWith('--api=')) url = word.slice('--api='.length);
    else rest.push(word);
  }
  if (isDirect) return { argv: rest, apiUrl: undefined };
  if (url !== undefined) checkUrl(url);
  return { argv: rest, apiUrl: url };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** A token is not sent in clear to another machine. */
function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isSafe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && LOOPBACK.has(parsed.hostname));
  if (parsed && isSafe && parsed.username === '' && parsed.password === '') return;
  throw new CodedError(
    'OPTION_INVALID',
    'the API must be named by https://…, or by http:// on this machine, without a password',
  );
}

const MAX_TOKEN_CHARACTERS = 8_192;

/**
 * The person's own token: CORRIDOR_TOKEN, or what the file holds that CORRIDOR_TOKEN_FILE names.
 * @throws CodedError OPTION_MISSING, FILE_UNREADABLE
 */
export function tokenOf(env: Env): string {
  const file = env['CORRIDOR_TOKEN_FILE'];
  const token = (env['CORRIDOR_TOKEN'] || (file ? textOf(file) : '')).trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_CHARACTERS) return token;
  throw new CodedError(
    'OPTION_MISSING',
    'set CORRIDOR_TOKEN, or CORRIDOR_TOKEN_FILE to a file that holds it: your own token of the issuer (beside `npm start`: corridor token)',
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CodedError('FILE_UNREADABLE', `the token cannot be read from ${file}`);
  }
}

/** The API that this command goes to, as the person whose token it is. */
export const session = (url: string): ApiClient => apiClient({ url, token: tokenOf(process.env) });
