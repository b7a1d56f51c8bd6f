// `corridor up` and `corridor down`: the local stack without the pipeline.
import type { Command } from 'commander';
import { startStack, stopStack, wipe } from '../../infra/local/stack.ts';
import { withoutCredentials } from '../../ports/hide.ts';
import { print, printError, printRows, withJson } from '../output.ts';
import { localKeyFile, stateDir, withStack } from './environment.ts';

export function registerUpDown(program: Command): void {
  withJson(program.command('up'))
    .description('start the local stack (Kafka, registry, MongoDB, two Redis) and leave it running')
    .option('--brokers <n>', 'one broker, or three that replicate', '1')
    .option('--env', 'print the variables under which `corridor run` finds it, as NAME=value')
    .addHelpText('after', '\nExamples:\n  corridor up\n  corridor up --brokers 3\n  corridor up --env > local.env')
    .action(async ({ json, brokers, env }: { json?: boolean; brokers: string; env?: boolean }) => {
      const stack = await startStack({
        stateDir: stateDir(),
        brokers: brokers === '3' ? 3 : 1,
        lifetime: 'detached',
        fixedPorts: true,
        onProgress: (line) => printError(line),
      });
      const { urls } = stack;
      if (env) {
        for (const [name, value] of Object.entries(withStack({}, urls, localKeyFile(stateDir()))))
          print(`${name}=${value}`);
        return;
      }
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
