// `corridor login|logout|whoami`: a person signs in at the issuer of tokens from a terminal, and commands over the API ask as
// that person from then on.
import { type Command, Option } from 'commander';
import { type IssuerClient, type IssuerTerms, issuerClient } from '../../adapters/auth/issuer-client.ts';
import { claimsIn } from '../../adapters/auth/tokens.ts';
import { safeText } from '../../domain/text/text.ts';
import { isForTrials } from '../../ports/environment.ts';
import { CodedError, codeAndDetail } from '../../ports/fault.ts';
import { commandEnvironment } from '../dev/environment.ts';
import { print, printError, printRows, withJson } from '../output.ts';
import { isThere, loginFile, removeLogin, tokenFile, withLock, writeLogin } from '../remote/login-file.ts';
import { credentialOf, session } from '../remote/session.ts';

interface LoginOptions {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scope: string;
  readonly resource?: string;
}

const CLIENT_ID = 'corridor-cli';
const SCOPE = 'openid';

type Env = Readonly<Record<string, string | undefined>>;
type Open = (terms: IssuerTerms) => Promise<IssuerClient>;

/** Where the login is kept: the file that was named, or that of the person. */
const fileOf = (env: Env): string => env['CORRIDOR_TOKEN_FILE'] || loginFile(env);

export function registerLogin(program: Command, open: Open = issuerClient): void {
  program
    .command('login')
    .description('sign in at the issuer of tokens: a code is shown, and approved in a browser')
    .option('--issuer <url>', 'the issuer, by its https URL (else CORRIDOR_LOGIN_ISSUER)')
    .option('--client-id <id>', `what commands are registered as there (else CORRIDOR_LOGIN_CLIENT_ID, ${CLIENT_ID})`)
    .option('--scope <scopes>', 'what is asked for; some issuers renew only with offline_access', SCOPE)
    .option('--resource <uri>', 'what the token is for, where the issuer wants to be told (RFC 8707)')
    .addHelpText(
      'after',
      `
The token is kept in corridor/login.json in your folder of settings, or in the file of --token-file or CORRIDOR_TOKEN_FILE,
which nobody but you can read. It is renewed by itself where the issuer allows it.

Examples:
  corridor login --issuer https://login.example.com/realms/payments
  corridor whoami --api https://corridor.example.com
  corridor logout`,
    )
    .action((options: LoginOptions) => login(options, commandEnvironment(), open));

  program
    .command('logout')
    .description('forget the login, and have the issuer take back what renews it')
    .addHelpText('after', '\nExample:\n  corridor logout')
    .action(() => logout(commandEnvironment(), open));

  withJson(program.command('whoami'))
    .description('who commands over the API ask as, until when, and whether the API takes it')
    .addOption(
      new Option('--roles-claim <name>', 'claim of the token that lists the roles')
        .default('roles')
        .env('CORRIDOR_AUTH_ROLES_CLAIM'),
    )
    .addHelpText('after', '\nExamples:\n  corridor whoami\n  corridor whoami --api https://corridor.example.com --json')
    .action((options: { rolesClaim: string; json?: boolean }) => whoami(options, commandEnvironment()));
}

async function login({ issuer, clientId, scope, resource }: LoginOptions, env: Env, open: Open): Promise<void> {
  const url = issuer ?? env['CORRIDOR_LOGIN_ISSUER'];
  if (!url) throw new CodedError('OPTION_MISSING', 'say with --issuer at which issuer of tokens you sign in');
  const client = clientId ?? (env['CORRIDOR_LOGIN_CLIENT_ID'] || CLIENT_ID);
  const at = await open({ url, clientId: client, isTrial: isForTrials(env) });
  const request = await at.begin({ scope, resource });
  printError(`Open ${request.url}\nand type the code ${request.userCode}`);
  if (request.urlWithCode !== undefined) printError(`or open ${request.urlWithCode}`);
  printError(`Compare the code before you approve. Waiting until ${request.expiresAt.toISOString()} …`);
  const { accessToken, refreshToken = null, expiresAt } = await request.granted();
  const file = fileOf(env);
  const until = expiresAt?.toISOString() ?? null;
  const kept = { version: 1, issuer: url, clientId: client, accessToken, refreshToken, expiresAt: until } as const;
  // A command that renews the last login meanwhile must not write it over this one.
  await withLock(file, async () => writeLogin(file, kept));
  const who = claimsIn(accessToken)?.subject;
  print(`Signed in${who === undefined ? '' : ` as ${safeText(who, 100)}`}. Kept in ${file}.`);
  if (env['CORRIDOR_TOKEN']) printError('CORRIDOR_TOKEN is set, and wins: unset it to ask as who you signed in as.');
}

async function logout(env: Env, open: Open): Promise<void> {
  const file = fileOf(env);
  if (!isThere(file)) return print('You are not signed in.');
  // A command that renews the login meanwhile would write it anew, after it was taken back.
  const taken = await withLock(file, async () => {
    const said = await takenBack(file, env, open);
    removeLogin(file);
    return said;
  });
  print(`Signed out: ${file} is gone.`);
  if (taken !== undefined) printError(taken);
}

/** What could not be had taken back, for the person to know; the file goes whatever the issuer says. */
async function takenBack(file: string, env: Env, open: Open): Promise<string | undefined> {
  try {
    const kept = tokenFile(file);
    if (typeof kept === 'string') return 'The file held a token that another program wrote: it is valid until its end.';
    const { issuer: url, clientId, refreshToken } = kept;
    if (refreshToken === null) return undefined;
    const at = await open({ url, clientId, isTrial: isForTrials(env) });
    return (await at.revoke(refreshToken))
      ? undefined
      : 'The issuer takes nothing back: the token is valid until its end.';
  } catch (error) {
    const { code } = codeAndDetail(error);
    return `The issuer did not take back what renews the login (${code}): end the session there if somebody may have copied the file.`;
  }
}

async function whoami({ rolesClaim, json }: { rolesClaim: string; json?: boolean }, env: Env): Promise<void> {
  const credential = credentialOf(env);
  const claims = claimsIn(await credential.token(), rolesClaim);
  const row = {
    name: claims?.subject ?? '(the token does not say)',
    roles: claims?.roles.join(', ') ?? '-',
    until: claims?.expiresAt?.toISOString() ?? '-',
    issuer: claims?.issuer ?? '-',
    from: credential.from,
    api: await standing(env['CORRIDOR_API_URL']),
  };
  printRows([row], ['name', 'roles', 'until', 'issuer', 'from', 'api'], json);
}

/** Whether the API takes the token: what every role may ask for is asked for. */
async function standing(url: string | undefined): Promise<string> {
  if (!url) return '(none named)';
  try {
    await session(url).ask('GET', '/corridors');
    return `${url} takes it`;
  } catch (error) {
    return `${url}: ${codeAndDetail(error).code}`;
  }
}
