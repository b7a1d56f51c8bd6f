// `corridor break-glass`: do alone what takes two, for some minutes; another person looks at it afterwards.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import {
  actsUnder,
  breakGlass,
  DEFAULT_GLASS_MINUTES,
  listGlass,
  MAX_GLASS_MINUTES,
  reviewGlass,
} from '../../operations/break-glass/break-glass.ts';
import { openApprovals } from '../../services/approvals.ts';
import { controlLog } from '../../services/controls.ts';
import { withConnections } from '../connections.ts';
import { count, print, printRows, withJson } from '../output.ts';

const me = () => userInfo().username;

export function registerBreakGlass(program: Command): void {
  const glass = program
    .command('break-glass')
    .description('let through alone what takes two, when there is nobody else; everybody is told');

  glass
    .command('open')
    .description('break the glass for yourself, for some minutes')
    .requiredOption('--reason <text>', 'why nobody else can be asked; stands in the log for ever')
    .option('--minutes <n>', `how long, ${MAX_GLASS_MINUTES} at most`, count, DEFAULT_GLASS_MINUTES)
    .option('--by <operator>', 'who breaks it', me())
    .addHelpText(
      'after',
      `
It alarms: health, metrics and log of every process say so until another person has reviewed it.

Example:
  corridor break-glass open --minutes 10 --reason "alone on call, the corridor must go on before the cut-off"`,
    )
    .action(({ reason, minutes, by }: { reason: string; minutes: number; by: string }) =>
      withConnections(async (connections) => {
        const id = randomUUID();
        const terms = { id, by: personWithKeys(by), reason, minutes, at: new Date() };
        const { until } = await breakGlass(controlLog(connections), terms);
        print(`BROKEN until ${until.toISOString()}. Ask for the act, then let it through yourself:`);
        print(`  corridor approvals approve APPROVAL --glass ${id} --reason "…"`);
      }),
    );

  withJson(glass.command('list'))
    .description('every glass that was broken, those without a review first, with what was done under it')
    .addHelpText('after', '\nExample:\n  corridor break-glass list')
    .action(({ json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const found = await listGlass(controlLog(connections), personWithKeys(me()));
        const { store } = await openApprovals(connections);
        const acts = await Promise.all(found.map(({ id }) => actsUnder(store, id)));
        const rows = found.map((one, place) => ({
          ...{ glass: one.id, by: one.by, until: one.until, reason: one.reason },
          done: acts[place]!.map(({ act, subject, state }) => `${act} ${subject} ${state}`).join('; '),
          review: one.review ? `${one.review.by}: ${one.review.text}` : 'OPEN',
        }));
        if (json)
          printRows(
            found.map((one, place) => ({ ...one, acts: acts[place] })),
            [],
            true,
          );
        else printRows(rows, ['glass', 'by', 'until', 'reason', 'done', 'review']);
      }),
    );

  glass
    .command('review')
    .argument('<glass>', 'id of the glass')
    .description('close it: you have looked at what was done under it. Never by who broke it')
    .requiredOption('--text <text>', 'what you found; stands in the log for ever')
    .option('--by <operator>', 'who reviews it', me())
    .addHelpText(
      'after',
      '\nExample:\n  corridor break-glass review 0b0c… --text "one resumption, as ticket 4711 says"',
    )
    .action((id: string, { text, by }: { text: string; by: string }) =>
      withConnections(async (connections) => {
        const terms = { id, by: personWithKeys(by), text, at: new Date() };
        const { by: owner } = await reviewGlass(controlLog(connections), terms);
        print(`REVIEWED: the glass that ${owner} broke.`);
      }),
    );
}
