// `corridor payouts list` and `corridor payouts cases list|show|close`: payouts, and those that a person has to look at.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { type MongoPayoutStore, mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { payoutCaseId } from '../../operations/cases/inbox/briefs.ts';
import { REASONS_OF } from '../../operations/cases/inbox/decision-reasons.ts';
import { findCase } from '../../operations/cases/inbox/find.ts';
import { listPayoutCases, type PlacedPayoutCase, showPayout } from '../../operations/cases/payouts/cases.ts';
import { forgedDetail } from '../../payouts/outbox.ts';
import { openInbox } from '../../services/inbox.ts';
import { withConnections } from '../connections.ts';
import { count, printCut, printError, printRows, toJson, withJson } from '../output.ts';
import { decideOrAsk } from './case-decide.ts';
import { registerPayoutList } from './payout-list.ts';

interface CloseOptions {
  readonly code: string;
  readonly reason: string;
  readonly by: string;
  readonly json?: boolean;
}

const COLUMNS = ['payout', 'case', 'code', 'phase', 'attempt', 'opened', 'detail'] as const;

/** For those who look: also at what no executor has written. */
const withPayouts = (use: (store: MongoPayoutStore) => Promise<void>) =>
  withConnections(async (connections) => {
    const onForged = (payoutId: string) => printError(`PAYOUT_FORGED: ${forgedDetail(payoutId)}`);
    await use(mongoPayoutStore(await connections.db(), { onForged }));
  });

export function registerPayoutCases(program: Command): void {
  const payouts = program.command('payouts').description('payouts by phase, and what a person has to look at');
  registerPayoutList(payouts);
  const cases = payouts.command('cases').description('cases of payouts: list, show, close');

  withJson(cases.command('list'))
    .description('open cases, the oldest payout first')
    .option('--limit <n>', 'of at most this many payouts', count, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  corridor payouts cases list\n  corridor payouts cases list --limit 500 --json',
    )
    .action(({ limit, json }: { limit: number; json?: boolean }) =>
      withPayouts(async (store) => {
        const { cases: found, isCut } = await listPayoutCases(store, limit);
        printRows(found.map(rowOf), COLUMNS, json);
        printCut(!isCut, limit, 'These are the oldest payouts: say --limit.');
      }),
    );

  cases
    .command('show')
    .argument('<payout>', 'id of the payout, which is that of the transfer')
    .option('--json', 'print JSON for programs')
    .description('attempts, cases and updates of a payout, as JSON; no parties')
    .addHelpText('after', '\nExample:\n  corridor payouts cases show 0d5c…')
    .action((id: string) =>
      withPayouts(async (store) => {
        console.log(toJson(await showPayout(store, id)));
      }),
    );

  withJson(cases.command('close'))
    .argument('<payout>', 'id of the payout')
    .argument('<case>', 'number of the case (cases list, cases show)', count)
    .description('close a case that a person has dealt with; ends a payout that may not go on')
    .requiredOption('--code <code>', `why, as a code: ${REASONS_OF.CLOSE.join(', ')}`)
    .requiredOption('--reason <text>', 'what was done about it; kept with the case, so no personal data')
    .option('--by <operator>', 'who closes it', userInfo().username)
    .addHelpText(
      'after',
      `
Closing never starts an attempt. NO_PROOF closes by itself. A CONTRADICTION, ANSWER_DIFFERS or ROLLED_BACK is closed while no
attempt is open; of a payout that is NEW this ends it as FAILED, and the transfer is rejected. So settle first what the
provider has paid. Those take a second person, unless the policy of cases says otherwise (docs/operations.md).

Example:
  corridor payouts cases close 0d5c… 1 --by amara --code RECOVERED --reason "the provider took the second payment back, ticket 4711"`,
    )
    .action((payoutId: string, number: number, { code, by, reason, json }: CloseOptions) =>
      withConnections(async (connections) => {
        const inbox = await openInbox(connections);
        const { seen } = await findCase(inbox.sources, payoutCaseId(payoutId, number));
        const asked = { caseId: payoutCaseId(payoutId, number), verdict: 'CLOSE', seen, code, reason, by } as const;
        await decideOrAsk(connections, inbox, { ...asked, at: Date.now() }, json);
      }),
    );
}

const rowOf = ({ payout, one, number }: PlacedPayoutCase) => ({
  payout: payout.payoutId,
  case: number,
  code: one.code,
  phase: payout.phase,
  attempt: one.attemptKey,
  opened: new Date(one.openedAt),
  detail: one.detail,
});
