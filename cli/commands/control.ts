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
import { print, printRows } from '../output.ts';
import { controlCommand, pauseCommand, printControls, resumeCommand, showControlsCommand } from '../shapes/control.ts';

const PAUSE_NOTE = `
It needs the log alone, no database. Nothing is lost: records wait in their topics, payouts in their store, in order. Asking
a provider about payments that it has goes on.
`;

interface Options {
  readonly reason: string;
  readonly by: string;
}

export function registerControl(program: Command): void {
  const control = controlCommand(program);

  pauseCommand(control, PAUSE_NOTE)
    .option('--by <operator>', 'who pauses', userInfo().username)
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

  resumeCommand(control)
    .option('--by <operator>', 'who asks', userInfo().username)
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

  showControlsCommand(control).action(({ all, json }: { all?: boolean; json?: boolean }) =>
    withConnections(async (connections) => {
      const by = personWithKeys(userInfo().username);
      const found = await listControls(controlLog(connections), by, { all: all === true });
      if (json) {
        printRows(found, [], true);
        return;
      }
      printControls(
        found.map(({ key, changedAt, ...each }) => ({
          ...each,
          what: key.toLowerCase(),
          changedAt: new Date(changedAt),
        })),
      );
    }),
  );
}
