// Claims: what a stage has made sure of before it committed, against what it committed.

import { parseOrigin } from '../../domain/transfers/origin-position.ts';
import { payloadHash } from '../../processors/intake/payload-hash.ts';
import type { SettlementClaim, SettlementEnd } from '../../processors/settlement/ports.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { type Check, needsStores, ofTopic, type Run } from '../check.ts';
import { payloadDigest } from '../content-digests.ts';
import { digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { type EventFact, positionOf, type Transfer } from '../transfer.ts';

const skips = needsStores;

export const intentClaims: Check = {
  name: 'intent-claims',
  proves: 'The claim on each transfer id is that of the input which became the transfer.',
  skips,
  async batch(batch, run) {
    const due = ofTopic(batch, 'transfer.accepted');
    if (due.length === 0) return;
    const stored = await run.sources.stores!.intentClaims.find(due.map(({ value }) => value.envelope.transferId));
    const byId = new Map(stored.map((claim) => [claim.transferId, claim]));
    for (const { value, record } of due) {
      const { envelope, instruction, parties } = value;
      const { transferId } = envelope;
      const claim = byId.get(transferId);
      const position = positionOf('transfer.accepted', record.partition, record.offset);
      // The claim is made before the event is: it can't be behind.
      const say = (code: FindingCode, detail: string) =>
        run.findings.add('intent-claims', { code, transferId, position, detail });
      if (claim === undefined) {
        say('CLAIM_MISSING', 'the transfer was accepted, and nobody claimed its id: it may be accepted again');
        continue;
      }
      const { originPosition, homePartition, acceptedAt, hash } = claim;
      if (!isSameInput(originPosition, instruction.originPosition, run)) {
        say('CLAIM_DIFFERS', `${originPosition} has claimed the id, and ${instruction.originPosition} was accepted`);
      } else if (
        homePartition !== envelope.homePartition ||
        acceptedAt !== envelope.occurredAt ||
        claim.producerId !== instruction.producerId ||
        !isClaimedPayload(hash, { transferId, ...instruction, parties }, instruction.originPosition, run)
      ) {
        say('CLAIM_DIFFERS', 'the claim is of another payload, producer, partition or time');
      }
    }
  },
};

/** The claim is on what the producer said, also where operators have edited it since. */
function isClaimedPayload(claimed: string, made: TransferRequested, position: string, { trail }: Run): boolean {
  if (claimed === payloadHash(made, claimed.slice(0, claimed.indexOf(':')))) return true;
  const { partition, offset } = parseOrigin(position)!;
  const source = { owner: 'intake', topic: 'transfer.requested', partition, offset };
  return trail.isEdited(source, { before: digest(claimed), after: payloadDigest(made) });
}

/** A claim may name the topic of intents by its name, as before, and the event by its id. */
function isSameInput(claimed: string, stated: string, { inputs }: Run): boolean {
  if (claimed === stated) return true;
  const [one, other] = [parseOrigin(claimed), parseOrigin(stated)];
  if (one === undefined || other === undefined) return false;
  if (one.partition !== other.partition || one.offset !== other.offset) return false;
  return one.topicId === inputs.topic || other.topicId === inputs.topic;
}

const END_OF: Readonly<Record<string, SettlementEnd>> = {
  COMPLETED: 'completed',
  RETURNED: 'returned',
  REJECTED: 'rejected',
  REQUOTING: 'requote',
};

export const settlementClaims: Check = {
  name: 'settlement-claims',
  proves: 'Settlement has claimed each transition that it made, and no other.',
  skips,
  async transfers(batch, run) {
    const due = batch.filter(({ updates }) => updates.length > 0);
    if (due.length === 0) return;
    const stored = await run.sources.stores!.settlementClaims.find(due.map(({ id }) => id));
    const byId = new Map(stored.map((claim) => [claim.transferId, claim]));
    for (const transfer of due) settled(transfer, byId.get(transfer.id), run);
  },
};

function settled(
  { id, partition, events, updates, verifiedThrough }: Transfer,
  claim: SettlementClaim | undefined,
  run: Run,
): void {
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer('settlement-claims', { code, transferId: id, detail }, { subject: id });
  const made = events.filter(({ stage, seen }) => stage === 'SETTLEMENT' && seen > 0);
  const steps = claim?.steps ?? [];
  for (const event of made) {
    const step = steps.find(({ sequence }) => sequence === event.sequence);
    if (step === undefined) say('CLAIM_MISSING', `${event.topic} ${event.sequence} was not claimed`);
    else if (!isStep(event, step)) say('CLAIM_DIFFERS', `${event.topic} ${event.sequence} is claimed as ${step.end}`);
  }
  for (const step of steps) {
    if (step.sequence <= verifiedThrough || made.some(({ sequence }) => sequence === step.sequence)) continue;
    // It may be claimed and not committed yet, as long as its update has not been handled.
    const update = updates.find(({ version }) => version === step.version);
    if (update === undefined || !run.cut.isHandled('settlement', 'payout.updated', partition, update.offset)) continue;
    say('CLAIM_WITHOUT_EVENT', `${step.end} ${step.sequence} is claimed, and not in the log`);
  }
}

function isStep(event: EventFact, { commandId, end, attempt, at }: SettlementClaim['steps'][number]): boolean {
  return (
    END_OF[event.state] === end && attempt === event.attempt && at === event.at && digest(commandId) === event.causation
  );
}

export const holdClaims: Check = {
  name: 'hold-claims',
  proves: 'Each hold was resumed by the one decision that has claimed it.',
  skips,
  async transfers(batch, run) {
    const held = batch.filter(({ holds }) => holds.length > 0);
    if (held.length === 0) return;
    const ids = held.flatMap(({ holds }) => holds.map(({ holdId }) => holdId));
    const stored = await run.sources.stores!.holdClaims.find(ids);
    const byId = new Map(stored.map((claim) => [claim.holdId, claim]));
    for (const { id, holds, events } of held) {
      for (const { holdId, sequence } of holds) {
        const resumed = events.find((event) => event.sequence === sequence + 1 && event.seen > 0);
        if (resumed === undefined) continue;
        const claim = byId.get(holdId);
        const say = (code: FindingCode, detail: string) =>
          run.findings.defer('hold-claims', { code, transferId: id, detail }, { subject: id });
        if (claim === undefined) say('CLAIM_MISSING', `hold ${holdId} was resumed, and nobody claimed it`);
        else if (digest(claim.commandId) !== resumed.causation || claim.claimedAt !== resumed.at) {
          say('CLAIM_DIFFERS', `hold ${holdId} is claimed by another decision than the one that resumed it`);
        }
      }
    }
  },
};
