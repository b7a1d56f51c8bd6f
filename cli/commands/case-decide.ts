// `corridor cases decide`: a decision on a case of any kind, in the face of what it is about.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { decideInboxCase, fitting, VERDICTS, type Verdict } from '../../operations/cases/inbox/decide.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { CASE_KINDS } from '../../operations/cases/inbox/row.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Inbox, openInbox } from '../../services/inbox.ts';
import { askOnTerminal, typedVerdict } from '../cases/confirm.ts';
import { caseLines } from '../cases/shown.ts';
import { withConnections } from '../connections.ts';
import { printError, printRows, withJson } from '../output.ts';

interface DecideOptions extends Partial<Record<Lowercase<Verdict>, boolean>> {
  readonly reason: string;
  readonly evidence?: string;
  readonly by: string;
  readonly json?: boolean;
}

export function registerCaseDecide(cases: Command): void {
  withJson(cases.command('decide'))
    .argument('<case>', 'id of the case, of any kind')
    .description('decide a case: it is shown, and the verdict is typed')
    .option('--approve', 'a hold: let the transfer go on')
    .option('--reject', 'a hold: decline the transfer')
    .option('--close', 'a case of a payout: it has been dealt with')
    .option('--clear', 'a customer: it is not the listed entity')
    .option('--confirm', 'a customer: it is the listed entity, and stays blocked')
    .requiredOption('--reason <text>', 'why; kept with the case')
    .option(
      '--evidence <hash>',
      'for programs: `seen` of the case as `cases show --json` gave it; nothing is asked then',
    )
    .option('--by <operator>', 'who decides', userInfo().username)
    .addHelpText(
      'after',
      `
The decision is bound to all that was shown: if the case is about something else by now, or was changed in the database, it
is refused. It is sealed with the key of operators (CORRIDOR_OPERATOR_KEYS), and too late once a hold has lapsed. Closing a
case of a payout needs the keys of the executor too (CORRIDOR_EXECUTOR_KEYS).

Examples:
  corridor cases decide 0d5c… --reject --reason "same passport number"
  corridor cases decide 5f1c…/1 --close --reason "refunded by the provider, ticket 4711"`,
    )
    .action((id: string, options: DecideOptions) =>
      withConnections(async (connections) => {
        const inbox = await openInbox(connections);
        const { verdict, seen, caseId } = await shownTo(inbox, id, options);
        const { reason, by, json } = options;
        const { operators } = connections.config.keys;
        const asked = { caseId, verdict, seen, by, reason, at: Date.now() };
        const { transferId } = await decideInboxCase(inbox.deciding, asked, operators);
        printRows([{ case: caseId, transfer: transferId, decision: verdict }], ['case', 'transfer', 'decision'], json);
      }),
    );
}

/** What is decided, and on what: as a program names it, or as a person sees it now and types it. */
async function shownTo(
  { sources, assignments }: Inbox,
  id: string,
  options: DecideOptions,
): Promise<{ readonly verdict: Verdict; readonly seen: string; readonly caseId: string }> {
  const wanted = verdictIn(options);
  const { evidence } = options;
  if (evidence !== undefined) {
    if (wanted) return { verdict: wanted, seen: evidence, caseId: id };
    throw new CodedError('DECISION_MISSING', 'say one verdict: --approve, --reject, --close, --clear or --confirm');
  }
  if (!process.stdin.isTTY) {
    throw new CodedError(
      'OPTION_MISSING',
      'without a terminal, say --evidence: `seen` of the case as `cases show --json` gave it',
    );
  }
  const found = await findCase(sources, id);
  if (wanted) fitting(found, wanted);
  const now = Date.now();
  const assignment = await assignments.find(found.id, now);
  for (const line of caseLines(found, { now, assignment })) printError(line);
  if (!found.isOpen) throw new CodedError('CASE_NOT_OPEN', `case ${found.id} is decided already`);
  printError('');
  return { verdict: await typedVerdict(askOnTerminal, found, wanted), seen: found.seen, caseId: found.id };
}

/** The one verdict that the options name. @throws CodedError DECISION_MISSING when they name more */
function verdictIn(options: DecideOptions): Verdict | undefined {
  const all = CASE_KINDS.flatMap((kind) => VERDICTS[kind]);
  const named = all.filter((verdict) => options[verdict.toLowerCase() as Lowercase<Verdict>]);
  if (named.length <= 1) return named[0];
  throw new CodedError('DECISION_MISSING', `say one verdict, not ${named.join(' and ').toLowerCase()}`);
}
