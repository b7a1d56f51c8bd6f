// `corridor schemas check|push|release`
import type { Command } from 'commander';
import { pushSchemas } from '../../adapters/registry/push.ts';
import { checkAll, release } from '../../schemas/compatibility.ts';
import { registryOptions } from '../../services/connections.ts';
import { contracts } from '../../topics/catalogue.ts';
import { commandConfig } from '../connections.ts';
import { print, printRows, withJson } from '../output.ts';

export function registerSchemas(program: Command): void {
  const schemas = program.command('schemas').description('Avro schemas: check compatibility, push to the registry');

  withJson(schemas.command('check'))
    .description('compare schemas/avro with every released version, both ways; exits 1 when one breaks')
    .addHelpText('after', '\nExample:\n  corridor schemas check')
    .action(({ json }: { json?: boolean }) => {
      const problems = checkAll();
      if (problems.length > 0 || json) printRows(problems, ['record', 'against', 'problem'], json);
      if (problems.length === 0 && !json) print('compatible with every released version');
      if (problems.length > 0) process.exitCode = 1;
    });

  withJson(schemas.command('push'))
    .description('register the current schema of every topic, with FULL_TRANSITIVE compatibility')
    .addHelpText('after', '\nExample:\n  CORRIDOR_REGISTRY_URL=http://registry:8081 corridor schemas push')
    .action(async ({ json }: { json?: boolean }) => {
      const pushed = await pushSchemas(registryOptions(commandConfig()));
      printRows(pushed, ['subject', 'id', 'state'], json);
    });

  schemas
    .command('release')
    .description('record the current schemas as released, so that later ones must stay compatible with them')
    .addHelpText('after', '\nExample:\n  corridor schemas release')
    .action(() => {
      const problems = checkAll();
      if (problems.length > 0) {
        printRows(problems, ['record', 'against', 'problem']);
        process.exitCode = 1;
        return;
      }
      const written = release(Object.values(contracts).map(({ record }) => record));
      print(written.length === 0 ? 'nothing new to release' : written.join('\n'));
    });
}
