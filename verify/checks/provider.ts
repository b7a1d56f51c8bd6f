// What was really paid, by the provider's own ledger.

import type { Check, Run } from '../check.ts';
import { needsProvider } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { Paid } from '../provider.ts';
import { lastEvent, type Transfer } from '../transfer.ts';

const NAME = 'provider';

export const provider: Check = {
  name: NAME,
  proves:
    'At most one execution at the provider per transfer: exactly one, of the right amount, if the log says it was paid; none if it was rejected or never asked for.',
  skips: needsProvider,
  transfer(transfer, run) {
    const paid = run.provider?.match(transfer.id);
    const say = (code: FindingCode, detail: string) =>
      run.findings.add(NAME, { code, transferId: transfer.id, detail });
    if (paid?.keyRepeated) say('KEY_SENT_TWICE', 'an idempotency key was received more than once');
    if (paid && paid.executions > 1) say('PAID_TWICE', `the provider paid ${paid.executions} times`);
    const state = lastEvent(transfer)?.state;
    switch (state) {
      case 'COMPLETED':
      case 'RETURNED':
        ended(transfer, paid, state, say);
        break;
      case 'REJECTED':
        if (paid && paid.executions > 0) say('PAID_THOUGH_REJECTED', 'the provider paid what was rejected');
        break;
      default:
        if (paid && paid.executions > 0) inFlight(transfer, run);
    }
  },
  end(run) {
    for (const [transferId, { executions, returns }] of run.provider?.orphans() ?? []) {
      const known = run.continues ? 'is not open since the checkpoint' : 'is not in the log';
      const detail = `the provider paid ${executions} times and returned ${returns} times a transfer that ${known}`;
      run.findings.defer(NAME, { code: 'EXECUTION_OF_STRANGER', transferId, detail }, { subject: transferId });
    }
  },
};

type Say = (code: FindingCode, detail: string) => void;

function ended({ price }: Transfer, paid: Paid | undefined, state: 'COMPLETED' | 'RETURNED', say: Say): void {
  if (paid === undefined || paid.executions === 0) {
    say('PAID_NOT_EXECUTED', `the log says ${state}, and the provider never paid`);
    return;
  }
  if (price === undefined || paid.executions > 1) return;
  const right = paid.executedMinor === price.credit && paid.currency === price.target;
  if (!right) {
    const did = `${paid.executedMinor} ${paid.currency ?? ''}`;
    say('AMOUNT_DIFFERS', `the provider paid ${did}, and the price says ${price.credit} ${price.target} (minor units)`);
  }
  if (state === 'COMPLETED') return;
  if (paid.returns !== 1 || paid.returnedMinor !== price.credit) {
    say(
      'RETURN_DIFFERS',
      `the log says RETURNED; the provider returned ${paid.returns} times, ${paid.returnedMinor} in all`,
    );
  }
}

function inFlight(transfer: Transfer, run: Run): void {
  const state = lastEvent(transfer)?.state;
  const requested =
    state === 'DISPATCHED' ||
    transfer.verifiedThrough > 1 ||
    transfer.events.some(({ topic }) => topic === 'payout.requested');
  if (state === 'DISPATCHED') run.byState.set('executedInFlight', (run.byState.get('executedInFlight') ?? 0) + 1);
  if (requested && state === 'DISPATCHED') return;
  const [code, detail]: [FindingCode, string] = requested
    ? ['PAID_AFTER_REQUOTE', `the provider paid an attempt that was given up (${state})`]
    : ['PAID_WITHOUT_REQUEST', `the provider paid, and the log never asked for it (${state ?? 'no event'})`];
  run.findings.defer(NAME, { code, transferId: transfer.id, detail }, { subject: transfer.id });
}
