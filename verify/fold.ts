// Folds the records of one chain partition into one fact sheet per transfer. Pure; the order of the records is of no
// consequence, so that topics can be read side by side.

import { isCounted } from '../domain/limits/windows.ts';
import { HOLD_EXPIRY } from '../domain/people/identities.ts';
import { holdIdOf } from '../domain/transfers/event-id.ts';
import { STATE_OF_TOPIC, type StageName } from '../domain/transfers/transfer-states.ts';
import type { LogRecord } from '../ports/log.ts';
import { contentHashOf } from '../processors/hold-content.ts';
import { type HoldKeys, isReviewSealed, isSealedAsHeld } from '../processors/holds.ts';
import { type ChainEvent, lifecycleOf } from '../processors/lifecycle.ts';
import { exceeds } from '../processors/limits/explain.ts';
import type { Settle } from '../processors/limits/ports.ts';
import { LEDGER_TOPICS, type LedgerTopic, settlementOf } from '../processors/limits/rebuild.ts';
import { positionOf, TOPIC_OF_CHANGE } from '../processors/positions.ts';
import { recordType } from '../schemas/avro-types.ts';
import type {
  Envelope,
  FxPosition,
  LimitsApproval,
  PayoutRequested,
  PayoutUpdated,
  Price,
  Reservation,
  ReviewDecided,
  ScreeningEvidence,
  Stage,
  TransferHeld,
  TransferLifecycle,
} from '../schemas/types.generated.ts';
import { overallOutcome } from '../screening/evidence.ts';
import { versionOf } from '../sinks/transfer-view/to-write.ts';
import { partiesDigest } from './content-digests.ts';
import { digest } from './digest.ts';
import { EventPool } from './event-pool.ts';
import { beforeDigest, lifecycleDigest, lifecycleDigests } from './lifecycle-text.ts';
import { NO_LIMIT } from './limit-counters.ts';
import type { VerifySources } from './ports.ts';
import { type AnySeen, type EventFact, openTransfer, type Transfer, type UseFact } from './transfer.ts';

/** The chain stage that writes a topic; absent where two may. */
const STAGE_OF_TOPIC: Readonly<Record<string, StageName>> = {
  'transfer.accepted': 'INTAKE',
  'transfer.screened': 'SCREENING',
  'transfer.priced': 'FX_PRICING',
  'transfer.reserved': 'LIMITS',
  'payout.requested': 'PAYOUT_DISPATCH',
  'transfer.completed': 'SETTLEMENT',
  'transfer.returned': 'SETTLEMENT',
};
const TOPIC_OF_STATE = Object.fromEntries(Object.entries(STATE_OF_TOPIC).map(([topic, state]) => [state, topic]));
const LEDGER: ReadonlySet<string> = new Set(LEDGER_TOPICS);

/** A value of any chain topic. */
type Carried = ChainEvent & {
  readonly parties: Readonly<Record<string, unknown>>;
  readonly reservation?: Reservation | null;
  /** Of a price: what was approved for an earlier one. */
  readonly limitsApproval?: LimitsApproval | null;
  readonly stage?: Stage;
};

export class TransferFold {
  readonly transfers = new Map<string, Transfer>();
  readonly #partition: number;
  readonly #keys: HoldKeys | undefined;
  readonly #freed: ReadonlySet<string>;
  readonly #pool = new EventPool();
  readonly #ruleIds = new Map<string, string>();

  /** @param restored transfers that an earlier run left open, of this partition. */
  constructor(
    partition: number,
    { limitRules, keys }: Pick<VerifySources, 'limitRules' | 'keys'>,
    restored: readonly Transfer[] = [],
  ) {
    this.#partition = partition;
    this.#keys = keys;
    this.#freed = new Set(limitRules.filter((rule) => rule.freedByReturn).map((rule) => rule.ruleId));
    for (const transfer of restored) this.transfers.set(transfer.id, transfer);
  }

  add(seen: AnySeen): void {
    switch (seen.topic) {
      case 'transfer.lifecycle':
        this.#lifecycle(seen.value, seen.record);
        break;
      case 'fx.position':
        this.#position(seen.value);
        break;
      case 'payout.updated':
        this.#update(seen.value, seen.record, seen.bytes);
        break;
      case 'review.decided':
        this.#review(seen.value, seen.record, seen.bytes);
        break;
      default:
        if (seen.topic in STATE_OF_TOPIC) this.#event(seen.topic, seen.value as Carried, seen.record, seen.bytes);
    }
  }

  /** To be called once when all records are in. */
  finish(): void {
    for (const transfer of this.transfers.values()) {
      const events = transfer.events.toSorted((a, b) => a.sequence - b.sequence || b.seen - a.seen);
      transfer.events = events;
      events.forEach((event, index) => {
        event.stage ??= events[index - 1]?.state === 'DISPATCHED' ? 'SETTLEMENT' : 'PAYOUT_DISPATCH';
      });
    }
  }

  #transfer(id: string): Transfer {
    const known = this.transfers.get(id);
    if (known !== undefined) return known;
    const transfer = openTransfer(id, this.#partition);
    this.transfers.set(id, transfer);
    return transfer;
  }

  #eventOf(
    transfer: Transfer,
    topic: string,
    { sequence, attempt }: Pick<Envelope, 'sequence' | 'attempt'>,
  ): EventFact {
    for (const event of transfer.events) {
      if (event.sequence === sequence && event.topic === topic && event.attempt === attempt) return event;
    }
    const event = this.#pool.open(topic, STATE_OF_TOPIC[topic] ?? 'ACCEPTED', sequence, attempt);
    transfer.events = [...transfer.events, event];
    return event;
  }

  #event(topic: string, value: Carried, record: LogRecord, content: number): void {
    const { envelope } = value;
    const transfer = this.#transfer(envelope.transferId);
    const event = this.#eventOf(transfer, topic, envelope);
    event.seen++;
    if (event.seen > 1) {
      event.conflict ||= content !== event.content;
      return;
    }
    event.offset = record.offset;
    event.at = envelope.occurredAt;
    event.content = content;
    event.id = digest(envelope.eventId);
    event.causation = digest(envelope.causationId);
    carry(event, value);
    if (topic === 'payout.requested') event.request = requestDigest(value as unknown as PayoutRequested);
    const stage = STAGE_OF_TOPIC[topic] ?? value.stage ?? (value as Partial<TransferHeld>).hold?.stage;
    if (stage === 'SCREENING' && value.screening) {
      const found = { ...value.screening, outcome: 'CLEAR', review: null, rechecks: [] };
      event.evidence = digest(recordType('ScreeningEvidence').toBuffer(found));
    }
    if (value.screening && (stage === undefined || LOOKING.has(stage))) event.looks = looksOf(value.screening);
    if (stage === undefined) {
      event.lifecycleBySettlement = lifecycleDigests(lifecycleOf(topic, value, 'SETTLEMENT')!).first;
    } else {
      event.stage = stage as StageName;
    }
    const lifecycle = lifecycleOf(topic, value, stage ?? 'PAYOUT_DISPATCH')!;
    const { first, second, secondOfTwo, secondOfThree, secondOfFour } = lifecycleDigests(lifecycle);
    event.lifecycle = first;
    event.lifecycleSecond = second;
    const position = positionOf(topic, value);
    if (position) event.position = positionDigest(position);
    event.lifecycleSecondOfTwo = secondOfTwo;
    event.lifecycleSecondOfThree = secondOfThree;
    event.lifecycleSecondOfFour = secondOfFour;
    transfer.token = value.instruction.debtorToken;
    const price = value.price ?? null;
    if (price !== null) keepPrice(transfer, envelope.sequence, price);
    if (topic === 'transfer.held') keepHold(transfer, value as unknown as TransferHeld);
    if (topic === 'transfer.reserved' && value.reservation?.uses.some(exceeds)) {
      transfer.reservedOver = envelope.attempt;
    }
    if (LEDGER.has(topic)) this.#ledger(transfer, topic as LedgerTopic, value, record);
  }

  #ledger(transfer: Transfer, topic: LedgerTopic, value: Carried, { offset }: LogRecord): void {
    const { sequence, occurredAt } = value.envelope;
    if (transfer.ledger !== undefined && transfer.ledger.sequence >= sequence) return;
    const settlement = settlementOf(topic, value as never, this.#freed);
    if (settlement === undefined) return;
    const uses = this.#uses(settlement.uses);
    const { attempt, state } = settlement;
    transfer.ledger = { sequence, attempt, state, uses, topic, offset, at: occurredAt };
  }

  /** Rules and windows are few, and a customer's uses of one window are of one place: each text is kept once. */
  #uses(uses: Settle['uses']): readonly UseFact[] {
    let place = '';
    return uses
      .filter(({ window }) => isCounted(window))
      .map((use) => {
        const { ruleId, subjectToken, window, reservedMinor, limitMinor, declaredMinor, freedByReturn, member } = use;
        const here = [subjectToken, window].join(':');
        if (here !== place) place = here;
        const rule = this.#ruleIds.get(ruleId) ?? ruleId;
        this.#ruleIds.set(rule, rule);
        // What is declared may differ from transfer to transfer: the limit of a counter is the highest that was asked for.
        const limit = use.action === 'SHADOW' ? NO_LIMIT : limitMinor - (declaredMinor ?? 0n);
        const fact = { ruleId: rule, place, minor: reservedMinor, limit, freedByReturn };
        return member === null ? fact : { ...fact, member };
      });
  }

  #lifecycle(value: TransferLifecycle, { offset }: LogRecord): void {
    const transfer = this.#transfer(value.transferId);
    const version = versionOf(value);
    if (transfer.view === undefined || version > transfer.view.version) {
      transfer.view = { version, digest: lifecycleDigest(value), eventId: value.eventId, offset };
    }
    const { sequence, attempt, stage } = value;
    if (value.state === 'DEAD_LETTERED') {
      const mark = { eventId: value.eventId, stage, sequence, code: value.reasonCodes[0] ?? '' };
      if (transfer.marks.every(({ eventId }) => eventId !== mark.eventId)) transfer.marks = [...transfer.marks, mark];
      return;
    }
    const topic = TOPIC_OF_STATE[value.state] ?? value.state;
    const event = this.#eventOf(transfer, topic, { sequence, attempt });
    event.lifecycleRecords++;
    const { first, second } = lifecycleDigests(value);
    const before = beforeDigest(value);
    if (event.lifecycleRecords === 1) {
      event.lifecycleRecordDigest = first;
      event.lifecycleRecordSecond = second;
      event.lifecycleRecordBefore = before;
      return;
    }
    event.lifecycleRecordsDiffer ||=
      event.lifecycleRecordDigest !== first ||
      event.lifecycleRecordSecond !== second ||
      event.lifecycleRecordBefore !== before;
  }

  #position(value: FxPosition): void {
    const { transferId, sequence, attempt, change } = value;
    const topic = change === 'UNKNOWN' ? 'fx.position' : TOPIC_OF_CHANGE[change];
    const event = this.#eventOf(this.#transfer(transferId), topic, { sequence, attempt });
    const stated = positionDigest(value);
    event.positionRecords = (event.positionRecords ?? 0) + 1;
    if (event.positionRecords === 1) event.positionRecordDigest = stated;
    else event.positionRecordsDiffer ||= event.positionRecordDigest !== stated;
  }

  #update({ command, payout }: PayoutUpdated, record: LogRecord, content: number): void {
    const transfer = this.#transfer(command.transferId);
    const known = transfer.updates.find(({ version }) => version === payout.version);
    if (known) {
      known.seen++;
      known.conflict ||= known.content !== content;
      return;
    }
    const { version, status, attemptKey, changedAt } = payout;
    const { commandId, attempt } = command;
    const { offset } = record;
    const update = {
      version,
      status,
      attempt,
      attemptKey,
      commandId,
      changedAt,
      payout: digest(recordType('PayoutState').toBuffer(payout)),
      content,
      offset,
      seen: 1,
      conflict: false,
    };
    transfer.updates = [...transfer.updates, update];
  }

  #review(value: ReviewDecided, record: LogRecord, content: number): void {
    const { command, holdId, decision, evidenceHash, held } = value;
    const transfer = this.#transfer(command.transferId);
    const known = transfer.reviews.find((review) => review.commandId === command.commandId);
    if (known) {
      known.seen++;
      known.conflict ||= known.content !== content;
      return;
    }
    const { hold, envelope } = held;
    const sameHold = holdId === hold.holdId && holdId === holdIdOf(envelope.transferId, envelope.sequence);
    const sameTransfer = envelope.transferId === command.transferId;
    const review = {
      holdId,
      commandId: command.commandId,
      decision,
      stage: hold.stage,
      valid: sameHold && sameTransfer && evidenceHash === hold.evidenceHash && isProven(value, this.#keys),
      content,
      offset: record.offset,
      seen: 1,
      conflict: false,
    };
    transfer.reviews = [...transfer.reviews, review];
  }
}

/** What a stage would see in it: the content that was sealed, and a decision of somebody who may decide. */
function isProven(value: ReviewDecided, keys: HoldKeys | undefined): boolean {
  const { held, command, decision } = value;
  if (contentHashOf(held) !== held.hold.evidenceHash) return false;
  if (keys === undefined) return true;
  if (!isSealedAsHeld(keys.stages, held)) return false;
  return command.issuedBy === HOLD_EXPIRY ? decision === 'REJECT' : isReviewSealed(keys.operators, value);
}

/** Of what a payout is asked for with, whichever schema its bytes were written with. */
export const requestDigest = (value: PayoutRequested): number => digest(recordType('PayoutRequested').toBuffer(value));

const positionDigest = (value: FxPosition): number => digest(recordType('FxPosition').toBuffer(value));

/** Stages that look at the lists. */
const LOOKING: ReadonlySet<string> = new Set<StageName>(['SCREENING', 'PAYOUT_DISPATCH']);

function looksOf(screening: ScreeningEvidence): readonly number[] {
  // What all looks come to follows from them: an outcome that does not makes this another look.
  const outcome = overallOutcome(screening) === screening.outcome ? 'CLEAR' : 'UNKNOWN';
  const first = recordType('ScreeningEvidence').toBuffer({ ...screening, outcome, rechecks: [] });
  const later = screening.rechecks.map((look) => recordType('ScreeningRecheck').toBuffer({ ...look, review: null }));
  return [first, ...later].map((bytes) => digest(bytes));
}

function carry(event: EventFact, value: Carried): void {
  const { instruction, parties, screening, price, reservation, payout } = value;
  event.instruction = digest(recordType('Instruction').toBuffer(instruction));
  event.parties = partiesDigest(parties);
  if (screening) event.screening = digest(recordType('ScreeningEvidence').toBuffer(screening));
  if (payout) event.payout = digest(recordType('PayoutState').toBuffer(payout));
  if (price) event.price = digest(recordType('Price').toBuffer(price));
  if (reservation) {
    event.reservation = digest(recordType('Reservation').toBuffer({ ...reservation, approval: null }));
  }
  const approval = reservation?.approval ?? value.limitsApproval;
  if (!approval) return;
  event.approval = digest(recordType('LimitsApproval').toBuffer(approval));
  event.approvedHold = digest(approval.review.holdId);
  const { debit } = approval;
  event.approvesDebit = debit.minor === price?.debit.minor && debit.currency === price.debit.currency;
}

function keepPrice(transfer: Transfer, sequence: number, price: Price): void {
  if (transfer.price !== undefined && transfer.price.sequence >= sequence) return;
  let [fees, taxes] = [0n, 0n];
  for (const fee of price.fees) fees += fee.amount.minor;
  for (const tax of price.taxes) taxes += tax.amount.minor;
  transfer.price = {
    sequence,
    source: price.debit.currency,
    target: price.credit.currency,
    debit: price.debit.minor,
    principal: price.principal.minor,
    ...{ fees, taxes },
    credit: price.credit.minor,
  };
}

function keepHold(transfer: Transfer, { envelope, hold }: TransferHeld): void {
  const { holdId, stage, evidenceHash } = hold;
  const { sequence, attempt } = envelope;
  transfer.holds = [...transfer.holds, { holdId, sequence, stage, attempt, evidenceHash }];
}
