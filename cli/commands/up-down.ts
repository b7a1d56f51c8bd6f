// `corridor up` and `corridor down`: the local stack without the pipeline.
import type { Command } from 'commander';
import { startStack, stopStack, wipe } from '../../infra/local/stack.ts';
import { withoutCredentials } from '../../runtime/config/hide.ts';
import { stateDir } from '../environment.ts';
import { print, printError, printRows, withJson } from '../output.ts';

export function registerUpDown(program: Command): void {
  withJson(program.command('up'))
    .description('start the local stack (Kafka, registry, MongoDB, two Redis) and leave it running')
    .option('--brokers <n>', 'one broker, or three that replicate', '1')
    .addHelpText('after', '\nExamples:\n  corridor up\n  corridor up --brokers 3')
    .action(async ({ json, brokers }: { json?: boolean; brokers: string }) => {
      const stack = await startStack({
        stateDir: stateDir(),
        brokers: brokers === '3' ? 3 : 1,
        lifetime: 'detached',
        fixedPorts: true,
        onProgress: (line) => printError(line),
      });
      const { urls } = stack;
      const rows = Object.entries(urls).map(([part, url]) => ({ part, url: withoutCredentials(String(url)) }));
      printRows(rows, ['part', 'url'], json);
    });

  program
    .command('down')
    .description('stop the local stack; with --wipe also remove its data, logs and downloads')
    .option('--wipe', 'remove the state folder')
    .addHelpText('after', '\nExamples:\n  corridor down\n  corridor down --wipe')
    .action(async ({ wipe: remove }: { wipe?: boolean }) => {
      if (remove) {
        await wipe(stateDir());
        print(`stopped, and removed ${stateDir()}`);
        return;
      }
      print((await stopStack(stateDir())) ? 'stopped' : 'nothing was running');
    });
}
