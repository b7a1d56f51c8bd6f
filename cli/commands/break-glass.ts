// `corridor break-glass`: do alone what takes two, for some minutes; another person looks at it afterwards.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import {
  actsUnder,
  breakGlass,
  type GlassDesk,
  listGlass,
  reviewGlass,
} from '../../operations/break-glass/break-glass.ts';
import { openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { controlLog } from '../../services/controls.ts';
import { withConnections } from '../connections.ts';
import { print, printRows } from '../output.ts';
import {
  glassCommand,
  listGlassCommand,
  openGlassCommand,
  printGlasses,
  reviewGlassCommand,
} from '../shapes/control.ts';

const me = () => userInfo().username;

/** Glass begins and ends by the clock of approvals. */
async function glassDesk(connections: Connections): Promise<GlassDesk> {
  const { store } = await openApprovals(connections);
  return { log: controlLog(connections), clock: (own) => store.clock(own) };
}

export function registerBreakGlass(program: Command): void {
  const glass = glassCommand(program);

  openGlassCommand(glass)
    .option('--by <operator>', 'who breaks it', me())
    .action(({ reason, minutes, by }: { reason: string; minutes: number; by: string }) =>
      withConnections(async (connections) => {
        const id = randomUUID();
        const terms = { id, by: personWithKeys(by), reason, minutes, at: new Date() };
        const { until } = await breakGlass(await glassDesk(connections), terms);
        print(`BROKEN until ${until.toISOString()}. Ask for the act, then let it through yourself:`);
        print(`  corridor approvals approve APPROVAL --glass ${id} --reason "…"`);
      }),
    );

  listGlassCommand(glass).action(({ json }: { json?: boolean }) =>
    withConnections(async (connections) => {
      const found = await listGlass(controlLog(connections), personWithKeys(me()));
      const { store } = await openApprovals(connections);
      const acts = await Promise.all(found.map(({ id }) => actsUnder(store, id)));
      if (json)
        printRows(
          found.map((one, place) => ({ ...one, acts: acts[place] })),
          [],
          true,
        );
      else printGlasses(found.map(({ id: glass, ...one }, place) => ({ ...one, glass, acts: acts[place]! })));
    }),
  );

  reviewGlassCommand(glass)
    .option('--by <operator>', 'who reviews it', me())
    .action((id: string, { text, by }: { text: string; by: string }) =>
      withConnections(async (connections) => {
        const terms = { id, by: personWithKeys(by), text, at: new Date() };
        const { by: owner } = await reviewGlass(await glassDesk(connections), terms);
        print(`REVIEWED: the glass that ${owner} broke.`);
      }),
    );
}
