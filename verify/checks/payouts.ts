// The executor's own records against what the log says about them.

import { type BegunAttempt, isSameAttempt } from '../../payouts/attempt-ledger.ts';
import { brokenInvariant } from '../../payouts/invariants.ts';
import type { Payout, PayoutPhase, PayoutUpdate } from '../../payouts/payout.ts';
import { payoutStateOf } from '../../payouts/payout-updated.ts';
import { recordType } from '../../schemas/avro-types.ts';
import type { PayoutStatus } from '../../schemas/types.generated.ts';
import { type Check, needsStores, type Run } from '../check.ts';
import { digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { requestDigest } from '../fold.ts';
import type { Severity } from '../report.ts';
import { type EventFact, positionOf, type Transfer, type UpdateFact } from '../transfer.ts';

const NAME = 'payouts';
const OWNER = 'payout-executor';
const TOPIC = 'payout.requested';

export const payouts: Check = {
  name: NAME,
  proves:
    'There is a payout for each one that was asked for, no other, and what it will send is what was asked for; every change that it counts as published is in the log, as it is, with versions that rise by one.',
  skips: needsStores,
  async transfers(batch, run) {
    const due = batch.filter(
      ({ events, updates }) => updates.length > 0 || events.some(({ topic, seen }) => topic === TOPIC && seen > 0),
    );
    if (due.length === 0) return;
    const stored = new Map(
      (await run.sources.stores!.payouts.find(due.map(({ id }) => id))).map((payout) => [payout.payoutId, payout]),
    );
    for (const transfer of due) {
      compare(transfer, stored.get(transfer.id), run);
      versions(transfer, run);
    }
    await requests(due, stored, run);
  },
};

/** What a payout holds of its payout.requested is what a second attempt would send: nobody may change it there. */
async function requests(due: readonly Transfer[], stored: ReadonlyMap<string, Payout>, run: Run): Promise<void> {
  const held = due.flatMap(({ id }) => stored.get(id) ?? []);
  const bytes = held.map(({ requested }) => Buffer.from(requested));
  const decoded = await run.sources.codec.decode(TOPIC, bytes);
  const eventsOf = new Map(due.map(({ id, events }) => [id, events]));
  for (const [index, { payoutId, pricingAttempt, priceExpiresAt }] of held.entries()) {
    const say = (code: FindingCode, detail: string, severity: Severity = 'error') =>
      run.findings.defer(NAME, { code, transferId: payoutId, detail, severity }, { subject: payoutId });
    const result = decoded[index]!;
    if (!result.ok) {
      // An executor of a later release writes what this one cannot read yet.
      const severity = result.kind === 'newer-schema' ? 'warning' : 'error';
      say('REQUEST_UNREADABLE', `what it holds of payout.requested does not decode: ${result.code}`, severity);
      continue;
    }
    const { price, envelope } = result.value;
    if (price.expiresAt !== priceExpiresAt || envelope.attempt !== pricingAttempt) {
      say(
        'REQUEST_DIFFERS',
        'its pricing attempt or the end of its price is not that of the payout.requested it holds',
      );
    }
    const asked = eventsOf
      .get(payoutId)!
      .find(({ topic, attempt, seen }) => topic === TOPIC && seen > 0 && attempt === envelope.attempt);
    // (Nothing to compare with: asked for after the cut, or verified before the checkpoint.)
    if (!asked?.request || asked.stale || asked.request === requestDigest(result.value)) continue;
    say('REQUEST_DIFFERS', `what it would send for pricing attempt ${envelope.attempt} is not what was asked for`);
  }
}

function compare(transfer: Transfer, payout: Payout | undefined, run: Run): void {
  const { id, partition, events, updates } = transfer;
  const requested = events.findLast(({ topic, seen }) => topic === TOPIC && seen > 0);
  if (payout === undefined) {
    if (requested === undefined || !run.cut.isHandled(OWNER, TOPIC, partition, requested.offset)) return;
    const source = { owner: OWNER, topic: TOPIC, partition, offset: requested.offset };
    if (run.trail.isDeadLettered(source)) return;
    const detail = 'the executor has handled payout.requested, and there is no payout';
    run.findings.defer(NAME, { code: 'PAYOUT_MISSING', transferId: id, detail }, { subject: id, source });
    return;
  }
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer(NAME, { code, transferId: id, detail }, { subject: id });
  if (payout.homePartition !== partition)
    say('PAYOUT_DIFFERS', `its home partition is ${payout.homePartition}, not ${partition}`);
  attempts(transfer, requested, payout, run, say);
  for (const update of payout.updates) {
    const logged = updates.find(({ version }) => version === update.version);
    if (logged === undefined) {
      const published = update.version <= payout.publishedVersion;
      if (published && update.version > floorOf(transfer)) {
        say(
          'UPDATE_NOT_IN_LOG',
          `version ${update.version} (${update.status}) counts as published, and the log does not have it`,
        );
      }
      continue;
    }
    if (!isAsLogged(logged, payout, update))
      say('UPDATE_DIFFERS', `version ${update.version} is ${update.status} by the payout, ${logged.status} by the log`);
  }
  for (const { version } of updates) {
    if (payout.updates.some((update) => update.version === version)) continue;
    say('UPDATE_UNKNOWN', `the log has version ${version}, which the payout has not`);
  }
  phase(transfer, payout, say);
  const flaw = brokenInvariant(payout);
  if (flaw) say('PAYOUT_FLAWED', flaw);
}

/** The log states the change as the payout has it, word for word. */
function isAsLogged(logged: UpdateFact, payout: Payout, update: PayoutUpdate): boolean {
  const state = payoutStateOf(payout, update);
  const type = recordType('PayoutState');
  // A document that somebody changed may hold anything.
  if (logged.attempt !== update.pricingAttempt || !type.isValid(state)) return false;
  return logged.payout === 0 || logged.payout === digest(type.toBuffer(state));
}

/** Updates of before the checkpoint are not read again. */
const floorOf = ({ verifiedThrough, updates }: Transfer) =>
  verifiedThrough === 0 ? 0 : Math.max(0, Math.min(...updates.map(({ version }) => version)) - 1);

type Say = (code: FindingCode, detail: string) => void;

function attempts({ partition }: Transfer, requested: EventFact | undefined, payout: Payout, run: Run, say: Say): void {
  const paid = payout.attempts.filter(({ end }) => end?.how === 'paid').length;
  if (paid > 1) say('PAYOUT_PAID_TWICE', `${paid} of its attempts were paid`);
  if (requested === undefined) return;
  unclaimed(payout, requested, run, say);
  const handled = run.cut.isHandled(OWNER, TOPIC, partition, requested.offset);
  if (handled && payout.pricingAttempt < requested.attempt) {
    say('PAYOUT_BEHIND', `pricing attempt ${requested.attempt} was handled, and it is at ${payout.pricingAttempt}`);
  }
}

/** A first attempt that is stored with its payout is not claimed; it begins within so long of it, ms. */
const BORN_WITH_IT_MS = 60_000;

/**
 * Attempts that were, or may have been, sent, and that no claim in the log is of: the executor claims each but the first of a
 * payout that is stored together with it.
 */
function unclaimed(payout: Payout, { at }: EventFact, run: Run, say: Say): void {
  const { payoutId, createdAt, phase, attempts: stored } = payout;
  if (!(at >= run.claims.knownSince)) return;
  const { standing } = run.claims.match(payoutId);
  for (const attempt of stored) {
    const { number, startedAt, end } = attempt;
    if (end?.how === 'not-sent' || (end === null && phase === 'SUBMITTING')) continue;
    if (number === 1 && startedAt - createdAt < BORN_WITH_IT_MS) continue;
    const isIt = (one: BegunAttempt) => isSameAttempt(one, attempt);
    const isClaimed = standing.some((claim) => isIt({ ...claim, number: claim.attempt }) || claim.earlier.some(isIt));
    if (!isClaimed) say('ATTEMPT_UNCLAIMED', `the payout has attempt ${number}, and no claim of it stands in the log`);
  }
}

/** Phases that a payout may be in once its last published status is this. */
const AFTER: Readonly<Partial<Record<PayoutStatus, readonly PayoutPhase[]>>> = {
  PAID: ['PAID', 'RETURNED'],
  RETURNED: ['RETURNED'],
  FAILED: ['FAILED'],
};

function phase({ updates }: Transfer, { phase: at }: Payout, say: Say): void {
  const last = updates.reduce<Transfer['updates'][number] | undefined>(
    (a, b) => (a && a.version > b.version ? a : b),
    undefined,
  );
  const possible = last && AFTER[last.status];
  if (possible && !possible.includes(at)) say('PAYOUT_DIFFERS', `the log says ${last.status}, and the payout is ${at}`);
}

function versions(transfer: Transfer, run: Run): void {
  const { id, partition, updates } = transfer;
  const sorted = updates.toSorted((a, b) => a.version - b.version);
  const first = sorted[0]?.version ?? 1;
  sorted.forEach(({ version, offset, conflict }, index) => {
    const finding = { transferId: id, position: positionOf('payout.updated', partition, offset) };
    if (conflict) {
      const detail = `payout version ${version} is in the log with several contents`;
      run.findings.add(NAME, { ...finding, code: 'UPDATE_CONFLICT', detail });
    }
    const due = (transfer.verifiedThrough > 0 ? first : 1) + index;
    if (version === due) return;
    const detail = `payout version ${version} where ${due} is due`;
    run.findings.defer(NAME, { ...finding, code: 'UPDATE_GAP', detail }, { subject: id });
  });
}
