// `corridor control`: pause a part of the running pipeline at once, and ask for it to go on.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import { askToResume, listControls, pauseTarget } from '../../operations/control/controls.ts';
import { targetNamed } from '../../operations/control/targets.ts';
import { ringOf } from '../../ports/seals.ts';
import { openApprovals } from '../../services/approvals.ts';
import { controlLog, knownTargets } from '../../services/controls.ts';
import { controlKey } from '../../topics/control-key.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, withJson } from '../output.ts';

const TARGETS = `
What can be paused:
  processor/limits      one processor or sink; payout-executor: no payout begins
  partition/limits/3    one partition of the chain, of one processor
  corridor/GB-IN        payouts of a corridor
  provider/NAME         payouts at a provider
  rail/SCT              payouts on a rail
`;

interface Options {
  readonly reason: string;
  readonly by: string;
}

export function registerControl(program: Command): void {
  const control = program.command('control').description('pause parts of the running pipeline, and have them go on');

  control
    .command('pause')
    .argument('<target>', 'what: see below')
    .description('pause it now, alone: stopping moves no money')
    .requiredOption('--reason <text>', 'why; stands in the log for ever, so no personal data')
    .option('--by <operator>', 'who pauses', userInfo().username)
    .addHelpText(
      'after',
      `${TARGETS}
It needs the log alone, no database. Nothing is lost: records wait in their topics, payouts in their store, in order. Asking
a provider about payments that it has goes on.

Example:
  corridor control pause corridor/GB-IN --reason "the provider pays twice, ticket 4711"`,
    )
    .action((text: string, { reason, by }: Options) =>
      withConnections(async (connections) => {
        const target = targetNamed(text, knownTargets(connections));
        const setting = { target, by: personWithKeys(by), reason, at: new Date() };
        const paused = await pauseTarget(controlLog(connections), setting);
        const key = controlKey(paused);
        print(`PAUSED ${key} (version ${paused.version}). Every process honours it within a second: see its health.`);
        print(`To have it go on: corridor control resume ${key.toLowerCase()} --reason "…"`);
      }),
    );

  control
    .command('resume')
    .argument('<target>', 'what: as it was paused')
    .description('ask for it to go on; another person lets it through')
    .requiredOption('--reason <text>', 'why; stands in the log for ever, so no personal data')
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText('after', '\nExample:\n  corridor control resume corridor/GB-IN --reason "mended, ticket 4711"')
    .action((text: string, { reason, by }: Options) =>
      withConnections(async (connections) => {
        const target = targetNamed(text, knownTargets(connections));
        const { store } = await openApprovals(connections);
        const setting = { id: randomUUID(), target, by: personWithKeys(by), reason, at: new Date() };
        const stores = { log: controlLog(connections), approvals: store };
        const approval = await askToResume(stores, setting, ringOf(connections.config.keys, 'operators'));
        print(`Another person lets it through until ${approval.expiresAt.toISOString()}:`);
        print(`  corridor approvals approve ${approval._id} --reason "…"`);
      }),
    );

  withJson(control.command('show'))
    .description('what is paused, the latest first')
    .option('--all', 'also what was resumed')
    .addHelpText('after', '\nExample:\n  corridor control show')
    .action(({ all, json }: { all?: boolean; json?: boolean }) =>
      withConnections(async (connections) => {
        const by = personWithKeys(userInfo().username);
        const found = await listControls(controlLog(connections), by, { all: all === true });
        if (json) {
          printRows(found, [], true);
          return;
        }
        const rows = found.map(({ key, state, changedBy, approvedBy, changedAt, reason }) => ({
          ...{ what: key.toLowerCase(), state, since: new Date(changedAt), reason },
          by: approvedBy ? `${changedBy}, ${approvedBy}` : changedBy,
        }));
        printRows(rows, ['what', 'state', 'since', 'by', 'reason']);
      }),
    );
}
