// Attempts of payouts: claimed in the log, received by the provider, stored; and what an expired payout carries.

import { isSealedRecord } from '../../domain/seals/record-seal.ts';
import { isBehind, isSameAttempt, STOPPED } from '../../payouts/attempt-ledger.ts';
import { wasRolledBack } from '../../payouts/put-back.ts';
import type { PayoutUpdated } from '../../schemas/types.generated.ts';
import type { ClaimFact, ClaimsOfPayout } from '../attempt-claims.ts';
import { type Check, ofTopic, type Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { StoredPayout } from '../ports.ts';
import type { Severity } from '../report.ts';
import type { Seen, Transfer } from '../transfer.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'attempts';
const CLAIMS = 'payout.attempts';
const REQUESTED = 'payout.requested';

export const attempts: Check = {
  name: NAME,
  proves:
    'Each attempt that the provider received, but for a first one, was claimed in the log; claims are in order, and each payout has all of its own; what expired carries what payout dispatch asked for.',
  record(seen, run) {
    if (seen.topic === CLAIMS) run.claims.add(seen.value, seen.record);
  },
  async batch(batch, run) {
    const expired = ofTopic(batch, 'payout.updated').filter(({ value }) => value.payout.status === 'EXPIRED');
    if (expired.length > 0) await asked(expired, run);
  },
  transfer(transfer, run) {
    const { id } = transfer;
    const claims = run.claims.match(id);
    for (const attempt of run.provider?.receivedOf(id) ?? []) {
      if (attempt === 1 || claims.standing.some((claim) => claim.attempt === attempt)) continue;
      if (!(askedAt(transfer) >= run.claims.knownSince)) continue;
      const detail = `the provider received attempt ${attempt}, and no claim of it stands in the log`;
      run.findings.defer(NAME, { code: 'ATTEMPT_UNCLAIMED', transferId: id, detail }, { subject: id });
    }
    // With a database, the case of the payout says whether somebody knows.
    if (!run.sources.stores) inOrder(id, claims, undefined, run);
  },
  async transfers(batch, run) {
    const { stores } = run.sources;
    if (!stores) return;
    const due = batch.flatMap(({ id }) => {
      const claims = run.claims.match(id);
      const received = run.provider?.receivedOf(id) ?? [];
      const isDue =
        claims.standing.length > 0 ||
        claims.copies.length > 0 ||
        claims.outOfOrder.length > 0 ||
        received.some((attempt) => attempt > 1);
      return isDue ? [{ id, claims, received }] : [];
    });
    if (due.length === 0) return;
    const found = await stores.payouts.find(due.map(({ id }) => id));
    const stored = new Map(found.map((payout) => [payout.payoutId, payout]));
    for (const { id, claims, received } of due) {
      const payout = stored.get(id);
      inOrder(id, claims, payout, run);
      if (payout) inPayout(payout, claims, received, run);
      else if (claims.standing.length > 0) {
        const detail = 'attempts of it are claimed in the log, and there is no payout';
        run.findings.defer(NAME, { code: 'CLAIM_NOT_STORED', transferId: id, detail }, { subject: id });
      }
    }
  },
  end(run) {
    for (const [transferId, offset] of run.claims.orphans()) {
      const known = run.continues ? 'is not open since the checkpoint' : 'is not in the log';
      const position = positionOf(CLAIMS, 0, offset);
      const detail = `an attempt of it is claimed, and the transfer ${known}`;
      run.findings.defer(NAME, { code: 'CLAIM_OF_STRANGER', transferId, position, detail }, { subject: transferId });
    }
  },
};

/** When its payout was first asked for, ms; of one that an earlier run has verified it is not known any more. */
function askedAt({ events }: Transfer): number {
  const asking = events.filter(({ topic, seen }) => topic === REQUESTED && seen > 0).map(({ at }) => at);
  return asking.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...asking);
}

function inOrder(transferId: string, claims: ClaimsOfPayout, payout: StoredPayout | undefined, run: Run): void {
  const say = (code: FindingCode, offset: number, detail: string, severity: Severity) =>
    run.findings.add(NAME, { code, transferId, position: positionOf(CLAIMS, 0, offset), detail, severity });
  for (const { attempt, offset } of claims.outOfOrder) {
    const what = attempt === STOPPED ? 'that it is stopped' : `of attempt ${attempt}`;
    const detail = `a claim ${what} does not stand: it was made from a payout that lacks the claim before it`;
    say('CLAIM_OUT_OF_ORDER', offset, detail, severityOf(payout));
  }
  for (const offset of claims.copies) say('CLAIM_REPEATED', offset, 'a claim is in the log a second time', 'error');
}

/** What was put back is a finding until the executor has stopped it; from then on a person has its case. */
const severityOf = (payout: StoredPayout | undefined): Severity =>
  payout && wasRolledBack(payout) ? 'warning' : 'error';

function inPayout(payout: StoredPayout, claims: ClaimsOfPayout, received: readonly number[], run: Run): void {
  const { payoutId } = payout;
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer(
      NAME,
      { code, transferId: payoutId, detail, severity: severityOf(payout) },
      { subject: payoutId },
    );
  for (const claim of claims.standing) {
    if (!isBehind(payout, { ...claim, at: 0 })) continue;
    const what = claim.attempt === STOPPED ? 'the case that stopped it' : `attempt ${claim.attempt}, which was claimed`;
    say('CLAIM_NOT_STORED', `the payout does not have ${what}: it was put back to an older state`);
  }
  const isNamed = ({ attempt, earlier }: ClaimFact) =>
    earlier.every((one) => one.number < attempt && isStored(payout, one));
  if (!claims.standing.every(isNamed)) {
    say('CLAIM_NOT_STORED', 'a claim names attempts before it that the payout does not have, or has begun again');
  }
  for (const number of received) {
    if (payout.attempts.some((attempt) => attempt.number === number)) continue;
    say('ATTEMPT_NOT_STORED', `the provider received attempt ${number}, and the payout does not have it`);
  }
}

const isStored = ({ attempts: stored }: StoredPayout, one: ClaimFact['earlier'][number]): boolean =>
  stored.some((attempt) => isSameAttempt(attempt, one));

/** Settlement has a transfer priced again on what payout dispatch sealed, and on nothing else. */
async function asked(expired: readonly Seen<'payout.updated'>[], run: Run): Promise<void> {
  const { codec, keys, rings } = run.sources;
  const stages = keys?.stages ?? rings?.stages;
  const values = expired.map(({ value }) => (value.asked ? Buffer.from(value.asked.value) : null));
  const decoded = await codec.decode(REQUESTED, values);
  for (const [index, { value, record }] of expired.entries()) {
    const { transferId } = value.command;
    const said = value.asked;
    const result = decoded[index]!;
    const isTrue =
      said !== null &&
      result.ok &&
      isOfSame(value, result.value.envelope) &&
      (stages === undefined ||
        isSealedRecord(stages, { topic: REQUESTED, key: transferId, ...said, value: values[index]! }));
    if (isTrue) continue;
    const position = positionOf(record.topic, record.partition, record.offset);
    const why = said === null ? 'carries no request' : 'carries a request that payout dispatch has not sealed for it';
    const detail = `payout version ${value.payout.version} is EXPIRED and ${why}`;
    run.findings.add(NAME, { code: 'EXPIRED_NOT_ASKED', transferId, position, detail });
  }
}

const isOfSame = ({ command }: PayoutUpdated, envelope: { transferId: string; attempt: number }): boolean =>
  envelope.transferId === command.transferId && envelope.attempt === command.attempt;
