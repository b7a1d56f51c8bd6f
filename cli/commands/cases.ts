// `corridor cases`: the inbox of everything that waits for a person, and decisions.
import { type Command, Option } from 'commander';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { type HoldSummary, listHolds } from '../../operations/cases/holds/cases.ts';
import type { CaseState } from '../../sinks/cases/case.ts';
import { withConnections } from '../connections.ts';
import { count, printCut, printRows, withJson } from '../output.ts';
import { registerCaseAssignments } from './case-assign.ts';
import { registerCaseDecide } from './case-decide.ts';
import { registerCaseList } from './case-list.ts';
import { registerCaseNote } from './case-note.ts';
import { registerCaseRestore } from './case-restore.ts';
import { registerCaseShow } from './case-show.ts';

const STATES: readonly CaseState[] = ['OPEN', 'DECIDED', 'EXPIRED'];

interface HoldsOptions {
  readonly state: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function registerCases(program: Command): void {
  const cases = program
    .command('cases')
    .description('everything that waits for a person: holds, cases of payouts and of customers');
  registerCaseList(cases);
  registerCaseShow(cases);
  registerCaseDecide(cases);
  registerCaseAssignments(cases);
  registerCaseNote(cases);
  registerHolds(cases);
  registerCaseRestore(cases);
}

function registerHolds(cases: Command): void {
  withJson(cases.command('holds'))
    .description('cases of held transfers, also those that are decided or lapsed; oldest first')
    .addOption(new Option('--state <state>', 'cases in this state').choices([...STATES, 'ALL']).default('ALL'))
    .option('--limit <n>', 'at most this many', count, 50)
    .addHelpText('after', '\nExample:\n  corridor cases holds --state DECIDED --json')
    .action(({ state, limit, json }: HoldsOptions) =>
      withConnections(async (connections) => {
        const { operators } = connections.config.keys;
        const chosen = STATES.find((known) => known === state);
        const store = caseStore(await connections.db());
        const found = await listHolds(store, { limit: limit + 1, ...(chosen ? { state: chosen } : {}) }, operators);
        printRows(
          found.slice(0, limit).map(row),
          ['case', 'transfer', 'stage', 'state', 'corridor', 'reasons', 'opened', 'expires'],
          json,
        );
        printCut(found.length <= limit, limit, 'These are the oldest: name a state with --state, or say --limit.');
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
  };
}
