// `corridor …`: every command of the product.
import { Command } from 'commander';
import { registerCases } from './commands/cases.ts';
import { registerConfig } from './commands/config.ts';
import { registerCustomers } from './commands/customers.ts';
import { registerExceptions } from './commands/exceptions.ts';
import { registerExplain } from './commands/explain.ts';
import { registerFeed } from './commands/feed.ts';
import { registerLists } from './commands/lists.ts';
import { registerPayoutCases } from './commands/payout-cases.ts';
import { registerProduce } from './commands/produce.ts';
import { registerRun } from './commands/run.ts';
import { registerSchemas } from './commands/schemas.ts';
import { registerScreen } from './commands/screen.ts';
import { registerTopics } from './commands/topics.ts';
import { registerTransfer } from './commands/transfer.ts';
import { registerUpDown } from './commands/up-down.ts';
import { registerVerify } from './commands/verify.ts';
import { explain, printError, shown } from './output.ts';

const program = new Command('corridor')
  .description('A stream-processing pipeline for cross-border money transfers, on Kafka.')
  .showHelpAfterError('(add --help for what there is)')
  .configureOutput({ writeErr: (text) => process.stderr.write(shown(text)) })
  .configureHelp({ sortSubcommands: true });

const registrations = [
  registerUpDown,
  registerRun,
  registerFeed,
  registerProduce,
  registerTransfer,
  registerCases,
  registerPayoutCases,
  registerLists,
  registerScreen,
  registerExplain,
  registerExceptions,
  registerCustomers,
  registerTopics,
  registerSchemas,
  registerConfig,
  registerVerify,
];
for (const register of registrations) register(program);

try {
  await program.parseAsync();
} catch (error) {
  printError(explain(error));
  process.exitCode = 1;
}
