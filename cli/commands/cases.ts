// `corridor cases list|show|decide`: held transfers and their decisions.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { type CaseStore, caseStore } from '../../adapters/mongo/cases.ts';
import { decideCase, type HoldSummary, listHolds, showHold, summaryOf } from '../../operations/cases/holds/cases.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Config } from '../../runtime/config/config.ts';
import type { CaseState } from '../../sinks/cases/case.ts';
import { withConnections } from '../connections.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { registerCaseRestore } from './case-restore.ts';

const STATES: readonly CaseState[] = ['OPEN', 'DECIDED', 'EXPIRED'];

interface ListOptions {
  readonly state: string;
  readonly limit: number;
  readonly json?: boolean;
}
interface DecideOptions {
  readonly approve?: boolean;
  readonly reject?: boolean;
  readonly reason: string;
  readonly evidence: string;
  readonly by: string;
  readonly json?: boolean;
}

const withCases = (use: (store: CaseStore, keys: Config['keys']) => Promise<void>) =>
  withConnections(async (connections) => use(caseStore(await connections.db()), connections.config.keys));

export function registerCases(program: Command): void {
  const cases = program.command('cases').description('held transfers: list, show, decide');

  withJson(cases.command('list'))
    .description('cases, oldest first')
    .addOption(new Option('--state <state>', 'cases in this state').choices([...STATES, 'ALL']).default('OPEN'))
    .option('--limit <n>', 'at most so many', count, 50)
    .addHelpText('after', '\nExamples:\n  corridor cases list\n  corridor cases list --state DECIDED --json')
    .action(({ state, limit, json }: ListOptions) =>
      withCases(async (store, { operators }) => {
        const chosen = STATES.find((known) => known === state);
        const found = await listHolds(store, { limit, ...(chosen ? { state: chosen } : {}) }, operators);
        printRows(
          found.map(row),
          ['case', 'transfer', 'stage', 'state', 'corridor', 'reasons', 'opened', 'expires'],
          json,
        );
      }),
    );

  cases
    .command('show')
    .argument('<case>', 'id of the case')
    .option('--json', 'as always')
    .description('everything that is held, as JSON; the evidence hash in it is what a decision must name')
    .addHelpText('after', '\nExample:\n  corridor cases show 0d5c…')
    .action((id: string) =>
      withCases(async (store, { operators }) => {
        print(toJson(await showHold(store, id, operators)));
      }),
    );

  registerCaseRestore(cases);

  withJson(cases.command('decide'))
    .argument('<case>', 'id of the case')
    .description('approve or reject a held transfer; the stage that holds it goes on at once')
    .option('--approve', 'let it go on')
    .option('--reject', 'decline it')
    .requiredOption('--reason <text>', 'why; kept with the case')
    .requiredOption('--evidence <hash>', 'evidence hash of the case as you saw it (cases show)')
    .option('--by <operator>', 'who decides', userInfo().username)
    .addHelpText(
      'after',
      `
The decision is bound to all that is held: if the case holds something else by now, or was changed in the database, it
is refused. It is sealed with the key of operators (CORRIDOR_OPERATOR_KEYS), and too late once the hold has lapsed.

Example:
  corridor cases decide 0d5c… --reject --reason "same passport number" --evidence 9f2b…`,
    )
    .action((id: string, options: DecideOptions) =>
      withCases(async (store, { operators }) => {
        if (Boolean(options.approve) === Boolean(options.reject)) {
          throw new CodedError('DECISION_MISSING', 'say either --approve or --reject');
        }
        const decided = await decideCase(
          store,
          {
            holdId: id,
            evidenceHash: options.evidence,
            decision: options.approve ? 'APPROVE' : 'REJECT',
            by: options.by,
            reason: options.reason,
            at: new Date(),
          },
          operators,
        );
        printRows(
          [{ ...row(summaryOf(decided, operators)), decision: decided.decision?.decision }],
          ['case', 'transfer', 'decision'],
          options.json,
        );
      }),
    );
}

/** Of an altered case the id alone is shown, and what was changed: what else stands there proves nothing. */
function row({ holdId, state, altered, whole }: HoldSummary) {
  return {
    case: holdId,
    transfer: whole?.transferId,
    stage: whole?.stage,
    state,
    corridor: whole && `${whole.sourceCountry}-${whole.targetCountry}`,
    reasons: whole
      ? whole.reasons.map(({ code }) => code).join(', ')
      : `changed in the database: ${altered.join(', ')}`,
    opened: whole?.openedAt,
    expires: whole?.expiresAt,
    // Not a column: for programs, which must name it in a decision.
    evidenceHash: whole?.evidenceHash,
  };
}
