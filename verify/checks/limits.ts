// Limits: the ledger in Redis against the one recomputed from the log, and both against the limits themselves.

import { countsUntil } from '../../domain/limits/windows.ts';
import type { Check, Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { Recomputed } from '../limit-counters.ts';
import type { StoredReservation } from '../ports.ts';
import { type LedgerFact, lastEvent, type Transfer } from '../transfer.ts';

const NAME = 'limits';
const DAY_MS = 86_400_000;
/** The ledger forgets what has ended after this long (adapters/redis/limits.ts). */
const KEPT_MS = 45 * DAY_MS;

/** The recomputed counters alone: they need no store. */
export const limitsHeld: Check = {
  name: 'limits-held',
  proves: 'No limit, recomputed from the log, is exceeded, unless a person decided about a transfer that it counts.',
  transfer(transfer, run) {
    const { id, counted, ledger, reservedOver } = transfer;
    if (counted) run.counters.count(counted, false, -1);
    if (ledger) run.counters.count(ledger, isReviewed(transfer), 1);
    if (!isSettled(transfer, run)) run.unsettledTokens.add(transfer.token);
    if (reservedOver > 0 && !isReviewed(transfer)) {
      const detail = `attempt ${reservedOver} was reserved above a limit, and nobody had decided`;
      run.findings.add('limits-held', { code: 'RESERVED_ABOVE_LIMIT', transferId: id, detail });
    }
  },
  end(run) {
    for (const { bucket, usedMinor, limitMinor, reviewed } of run.counters.windows()) {
      if (usedMinor < 0n) add(run, 'COUNTER_NEGATIVE', `${bucket}: ${usedMinor} used`);
      if (usedMinor <= limitMinor || reviewed) continue;
      add(run, 'LIMIT_EXCEEDED', `${bucket}: ${usedMinor} used of ${limitMinor}, and nobody decided about it`);
    }
  },
};

const add = (run: Run, code: FindingCode, detail: string) => run.findings.add('limits-held', { code, detail });

export const limits: Check = {
  name: NAME,
  proves: 'Each reservation and each counter in Redis is what the log says it must be.',
  skips: ({ limits: store }) => (store ? undefined : 'no limits ledger was given'),
  async transfers(batch, run) {
    const store = run.sources.limits!;
    if (!(await store.hydrated())) return;
    const due = batch.filter((transfer) => transfer.ledger !== undefined && isSettled(transfer, run));
    if (due.length === 0) return;
    const stored = new Map((await store.find(due.map(({ id }) => id))).map((found) => [found.transferId, found]));
    for (const transfer of due) compare(transfer, transfer.ledger!, stored.get(transfer.id), run);
  },
  async end(run) {
    const store = run.sources.limits!;
    if (!(await store.hydrated())) {
      const detail = 'the ledger was lost and is not rebuilt yet: nothing of it was compared';
      run.findings.add(NAME, { code: 'LIMITS_NOT_HYDRATED', severity: 'warning', detail });
      return;
    }
    for await (const page of store.counters()) {
      for (const { bucket, usedMinor, open } of page) {
        const right = run.counters.match(bucket);
        if (right ? right.usedMinor === usedMinor && right.open === open : usedMinor === 0n && open === 0) continue;
        const by = right ? `${right.usedMinor} used, ${right.open} open` : 'nothing';
        differs(
          bucket,
          right?.subject ?? subjectIn(bucket),
          `${usedMinor ?? 'no number'} used, ${open} open; by the log ${by}`,
          run,
        );
      }
    }
    for (const counter of run.counters.all(true)) {
      if (counter.usedMinor === 0n && counter.open === 0) continue;
      if (counter.open === 0 && isForgotten(counter)) continue;
      differs(
        counter.bucket,
        counter.subject,
        `absent; by the log ${counter.usedMinor} used, ${counter.open} open`,
        run,
      );
    }
  },
};

function differs(bucket: string, subject: string, detail: string, run: Run): void {
  if (run.unsettledTokens.has(subject)) return;
  run.findings.defer(NAME, { code: 'COUNTER_DIFFERS', detail: `${bucket}: ${detail}` }, { subject });
}

const subjectIn = (bucket: string) => bucket.split(':')[1] ?? '';

/** A window that is long over may be gone. */
const isForgotten = ({ window }: Recomputed) => countsUntil(window) + KEPT_MS - 2 * DAY_MS < Date.now();

const isReviewed = ({ holds }: Transfer) => holds.some(({ stage }) => stage === 'LIMITS');

/** Whether the ledger must be as the log says: what the log says last of it was handled, and nothing new is on its way. */
function isSettled(transfer: Transfer, run: Run): boolean {
  const last = lastEvent(transfer);
  if (last === undefined) return false;
  // Limits may have reserved already, and not committed yet.
  if (last.state === 'PRICED') return false;
  const { ledger, partition } = transfer;
  if (ledger === undefined || ledger.state === 'open') return true;
  return run.cut.isHandled('limits', ledger.topic, partition, ledger.offset);
}

/** A refused reservation ends as released: nothing is counted for either. */
const FITS: Readonly<Record<LedgerFact['state'], readonly StoredReservation['state'][]>> = {
  open: ['open'],
  released: ['released', 'refused'],
  committed: ['committed'],
  returned: ['returned'],
};

function compare(
  { id, partition, token }: Transfer,
  right: LedgerFact,
  stored: StoredReservation | undefined,
  run: Run,
): void {
  const { topic, offset } = right;
  const excuse = { subject: id, source: { owner: 'limits', topic, partition, offset } };
  const say = (code: FindingCode, detail: string) => {
    run.unsettledTokens.delete(token);
    run.findings.defer(NAME, { code, transferId: id, detail }, excuse);
  };
  if (stored === undefined) {
    const forgotten = right.state !== 'open' && right.at + KEPT_MS < Date.now();
    if (!forgotten) say('RESERVATION_MISSING', `the ledger does not know it; by the log it is ${right.state}`);
    return;
  }
  if (!FITS[right.state].includes(stored.state)) {
    say('RESERVATION_DIFFERS', `the ledger says ${stored.state}, the log ${right.state}`);
    return;
  }
  if (right.state === 'released') return;
  const uses = right.uses.map(({ ruleId, place, minor }) => ({ bucket: `${ruleId}:${place}`, minor }));
  if (stored.attempt !== right.attempt || usesOf(stored.uses) !== usesOf(uses)) {
    say('RESERVATION_DIFFERS', `the ledger counts ${usesOf(stored.uses)}, the log ${usesOf(uses)}`);
  }
}

const usesOf = (uses: readonly { readonly bucket: string; readonly minor: bigint }[]) =>
  uses
    .map(({ bucket, minor }) => `${bucket}=${minor}`)
    .sort()
    .join(' ');
