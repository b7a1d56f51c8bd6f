// `corridor …`: every command of the product, and the audit log of those that act on the stores.
import { Command } from 'commander';
import { type AuditedCommand, beginAudited } from './audit/acts.ts';
import { explain, printError, shown } from './output.ts';
import { COMMANDS, type Register } from './registry.ts';
import { remoteCommands } from './remote/register.ts';
import { type CommandRoute, routeOf } from './remote/route.ts';

/** The one that is asked for; all of them where none is, so that help knows them. Over an API, where one is named. */
async function registrations({ argv, apiUrl }: CommandRoute): Promise<ReadonlySet<Register>> {
  const commands = apiUrl === undefined ? COMMANDS : { ...COMMANDS, ...remoteCommands(apiUrl) };
  const [asked] = argv;
  const one = asked !== undefined && Object.hasOwn(commands, asked) ? commands[asked] : undefined;
  const chosen = one ? [one] : Object.values(commands);
  return new Set(await Promise.all(chosen.map((load) => load())));
}

/** What was typed, and where it goes. */
function typed(): CommandRoute {
  try {
    const route = routeOf(process.argv.slice(2), process.env);
    // What was typed wins over what was set.
    if (route.tokenFile !== undefined) {
      process.env['CORRIDOR_TOKEN_FILE'] = route.tokenFile;
      process.env['CORRIDOR_TOKEN'] = '';
    }
    process.env['CORRIDOR_API_URL'] = route.apiUrl ?? '';
    return route;
  } catch (error) {
    printError(explain(error));
    process.exit(1);
  }
}

const program = new Command('corridor')
  .description('A stream-processing pipeline for cross-border money transfers, on Kafka.')
  .addHelpText(
    'after',
    `
Over an API, as who you signed in as (\`corridor login\`; --token-file, CORRIDOR_TOKEN, CORRIDOR_TOKEN_FILE): status, stuck, transfers, payouts, dlq, cases,
approvals, control, break-glass, policy, limits, lists, exceptions, audit and webhooks, with --api URL or CORRIDOR_API_URL. --direct works
on the stores instead, for recovery: then \`--by\` is only what was typed.`,
  )
  .showHelpAfterError('(add --help for what there is)')
  .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
  .configureHelp({ sortSubcommands: true });
const route = typed();
for (const register of await registrations(route)) register(program);

/** Over an API, the API writes the entries. */
const isRemote = route.apiUrl !== undefined && Object.hasOwn(remoteCommands(route.apiUrl), route.argv[0] ?? '');
let audited: AuditedCommand | undefined;
program.hook('preAction', async (_, command) => {
  if (!isRemote) audited = await beginAudited(command);
});

try {
  await program.parseAsync(route.argv, { from: 'user' });
  await audited?.done();
} catch (error) {
  await audited?.failed(error);
  printError(explain(error));
  process.exitCode = 1;
}
