// `corridor …`: every command of the product. Only what is asked for is loaded: a service has nothing of the development
// stack in its process.
import { Command } from 'commander';
import { explain, printError, shown } from './output.ts';
import { remoteCommands } from './remote/register.ts';
import { type CommandRoute, routeOf } from './remote/session.ts';

type Register = (program: Command) => void;

const upDown = async () => (await import('./dev/up-down.ts')).registerUpDown;
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  up: upDown,
  down: upDown,
  run: async () => (await import('./commands/run.ts')).registerRun,
  api: async () => (await import('./commands/api.ts')).registerApi,
  token: async () => (await import('./commands/token.ts')).registerToken,
  feed: async () => (await import('./dev/feed.ts')).registerFeed,
  produce: async () => (await import('./commands/produce.ts')).registerProduce,
  status: async () => (await import('./commands/status.ts')).registerStatus,
  stuck: async () => (await import('./commands/stuck.ts')).registerStuck,
  transfers: async () => (await import('./commands/transfers.ts')).registerTransfers,
  transfer: async () => (await import('./commands/transfer.ts')).registerTransfer,
  cases: async () => (await import('./commands/cases.ts')).registerCases,
  approvals: async () => (await import('./commands/approvals.ts')).registerApprovals,
  control: async () => (await import('./commands/control.ts')).registerControl,
  'break-glass': async () => (await import('./commands/break-glass.ts')).registerBreakGlass,
  dlq: async () => (await import('./commands/dead-letters.ts')).registerDeadLetters,
  payouts: async () => (await import('./commands/payout-cases.ts')).registerPayoutCases,
  lists: async () => (await import('./commands/lists.ts')).registerLists,
  screen: async () => (await import('./commands/screen.ts')).registerScreen,
  explain: async () => (await import('./commands/explain.ts')).registerExplain,
  exceptions: async () => (await import('./commands/exceptions.ts')).registerExceptions,
  customers: async () => (await import('./commands/customers.ts')).registerCustomers,
  topics: async () => (await import('./commands/topics.ts')).registerTopics,
  schemas: async () => (await import('./commands/schemas.ts')).registerSchemas,
  config: async () => (await import('./commands/config.ts')).registerConfig,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  webhooks: async () => (await import('./commands/webhooks.ts')).registerWebhooks,
  verify: async () => (await import('./commands/verify.ts')).registerVerify,
};

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
    return routeOf(process.argv.slice(2), process.env);
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
Over an API, as who your token says (CORRIDOR_TOKEN, CORRIDOR_TOKEN_FILE): status, stuck, transfers, payouts, dlq, cases,
approvals, control, break-glass, lists, exceptions, audit and webhooks, with --api URL or CORRIDOR_API_URL. --direct works
on the stores instead, for recovery: then \`--by\` is only what was typed.`,
  )
  .showHelpAfterError('(add --help for what there is)')
  .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
  .configureHelp({ sortSubcommands: true });
const route = typed();
for (const register of await registrations(route)) register(program);

try {
  await program.parseAsync(route.argv, { from: 'user' });
} catch (error) {
  printError(explain(error));
  process.exitCode = 1;
}
