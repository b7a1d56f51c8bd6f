// `corridor up` and `corridor down`: the local stack without the pipeline.
import type { Command } from 'commander';
import { restartServer, type ServerName, startStack, stopStack, wipe } from '../../infra/local/stack.ts';
import { withoutCredentials } from '../../ports/hide.ts';
import { print, printError, printRows, withJson } from '../output.ts';
import { localKeyFile, stateDir, withStack } from './environment.ts';

interface UpOptions {
  readonly json?: boolean;
  readonly brokers: string;
  readonly env?: boolean;
  readonly restart?: string;
}

export function registerUpDown(program: Command): void {
  withJson(program.command('up'))
    .description('start the local stack (Kafka, registry, MongoDB, two Redis) and leave it running')
    .option('--brokers <n>', 'one broker, or three that replicate', '1')
    .option('--restart <server>', 'end one server of the running stack and have it back: kafka-1, registry, mongo …')
    .option('--env', 'print the variables under which `corridor run` finds it, as NAME=value')
    .addHelpText(
      'after',
      '\nExamples:\n  corridor up\n  corridor up --brokers 3\n  corridor up --restart kafka-1\n  corridor up --env > local.env',
    )
    .action(async ({ json, brokers, env, restart }: UpOptions) => {
      const common = { stateDir: stateDir(), onProgress: (line: string) => printError(line) };
      const stack = restart
        ? await restartServer(common, restart as ServerName)
        : await startStack({ ...common, brokers: brokers === '3' ? 3 : 1, lifetime: 'detached', fixedPorts: true });
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
