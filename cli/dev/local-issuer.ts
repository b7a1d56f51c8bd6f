// `corridor local-issuer`: signing in as in an installation, on a developer's machine.
import type { Command } from 'commander';
import { decideLocally, startLocalSignIn } from '../../adapters/auth/local-sign-in.ts';
import { ROLES } from '../../operations/access/table.ts';
import { CodedError } from '../../ports/fault.ts';
import { count, print, toJsonLine } from '../output.ts';
import { commandEnvironment, localKeyFile, stateDir } from './environment.ts';

interface ServeOptions {
  readonly port: number;
  readonly tokenSeconds: number;
  readonly codeSeconds: number;
}

export function registerLocalIssuer(program: Command): void {
  const issuer = program
    .command('local-issuer')
    .description('sign in on a developer’s machine: an issuer of tokens that exists in development and tests alone');

  issuer
    .command('serve')
    .description('serve it until Ctrl-C; `npm start` has one')
    .option('--port <n>', 'of this machine', count, 8090)
    .option('--token-seconds <n>', 'how long its tokens are valid', count, 3_600)
    .option('--code-seconds <n>', 'how long a code waits for its approval', count, 600)
    .addHelpText('after', '\nExample:\n  CORRIDOR_ENV=development corridor local-issuer serve')
    .action(serve);

  issuer
    .command('approve <code>')
    .description('do what the page does: let the one in who shows this code')
    .requiredOption('--as <name>', 'who it is')
    .requiredOption('--role <names>', `comma-separated: ${ROLES.join(', ')}`)
    .option('--issuer <url>', 'the local issuer (else CORRIDOR_LOGIN_ISSUER)')
    .addHelpText('after', '\nExample:\n  corridor local-issuer approve BCDF-GHJK --as asha --role operator')
    .action((code: string, { as, role, issuer: url }: { as: string; role: string; issuer?: string }) =>
      decide(url, { code, as, role, verdict: 'approve' }),
    );

  issuer
    .command('deny <code>')
    .description('let nobody in by this code')
    .option('--issuer <url>', 'the local issuer (else CORRIDOR_LOGIN_ISSUER)')
    .addHelpText('after', '\nExample:\n  corridor local-issuer deny BCDF-GHJK')
    .action((code: string, { issuer: url }: { issuer?: string }) => decide(url, { code, verdict: 'deny' }));
}

async function serve({ port, tokenSeconds, codeSeconds }: ServeOptions): Promise<void> {
  const env = commandEnvironment();
  const keyFile = env['CORRIDOR_AUTH_LOCAL_KEY_FILE'] || localKeyFile(stateDir());
  const served = await startLocalSignIn({ keyFile, env, port, tokenLifeS: tokenSeconds, codeLifeS: codeSeconds });
  print(toJsonLine({ ready: true, service: 'local-issuer', url: served.url }));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await served.close();
}

async function decide(issuer: string | undefined, form: Readonly<Record<string, string>>): Promise<void> {
  const url = issuer ?? commandEnvironment()['CORRIDOR_LOGIN_ISSUER'];
  if (!url) throw new CodedError('OPTION_MISSING', 'say with --issuer where the local issuer is');
  await decideLocally(url, form);
  print(form['verdict'] === 'deny' ? 'Denied.' : `Approved as ${form['as']}.`);
}
