// `corridor customers list|decide`: known customers who resemble what a new list version added.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { customerCaseStore } from '../../adapters/mongo/customer-cases.ts';
import { type CustomerCaseSummary, listCustomerCases } from '../../operations/cases/customers/cases.ts';
import { REASONS_OF } from '../../operations/cases/inbox/decision-reasons.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { CodedError } from '../../ports/fault.ts';
import type { CustomerCaseState } from '../../screening/rescreening/customer-case.ts';
import { openInbox } from '../../services/inbox.ts';
import { withConnections } from '../connections.ts';
import { count, printCut, printRows, withJson } from '../output.ts';
import { decideOrAsk } from './case-decide.ts';

const STATES: readonly CustomerCaseState[] = ['OPEN', 'CONFIRMED', 'CLEARED'];

interface DecideOptions {
  readonly confirm?: boolean;
  readonly clear?: boolean;
  readonly code: string;
  readonly reason: string;
  readonly by: string;
}

export function registerCustomers(program: Command): void {
  const customers = program
    .command('customers')
    .description('cases about known customers, opened when a list version came into force: list, decide');

  withJson(customers.command('list'))
    .description('cases, oldest first; open and confirmed ones block payouts')
    .addOption(new Option('--state <state>', 'cases in this state').choices([...STATES, 'ALL']).default('OPEN'))
    .option('--limit <n>', 'at most this many', count, 50)
    .addHelpText('after', '\nThe parties are told by `corridor explain <transfer>`.')
    .action(({ state, limit, json }: { state: string; limit: number; json?: boolean }) =>
      withConnections(async (connections) => {
        const { operators } = connections.config.keys;
        const store = customerCaseStore(await connections.db(), { operators });
        const chosen = STATES.find((known) => known === state);
        const filter = { limit: limit + 1, ...(chosen ? { state: chosen } : {}) };
        const found = await listCustomerCases(store, filter, operators);
        printRows(
          found.slice(0, limit).map(row),
          ['case', 'state', 'entity', 'listedName', 'score', 'transfer', 'opened'],
          json,
        );
        printCut(found.length <= limit, limit, 'These are the oldest: say --limit.');
      }),
    );

  customers
    .command('decide')
    .argument('<case>', 'id of the case')
    .description('clear a customer, or confirm the match and keep the block')
    .option('--clear', 'it is not the listed entity')
    .option('--confirm', 'it is')
    .requiredOption('--code <code>', `why, as a code: ${[...REASONS_OF.CLEAR, ...REASONS_OF.CONFIRM].join(', ')}`)
    .requiredOption('--reason <text>', 'why; kept with the case')
    .option('--by <person>', 'who decides', userInfo().username)
    .action((id: string, { clear, confirm, code, reason, by }: DecideOptions) =>
      withConnections(async (connections) => {
        if (Boolean(clear) === Boolean(confirm))
          throw new CodedError('DECISION_MISSING', 'say either --clear or --confirm');
        const inbox = await openInbox(connections);
        const { seen } = await findCase(inbox.sources, id);
        const verdict = clear ? 'CLEAR' : 'CONFIRM';
        await decideOrAsk(connections, inbox, { caseId: id, verdict, seen, code, reason, by, at: Date.now() });
      }),
    );
}

const row = ({ found, flaw }: CustomerCaseSummary) => ({
  case: found.caseId,
  // What nobody sealed blocks, whatever it says.
  state: flaw ? 'NOT SEALED' : found.state,
  entity: `${found.source}:${found.entityId}`,
  // There may be none in a document that somebody else wrote.
  listedName: found.candidate?.matchedName,
  score: found.candidate?.score,
  transfer: found.transferId,
  opened: Number.isNaN(found.openedAt) ? undefined : new Date(found.openedAt),
});
