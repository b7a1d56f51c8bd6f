// What is stored and acted upon bears the seal of who may decide it.

import { isAskedFor, isSealedPayout, isTrulyClosed } from '../../payouts/seal.ts';
import type { Check, Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { StoredPayout } from '../ports.ts';

export const payoutSeals: Check = {
  name: 'payout-seals',
  proves:
    'Each payout is as an executor wrote it, on what payout dispatch asked for, and its cases were closed by persons who may.',
  skips: ({ stores, keys }) => {
    if (!stores) return 'no database was given';
    return keys?.executor ? undefined : 'the keys of the executor were not given';
  },
  async transfers(batch, run) {
    const due = batch.filter(({ events }) =>
      events.some(({ topic, seen }) => topic === 'payout.requested' && seen > 0),
    );
    if (due.length === 0) return;
    for (const payout of await run.sources.stores!.payouts.find(due.map(({ id }) => id))) sealed(payout, run);
  },
};

function sealed(payout: StoredPayout, run: Run): void {
  const { payoutId } = payout;
  const { executor, stages, operators } = run.sources.keys!;
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer('payout-seals', { code, transferId: payoutId, detail }, { subject: payoutId });
  if (!holds(() => isSealedPayout(executor!, payout, payout.seal))) {
    say('PAYOUT_NOT_SEALED', 'the payout is not as an executor wrote it');
  }
  if (!holds(() => isAskedFor(stages, payout))) {
    say('PAYOUT_NOT_ASKED_FOR', 'what the payout would send does not bear the seal of payout dispatch');
  }
  if (!holds(() => isTrulyClosed(operators, payout))) {
    say('CLOSING_NOT_SEALED', 'a case of the payout was closed by nobody who may');
  }
}

/** A document that somebody changed may hold anything. */
function holds(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

export const decisionSeals: Check = {
  name: 'decision-seals',
  proves:
    'List versions, what is in force, exceptions, the cases of customers and dead letters that were discarded are as persons with the keys of operators decided them.',
  skips: ({ sealed: documents }) => (documents ? undefined : 'no database was given'),
  async end(run) {
    for await (const page of run.sources.sealed!.all()) {
      for (const { kind, id, flaw } of page) {
        if (flaw) run.findings.add('decision-seals', { code: flaw, detail: `${kind} ${id} is not as it was decided` });
      }
    }
  },
};
