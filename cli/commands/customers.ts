// `corridor customers list|decide`: known customers who resemble what a new list version added.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { customerCaseStore } from '../../adapters/mongo/customer-cases.ts';
import { decideCustomerCase } from '../../operations/cases/customers/cases.ts';
import { CodedError } from '../../ports/fault.ts';
import type { CustomerCaseState } from '../../screening/rescreening/customer-case.ts';
import { flawOfCustomerCase } from '../../screening/rescreening/customer-seals.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, withJson } from '../output.ts';

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
    .option('--state <state>', `${STATES.join(', ')} or ALL`, 'OPEN')
    .option('--limit <n>', 'at most so many', '50')
    .addHelpText('after', '\nThe parties are told by `corridor explain <transfer>`.')
    .action(({ state, limit, json }: { state: string; limit: string; json?: boolean }) =>
      withConnections(async (connections) => {
        const { operators } = connections.config.keys;
        const store = customerCaseStore(await connections.db(), { operators });
        const chosen = STATES.find((known) => known === state.toUpperCase());
        const found = await store.list({ limit: Number(limit), ...(chosen ? { state: chosen } : {}) });
        printRows(
          found.map((each) => ({
            case: each.caseId,
            // What nobody sealed blocks, whatever it says.
            state: flawOfCustomerCase(operators, each) ? 'NOT SEALED' : each.state,
            entity: `${each.source}:${each.entityId}`,
            // There may be none in a document that somebody else wrote.
            listedName: each.candidate?.matchedName,
            score: each.candidate?.score,
            transfer: each.transferId,
            opened: Number.isNaN(each.openedAt) ? undefined : new Date(each.openedAt),
          })),
          ['case', 'state', 'entity', 'listedName', 'score', 'transfer', 'opened'],
          json,
        );
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
