// `corridor cases note`: what people write to each other about a case.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { noteOnCase } from '../../operations/cases/notes/notes.ts';
import { openInbox } from '../../services/inbox.ts';
import { withConnections } from '../connections.ts';
import { print } from '../output.ts';

export function registerCaseNote(cases: Command): void {
  cases
    .command('note')
    .argument('<case>', 'id of the case, of any kind')
    .description('write something about a case to others; it decides nothing, and is never changed')
    .requiredOption('--text <text>', 'what; shown with the case')
    .option('--by <operator>', 'who writes', userInfo().username)
    .addHelpText('after', '\nExample:\n  corridor cases note 0d5c… --text "asked the bank, answer by noon"')
    .action((id: string, { text, by }: { text: string; by: string }) =>
      withConnections(async (connections) => {
        const { sources, notes } = await openInbox(connections);
        const { id: caseId } = await findCase(sources, id);
        await noteOnCase(notes, { id: randomUUID(), caseId, text, at: new Date(), by: personWithKeys(by) });
        print(`noted on ${caseId}`);
      }),
    );
}
