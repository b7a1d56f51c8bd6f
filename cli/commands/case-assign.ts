// `corridor cases assign|release`: who works on a case.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { assignCase, releaseCase } from '../../operations/cases/assignments/assign.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { openInbox } from '../../services/inbox.ts';
import { withConnections } from '../connections.ts';
import { print } from '../output.ts';

export function registerCaseAssignments(cases: Command): void {
  cases
    .command('assign')
    .argument('<case>', 'id of the case, of any kind')
    .description('say that you work on a case, so that others take another one; it is over by itself')
    .option('--as <person>', 'who works on it', userInfo().username)
    .addHelpText(
      'after',
      '\nIt gives no right to decide, and keeps nobody from deciding. Say it again and it lasts longer.',
    )
    .action((id: string, { as: by }: { as: string }) =>
      withConnections(async (connections) => {
        const { sources, assignments } = await openInbox(connections);
        const { id: caseId } = await findCase(sources, id);
        const { until } = await assignCase(assignments, { caseId, by, at: Date.now() });
        print(`${caseId} is assigned to ${by} until ${new Date(until).toISOString()}`);
      }),
    );

  cases
    .command('release')
    .argument('<case>', 'id of the case, as it was assigned')
    .description('say that you no longer work on a case')
    .option('--as <person>', 'who worked on it', userInfo().username)
    .action((id: string, { as: by }: { as: string }) =>
      withConnections(async (connections) => {
        const { assignments } = await openInbox(connections);
        await releaseCase(assignments, { caseId: id, by });
        print(`${id} is nobody's`);
      }),
    );
}
