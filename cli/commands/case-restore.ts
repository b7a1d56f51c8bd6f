// `corridor cases restore`: a case that was changed or deleted in the database, written again from the log.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { restoreCase } from '../../operations/cases/holds/restore-case.ts';
import { CodedError } from '../../ports/fault.ts';
import { needsTwo } from '../../services/configured-rules.ts';
import { withConnections } from '../connections.ts';
import { print } from '../output.ts';

interface RestoreOptions {
  readonly transfer?: string;
  readonly reason: string;
  readonly by: string;
}

export function registerCaseRestore(cases: Command): void {
  cases
    .command('restore')
    .argument('[case]', 'id of the case, which is that of the hold')
    .description('write a case again that was changed or deleted in the database, or whose decision the stage refused')
    .option('--transfer <id>', 'or the transfer that is held: its last hold')
    .requiredOption('--reason <text>', 'why; kept')
    .option('--by <operator>', 'who restores it', userInfo().username)
    .addHelpText(
      'after',
      `
Taken from transfer.held, from the event that bears the seal of the stage (CORRIDOR_STAGE_KEYS): run it where the sinks run.
A decision that a person made on just this content stays, and is sent again; one of one person where two have to agree, which
the stage refused (DECISION_OF_ONE), does not: the case is open again. Refused when the case is open as it was held, when its
decision is being sent, or when its hold was resumed.

Example:
  corridor cases restore --transfer 5f1c… --by amara --reason "changed in the database, ticket 4711"`,
    )
    .action((id: string | undefined, { transfer, reason, by }: RestoreOptions) =>
      withConnections(async (connections) => {
        if ((id === undefined) === (transfer === undefined)) {
          throw new CodedError('OPTION_MISSING', 'say either a case or --transfer');
        }
        const { log, codec, config } = connections;
        const of = id === undefined ? { transferId: transfer! } : { holdId: id };
        const sources = {
          store: caseStore(await connections.db()),
          log,
          codec,
          keys: { ...config.keys, needsTwo: needsTwo(config) },
        };
        const restored = await restoreCase(sources, { of, by, reason, at: new Date() });
        print(`case ${restored._id} of transfer ${restored.transferId} is ${restored.state} again, as it was held`);
      }),
    );
}
