// `corridor customers list|decide`: known customers who resemble what a new list version added.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { customerCaseStore } from '../../adapters/mongo/customer-cases.ts';
import {
  type CustomerCaseSummary,
  decideCustomerCase,
  listCustomerCases,
} from '../../operations/cases/customers/cases.ts';
import { CodedError } from '../../ports/fault.ts';
import type { CustomerCaseState } from '../../screening/rescreening/customer-case.ts';
import { withConnections } from '../connections.ts';
import { count, print, printRows, withJson } from '../output.ts';

const STATES: readonly CustomerCaseState[] = ['OPEN', 'CONFIRMED', 'CLEARED'];

interface DecideOptions {
  readonly confirm?: boolean;
  readonly clear?: boolean;
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
        const found = await listCustomerCases(store, { limit, ...(chosen ? { state: chosen } : {}) }, operators);
        printRows(found.map(row), ['case', 'state', 'entity', 'listedName', 'score', 'transfer', 'opened'], json);
      }),
    );

  customers
    .command('decide')
    .argument('<case>', 'id of the case')
    .description('clear a customer, or confirm the match and keep the block')
    .option('--clear', 'it is not the listed entity')
    .option('--confirm', 'it is')
    .requiredOption('--reason <text>', 'why; kept with the case')
    .option('--by <person>', 'who decides', userInfo().username)
    .action((id: string, { clear, confirm, reason, by }: DecideOptions) =>
      withConnections(async (connections) => {
        if (Boolean(clear) === Boolean(confirm))
          throw new CodedError('DECISION_MISSING', 'say either --clear or --confirm');
        const state = clear ? 'CLEARED' : 'CONFIRMED';
        const { keys } = connections.config;
        const store = customerCaseStore(await connections.db(), keys);
        await decideCustomerCase(store, id, { state, by, reason, at: Date.now() }, keys.operators);
        print(`${id} is ${state}`);
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
