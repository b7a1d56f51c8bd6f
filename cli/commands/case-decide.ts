// `corridor cases decide`: a decision on a case of any kind, in the face of what it is about.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import { type CaseVerdict, decideInboxCase } from '../../operations/cases/inbox/decide.ts';
import { type AlikeCases, decideAlike, findAlike } from '../../operations/cases/inbox/decide-alike.ts';
import { DECISION_REASONS, justificationOf, REASONS_OF } from '../../operations/cases/inbox/decision-reasons.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { CASE_KINDS } from '../../operations/cases/inbox/row.ts';
import { askToDecide } from '../../operations/cases/inbox/second-person.ts';
import { fitting, VERDICTS, type Verdict } from '../../operations/cases/inbox/verdict.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { type Inbox, openInbox } from '../../services/inbox.ts';
import { reportResult } from '../audit/acts.ts';
import { askOnTerminal, typedVerdict } from '../cases/confirm.ts';
import { alikeLines } from '../cases/rows.ts';
import { caseLines } from '../cases/shown.ts';
import { type StatementOptions, statementFrom, withStatement } from '../cases/statement.ts';
import { withConnections } from '../connections.ts';
import { print, printError, printRows, withJson } from '../output.ts';

interface DecideOptions extends Partial<Record<Lowercase<Verdict>, boolean>>, StatementOptions {
  readonly code: string;
  readonly reason: string;
  readonly alike?: boolean;
  readonly evidence?: string;
  readonly by: string;
  readonly json?: boolean;
}

/** What is decided, and the hash of what it is decided on. */
type Shown = Pick<CaseVerdict, 'caseId' | 'verdict' | 'seen'>;

const ALL_VERDICTS: readonly Verdict[] = CASE_KINDS.flatMap((kind) => VERDICTS[kind]);

export function registerCaseDecide(cases: Command): void {
  withStatement(withJson(cases.command('decide')))
    .argument('<case>', 'id of the case, of any kind')
    .description('decide a case: it is shown, and the verdict is typed')
    .option('--approve', 'a hold: let the transfer go on')
    .option('--reject', 'a hold: decline the transfer')
    .option('--close', 'a case of a payout: it has been dealt with')
    .option('--paid', 'a payout: the provider states in writing that it has paid; two persons')
    .option('--unpaid', 'a payout: the provider states in writing that it has not paid, under any key; two persons')
    .option('--clear', 'a customer: it is not the listed entity')
    .option('--confirm', 'a customer: it is the listed entity, and stays blocked')
    .requiredOption('--code <code>', 'why, as a code: see below')
    .requiredOption('--reason <text>', 'why, in words; kept with the case, so no personal data')
    .option('--alike', 'a hold: and every open one that says the same of the same parties')
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

Codes:
${ALL_VERDICTS.map((verdict) => `  --${verdict.toLowerCase()}: ${REASONS_OF[verdict].join(', ')}`).join('\n')}

${Object.entries(DECISION_REASONS)
  .map(([code, meaning]) => `  ${code.padEnd(20)} ${meaning}`)
  .join('\n')}

Examples:
  corridor cases decide 0d5c… --reject --code TRUE_MATCH --reason "same passport number"
  corridor cases decide 0d5c… --approve --code OTHER_BIRTH_DATE --reason "born 1985, not 1961" --alike
  corridor cases decide 5f1c…/1 --close --code RECOVERED --reason "ticket 4711"
  corridor cases decide 5f1c…/1 --unpaid --code PROVIDER_STATED --reason "ticket 4711" --document letter.pdf --document-reference L-88 --document-date 2026-11-30`,
    )
    .action((id: string, options: DecideOptions) =>
      withConnections(async (connections) => {
        const inbox = await openInbox(connections);
        const { code, reason, by, json, alike } = options;
        const shown = await shownTo(inbox, id, options);
        const statement = await statementFrom(shown.verdict, options);
        const asked = { ...shown, code, reason, by, at: Date.now(), ...(statement && { statement }) };
        if (!alike) {
          await decideOrAsk(connections, inbox, asked, json);
          return;
        }
        const outcomes = await decideAlike(
          { ...inbox.deciding, holds: { ...inbox.sources.holds, ...inbox.deciding.holds } },
          asked,
          connections.config.keys.operators,
        );
        const rows = outcomes.map(({ caseId, transferId, refused }) => {
          const decision = refused ? `REFUSED: ${refused.detail} (${refused.code})` : asked.verdict;
          return { case: caseId, transfer: transferId, decision };
        });
        reportResult({
          items: outcomes.map(({ caseId, refused }) => ({
            on: { kind: 'cases', id: caseId, isKnown: true },
            ...(refused ? { outcome: 'FAILED', reasonCode: refused.code } : { outcome: 'DONE', reasonCode: code }),
          })),
        });
        printOutcomes(rows, json);
        if (outcomes.some(({ refused }) => refused)) process.exitCode = 1;
      }),
    );
}

/** Decides it, or has another person let it through where the policy says so. */
export async function decideOrAsk(
  connections: Connections,
  { deciding }: Inbox,
  asked: CaseVerdict,
  json?: boolean,
): Promise<void> {
  const operators = ringOf(connections.config.keys, 'operators');
  try {
    const { transferId } = await decideInboxCase(deciding, asked, operators);
    printOutcomes([{ case: asked.caseId, transfer: transferId, decision: asked.verdict }], json);
  } catch (error) {
    if (!isCoded(error) || error.code !== 'SECOND_APPROVER_NEEDED') throw error;
    const { store } = await openApprovals(connections);
    const question = { ...asked, id: randomUUID(), by: personWithKeys(asked.by) };
    const approval = await askToDecide({ ...deciding, approvals: store }, question, operators);
    if (json) {
      printRows([{ case: asked.caseId, decision: 'ASKED', approvalId: approval._id }], [], true);
      return;
    }
    print(`${error.message}.\nAnother person lets it through until ${approval.expiresAt.toISOString()}:`);
    print(`  corridor approvals approve ${approval._id} --reason "…"`);
  }
}

const printOutcomes = (
  rows: readonly { readonly case: string; readonly transfer: string; readonly decision: string }[],
  json: boolean | undefined,
) => printRows(rows, ['case', 'transfer', 'decision'], json);

/** What is decided, and on what: as a program names it, or as a person sees it now and types it. */
async function shownTo(inbox: Inbox, id: string, options: DecideOptions): Promise<Shown> {
  const wanted = verdictIn(options);
  if (wanted) justificationOf(wanted, options.code, options.reason);
  const { evidence: seen } = options;
  if (seen !== undefined) {
    if (wanted) return { verdict: wanted, seen, caseId: id };
    throw new CodedError(
      'DECISION_MISSING',
      'say one verdict: --approve, --reject, --close, --paid, --unpaid, --clear or --confirm',
    );
  }
  if (process.stdin.isTTY) return typedOnTerminal(inbox, id, { wanted, alike: options.alike === true });
  throw new CodedError(
    'OPTION_MISSING',
    'without a terminal, say --evidence: `seen` of the case as `cases show --json` gave it',
  );
}

async function typedOnTerminal(
  { sources, deciding, assignments }: Inbox,
  id: string,
  { wanted, alike }: { readonly wanted: Verdict | undefined; readonly alike: boolean },
): Promise<Shown> {
  const found = await findCase(sources, id);
  if (wanted) fitting(found, wanted);
  const now = Date.now();
  const assignment = await assignments.find(found.id, now);
  for (const line of caseLines(found, { now, assignment })) printError(line);
  if (!found.isOpen) throw new CodedError('CASE_NOT_OPEN', `case ${found.id} is decided already`);
  printError('');
  const more = alike ? await findAlike({ holds: { ...sources.holds, ...deciding.holds } }, found.id) : undefined;
  if (more) showAlike(more);
  const verdict = await typedVerdict(askOnTerminal, found, wanted, more?.cases.length);
  return { verdict, seen: more?.seen ?? found.seen, caseId: found.id };
}

function showAlike({ cases }: AlikeCases): void {
  for (const line of alikeLines(cases)) printError(line);
  printError('');
}

/** The one verdict that the options name. @throws CodedError DECISION_MISSING when they name more */
function verdictIn(options: DecideOptions): Verdict | undefined {
  const named = ALL_VERDICTS.filter((verdict) => options[verdict.toLowerCase() as Lowercase<Verdict>]);
  if (named.length <= 1) return named[0];
  throw new CodedError('DECISION_MISSING', `say one verdict, not ${named.join(' and ').toLowerCase()}`);
}
