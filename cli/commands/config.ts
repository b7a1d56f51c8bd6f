// `corridor config`
import type { Command } from 'commander';
import { printConfig } from '../../runtime/config/config.ts';
import { commandConfig } from '../connections.ts';
import { commandEnvironment } from '../dev/environment.ts';
import { printRows, withJson } from '../output.ts';

export function registerConfig(program: Command): void {
  withJson(program.command('config'))
    .description('print every setting in force, and where it comes from; secrets are hidden')
    .addHelpText('after', '\nExample:\n  CORRIDOR_ENV=development corridor config')
    .action(({ json }: { json?: boolean }) => {
      printRows(printConfig(commandConfig(), commandEnvironment()), ['setting', 'env', 'value', 'source'], json);
    });
}
