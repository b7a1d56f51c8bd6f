// `corridor payouts cases list|show|close`: payouts that a person has to look at.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { type MongoPayoutStore, mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { justificationText, personName } from '../../domain/people/identities.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { closeStoredCase } from '../../payouts/close-case.ts';
import { forgedDetail } from '../../payouts/outbox.ts';
import type { Payout, PayoutCase } from '../../payouts/payout.ts';
import { CodedError } from '../../ports/fault.ts';
import { withConnections } from '../connections.ts';
import { count, printError, printRows, toJson, withJson } from '../output.ts';

interface CloseOptions {
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

/** For those who write: sealed as the executor does, and nothing that it has not sealed. */
const withSealedPayouts = (use: (store: MongoPayoutStore, operators: KeyRing) => Promise<void>) =>
  withConnections(async (connections) => {
    const onForged = (payoutId: string) => {
      throw new CodedError('PAYOUT_FORGED', forgedDetail(payoutId), { faultClass: 'invalid-request' });
    };
    const { executor: ring, operators } = connections.config.keys;
    await use(mongoPayoutStore(await connections.db(), { ring, operators, onForged }), operators);
  });

export function registerPayoutCases(program: Command): void {
  const payouts = program.command('payouts').description('payouts: what a person has to look at');
  const cases = payouts.command('cases').description('cases of payouts: list, show, close');

  withJson(cases.command('list'))
    .description('open cases, the oldest payout first')
    .option('--limit <n>', 'of at most so many payouts', count, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  corridor payouts cases list\n  corridor payouts cases list --limit 500 --json',
    )
    .action(({ limit, json }: { limit: number; json?: boolean }) =>
      withPayouts(async (store) => printRows(openCaseRows(await store.openCases(limit)), COLUMNS, json)),
    );

  cases
    .command('show')
    .argument('<payout>', 'id of the payout, which is that of the transfer')
    .option('--json', 'as always')
    .description('attempts, cases and updates of a payout, as JSON; no parties')
    .addHelpText('after', '\nExample:\n  corridor payouts cases show 0d5c…')
    .action((id: string) =>
      withPayouts(async (store) => {
        const [found] = await store.load([id]);
        if (!found) throw new CodedError('PAYOUT_UNKNOWN', `there is no payout ${id}: its id is that of the transfer`);
        console.log(toJson(shown(found)));
      }),
    );

  withJson(cases.command('close'))
    .argument('<payout>', 'id of the payout')
    .argument('<case>', 'number of the case (cases list, cases show)', count)
    .description('close a case that a person has dealt with; ends a payout that may not go on')
    .requiredOption('--reason <text>', 'what was done about it; kept with the case, so no personal data')
    .option('--by <operator>', 'who closes it', userInfo().username)
    .addHelpText(
      'after',
      `
Closing never starts an attempt. NO_PROOF closes by itself. A CONTRADICTION, ANSWER_DIFFERS or ROLLED_BACK is closed while no
attempt is open; of a payout that is NEW this ends it as FAILED, and the transfer is rejected. So settle first what the
provider has paid.

Example:
  corridor payouts cases close 0d5c… 1 --by amara --reason "the provider took the second payment back, ticket 4711"`,
    )
    .action((id: string, number: number, { by, reason, json }: CloseOptions) =>
      withSealedPayouts(async (store, operators) => {
        const closed = await closeStoredCase(
          store,
          id,
          { number, by: personName(by), reason: justificationText(reason), operators },
          Date.now(),
        );
        const one = closed.cases[number - 1]!;
        const row = { ...rowOf(closed, one, number), closed: dateOf(one.closedAt), by: one.closing?.by };
        printRows([row], ['payout', 'case', 'code', 'phase', 'closed', 'by'], json);
      }),
    );
}

/** The open cases of these payouts, the oldest first. */
export function openCaseRows(payouts: readonly Payout[]) {
  return payouts
    .flatMap((payout) => payout.cases.map((one, index) => ({ payout, one, number: index + 1 })))
    .filter(({ one }) => one.closedAt === null)
    .sort((a, b) => a.one.openedAt - b.one.openedAt)
    .map(({ payout, one, number }) => rowOf(payout, one, number));
}

/** A payout as operators see it: all but the request, which holds the parties. */
export function shown(payout: Payout) {
  const { payoutId, revision, phase, provider, homePartition, pricingAttempt, publishedVersion } = payout;
  return {
    payoutId,
    revision,
    phase,
    provider,
    homePartition,
    pricingAttempt,
    priceExpiresAt: dateOf(payout.priceExpiresAt),
    nextPollAt: dateOf(payout.nextPollAt),
    createdAt: dateOf(payout.createdAt),
    changedAt: dateOf(payout.changedAt),
    attempts: payout.attempts.map((attempt) => ({
      ...attempt,
      startedAt: dateOf(attempt.startedAt),
      leaseUntil: dateOf(attempt.leaseUntil),
      expiresAt: dateOf(attempt.expiresAt),
      unknownSince: dateOf(attempt.unknownSince),
      acceptedAt: dateOf(attempt.acceptedAt),
      end: attempt.end && { ...attempt.end, at: dateOf(attempt.end.at) },
    })),
    cases: payout.cases.map((one, index) => ({
      case: index + 1,
      ...one,
      openedAt: dateOf(one.openedAt),
      closedAt: dateOf(one.closedAt),
    })),
    updates: payout.updates.map((update) => ({ ...update, changedAt: dateOf(update.changedAt) })),
    publishedVersion,
  };
}

const dateOf = (ms: number | null) => (ms === null ? null : new Date(ms));

const rowOf = (payout: Payout, one: PayoutCase, number: number) => ({
  payout: payout.payoutId,
  case: number,
  code: one.code,
  phase: payout.phase,
  attempt: one.attemptKey,
  opened: new Date(one.openedAt),
  detail: one.detail,
});
