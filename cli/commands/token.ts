// `corridor token`: a token of the local issuer, for development; `corridor token api-key`: an API key for a producer.
import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { newApiKey } from '../../adapters/auth/api-keys.ts';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { ACTIONS, ROLES, type Role } from '../../operations/access/table.ts';
import { CodedError } from '../../ports/fault.ts';
import { commandConfig } from '../connections.ts';
import { count, print, printError, toJson } from '../output.ts';

const VALID_MINUTES = 60;

export function registerToken(program: Command): void {
  const token = program
    .command('token')
    .description('print a token of the local issuer, which only development and tests have')
    .option('--role <names>', `comma-separated: ${ROLES.join(', ')}`, rolesOf)
    .option('--as <name>', 'who asks with it')
    .option('--minutes <n>', 'how long it is valid', count, VALID_MINUTES)
    .addHelpText(
      'after',
      `
The local issuer refuses to exist in production: there, tokens come from the issuer that CORRIDOR_AUTH_ISSUER names.

Example:
  curl -H "Authorization: Bearer $(corridor token --role operator --as asha)" http://127.0.0.1:8080/v1/corridors`,
    )
    .action(async ({ role, as, minutes }: { role?: readonly Role[]; as?: string; minutes: number }) => {
      if (role === undefined || as === undefined)
        throw new CodedError('OPTION_MISSING', 'say with --role and --as who asks');
      const { auth, environment } = commandConfig();
      const { localKeyFile } = auth;
      // The issuer itself refuses; this says what to set where it may exist.
      const issuer = await localIssuer(localKeyFile ?? missing(environment), { CORRIDOR_ENV: environment });
      print(await issuer.token(as, role, minutes * 60));
    });

  token
    .command('api-key')
    .description('make an API key for a producer; the key is shown once, the entry goes into the file of keys')
    .requiredOption('--producer <name>', 'lower-case letters, digits and hyphens')
    .option(
      '--scopes <actions>',
      `comma-separated: ${ACTIONS.join(', ')}`,
      'transfers.submit,transfers.read,corridors.read',
    )
    .addHelpText('after', '\nExample:\n  corridor token api-key --producer acme')
    .action(({ producer, scopes }: { producer: string; scopes: string }) => {
      const keyId = `${producer.slice(0, 31)}-${randomBytes(4).toString('hex')}`;
      const { key, entry } = newApiKey(producer, scopes.split(','), keyId);
      printError(
        'The key, which is shown this once. The entry below belongs into CORRIDOR_AUTH_API_KEYS_FILE, a JSON array.',
      );
      print(key);
      print(toJson(entry));
    });
}

function missing(environment: string): string {
  if (environment === 'production') return '';
  throw new CodedError('OPTION_MISSING', 'set CORRIDOR_AUTH_LOCAL_KEY_FILE to the file that the API is given');
}

/** The roles of an option that may be given again: none takes the place of one before. */
export function rolesOf(text: string, before: readonly Role[] = []): readonly Role[] {
  const named = text.split(',').map((name) => {
    const role = ROLES.find((each) => each === name.trim());
    if (role) return role;
    throw new InvalidArgumentError(`there is no role ${name}`);
  });
  return [...new Set([...before, ...named])];
}
