// Where a command goes that a person types: to an API, or to the stores, where the shell is what is trusted. Nothing of the
// development stack is loaded for it: services begin here too.
import { CodedError } from '../../ports/fault.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface CommandRoute {
  /** What is left for the command itself. */
  readonly argv: readonly string[];
  /** The API that is meant; undefined: the stores. */
  readonly apiUrl: string | undefined;
  /** The file of the token that was typed. */
  readonly tokenFile: string | undefined;
}

/**
 * Takes `--api URL`, `--token-file PATH` and `--direct` out of what was typed. Where an API is named, there or by CORRIDOR_API_URL, it is what
 * commands go to: then a name that is only claimed (`--by`) is not believed. Pure.
 * @throws CodedError OPTION_INVALID
 */
export function routeOf(argv: readonly string[], env: Env): CommandRoute {
  const rest: string[] = [];
  const typed: Record<string, string | undefined> = {};
  let isDirect = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      rest.push(...argv.slice(at));
      break;
    }
    const [, option, value] = /^--(api|token-file)(?:=(.*))?$/s.exec(word) ?? [];
    if (word === '--direct') isDirect = true;
    else if (option === undefined) rest.push(word);
    else typed[option] = value ?? argv[++at] ?? '';
  }
  const tokenFile = typed['token-file'];
  if (tokenFile === '') throw new CodedError('OPTION_INVALID', '--token-file needs the path of a file');
  if (isDirect) return { argv: rest, apiUrl: undefined, tokenFile };
  const url = typed['api'] ?? (env['CORRIDOR_API_URL'] || undefined);
  if (url !== undefined) checkUrl(url);
  return { argv: rest, apiUrl: url, tokenFile };
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
