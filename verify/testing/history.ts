// A history of transfers as the pipeline would write it: the log, the stores and the provider's ledger, all in agreement.

import { LIMIT_RULES } from '../../domain/limits/limit-rules.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import { intentDuplicationId, intentRejectionId } from '../../domain/transfers/event-id.ts';
import type { PayoutPhase } from '../../payouts/payout.ts';
import { commandIdOf } from '../../payouts/payout-updated.ts';
import { sealPayout } from '../../payouts/seal.ts';
import { heldOf } from '../../processors/holds.ts';
import { payloadHash } from '../../processors/intake/payload-hash.ts';
import { deadLetterMark } from '../../processors/lifecycle.ts';
import type {
  Hold,
  PayoutRequested,
  PayoutStatus,
  PayoutUpdated,
  Stage,
  TransferHeld,
  TransferLifecycle,
  TransferRequested,
} from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  payoutUpdated,
  reviewDecided,
  transferAccepted,
  transferHeld,
  transferHeldByLimits,
  transferPriced,
  transferRequested,
  transferReserved,
  transferScreened,
  type Wishes,
} from '../../test/kit/builders.ts';
import { HOLDING, KEYS } from '../../test/kit/keys.ts';
import { markId } from '../../topics/dead-letter-id.ts';
import { HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import type { KnownTerms, ProviderRecord, VerifySources } from '../ports.ts';
import type { Event } from './entry.ts';
import { fillLimits, fillStores } from './fill-stores.ts';
import type { FixedLog } from './fixed-log.ts';
import { HistoryLog, PARTITIONS, STAGE_OF } from './history-log.ts';
import { MemoryLimits, memoryStores } from './memory-stores.ts';
import { payoutOf } from './paid-payout.ts';

const INPUTS = 'transfer.requested';

/** How a story may end. */
export const ENDINGS = [
  'completed',
  'returned',
  'failed',
  'requoted',
  'held',
  'approved',
  'declined',
  'over-limit',
  'reviewed-limit',
  'reviewed-returned',
  'with-provider',
  'dead-lettered',
  'intent-rejected',
  'duplicated',
  'undecodable',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** Those by which the prices of a history are made. */
export const KNOWN_TERMS: KnownTerms = {
  named: (set) => BUILT_IN_PRICES.all().find(({ content }) => content.name === set)?.content,
  corridors: BOOK,
};

export class History extends HistoryLog {
  readonly stores = memoryStores();
  readonly limits = new MemoryLimits();
  readonly provider: ProviderRecord[] = [];
  readonly #inputTopicId: string;
  #stories = 0;

  /** `dense`: offsets without gaps, as a producer without transactions leaves them. By default positions go by names. */
  constructor(options: { readonly dense?: boolean; readonly inputTopicId?: string } = {}) {
    super(options);
    this.#inputTopicId = options.inputTopicId ?? INPUTS;
  }

  /** One more transfer, from its intent to its end. @returns its id */
  tell(ending: Ending, wishes: Wishes = {}): string {
    const number = this.#stories++;
    const transferId = `transfer-${String(number).padStart(6, '0')}`;
    const home = homePartition(transferId, PARTITIONS);
    const customerId = `customer-${number}`;
    const of: Wishes = { debtor: { customerId }, ...wishes, transferId, homePartition: home };
    if (ending === 'undecodable') {
      this.#undecodable(transferId);
      return transferId;
    }
    const intent = transferRequested(of);
    const originPosition = this.#intent(intent);
    if (ending === 'intent-rejected') this.#rejectedIntent(transferId, originPosition);
    else this.#story(ending, intent, { ...of, originPosition });
    return transferId;
  }

  /** The log as it stands, everything handled, and what the stores hold of it. Call it once, after the last story. */
  sources(): VerifySources & { readonly fixed: FixedLog } {
    const fixed = this.log();
    return {
      fixed,
      log: fixed.asLog(),
      codec: this.codec,
      app: fixed.app,
      stores: this.stores,
      limits: this.limits,
      limitRules: LIMIT_RULES,
      terms: KNOWN_TERMS,
      keys: { stages: KEYS.stages, operators: KEYS.operators },
      provider: { read: (after) => readFrom(this.provider, after) },
    };
  }

  /** Fills the stores from the log, as the sinks and stages do. */
  fillStores(): this {
    fillStores(this.entries, this.stores);
    fillLimits(this.entries, this.limits);
    return this;
  }

  #intent(intent: TransferRequested): string {
    const partition = homePartition(intent.transferId, PARTITIONS);
    const { offset } = this.append(INPUTS, partition, { key: intent.transferId, value: intent });
    return `${this.#inputTopicId}:${partition}:${offset}`;
  }

  #rejectedIntent(transferId: string, originPosition: string): void {
    const reasons = [{ code: 'AM12', detail: 'the amount is negative' }];
    const eventId = intentRejectionId(originPosition);
    const value = { eventId, transferId, originPosition, occurredAt: AT, reasons, firstOriginPosition: null };
    this.append('intent.rejected', homePartition(transferId, PARTITIONS), {
      key: transferId,
      value,
      headers: { [HEADER.eventId]: eventId, [HEADER.originPosition]: originPosition },
    });
  }

  #undecodable(transferId: string): void {
    const partition = homePartition(transferId, PARTITIONS);
    const bytes = Buffer.from('these are no Avro bytes');
    const input = this.append(INPUTS, partition, { key: transferId, bytes });
    this.deadLetter('intake', input, 'NOT_AVRO');
  }

  #story(ending: Ending, intent: TransferRequested, of: Wishes): void {
    const accepted = caused(transferAccepted(of), of.originPosition!);
    this.event('transfer.accepted', accepted);
    const { transferId, homePartition: home } = accepted.envelope;
    this.stores.intentClaims.put({
      transferId,
      hash: payloadHash(intent)!,
      originPosition: of.originPosition!,
      homePartition: home,
      acceptedAt: accepted.envelope.occurredAt,
      producerId: accepted.instruction.producerId,
    });
    if (ending === 'duplicated') this.#duplicate(intent, of.originPosition!);
    const screened = this.#screening(ending, accepted, of);
    if (screened === undefined) return;
    const { price } = transferPriced(of);
    const priced = this.#next('transfer.priced', screened, { price });
    const reserved = this.#limits(ending, priced, of);
    if (reserved === undefined) return;
    if (ending === 'requoted') this.#requoted(reserved);
    else this.#payout(ending, this.#next('payout.requested', reserved, {}));
  }

  #duplicate(intent: TransferRequested, firstOriginPosition: string): void {
    const originPosition = this.#intent(intent);
    const { transferId } = intent;
    const eventId = intentDuplicationId(originPosition);
    const value = { eventId, transferId, originPosition, firstOriginPosition, occurredAt: AT };
    const headers = { [HEADER.eventId]: eventId, [HEADER.originPosition]: originPosition };
    this.append('intent.duplicated', homePartition(transferId, PARTITIONS), { key: transferId, value, headers });
  }

  /** The screened event, or undefined where the story ends. */
  #screening(ending: Ending, accepted: Event, of: Wishes): Event {
    if (ending === 'dead-lettered') {
      this.#deadLettered(accepted);
      return undefined;
    }
    if (ending !== 'held' && ending !== 'approved' && ending !== 'declined') {
      return this.#next('transfer.screened', accepted, { screening: transferScreened(of).screening });
    }
    const { screening, price, reservation, hold } = transferHeld(of);
    const held = this.#next('transfer.held', accepted, { screening, price, reservation, hold }, 'SCREENING');
    if (ending === 'held') return undefined;
    const review = this.#review(held, ending === 'approved' ? 'APPROVE' : 'REJECT');
    const commandId = review.command.commandId;
    const decided = { ...screening, ...(ending === 'approved' ? { outcome: 'APPROVED' } : {}) };
    const { hold: _, price: __, reservation: ___, ...resumed } = held;
    if (ending === 'approved')
      return this.#next('transfer.screened', resumed, { screening: decided }, 'SCREENING', commandId);
    const ended = {
      screening: decided,
      price: null,
      reservation: null,
      payout: null,
      stage: 'SCREENING',
      reasons: [{ code: 'RR04', detail: 'no' }],
    };
    this.#next('transfer.rejected', resumed, ended, 'SCREENING', commandId);
    return undefined;
  }

  #review(held: TransferHeld, decision: 'APPROVE' | 'REJECT'): Event {
    const review = reviewDecided(held, { decision });
    this.command('review.decided', review);
    const { holdId } = held.hold;
    const { commandId, transferId } = review.command;
    this.stores.holdClaims.put({ holdId, commandId, transferId, claimedAt: AT } as never);
    return review;
  }

  #deadLettered(accepted: Event): void {
    const input = this.entries.findLast(({ topic }) => topic === 'transfer.accepted')!;
    const letter = this.deadLetter('screening', input, 'PARTIES_SEALED');
    const mark = {
      eventId: markId(letter.headers[RECOVERY_HEADER.deadLetterId]!),
      occurredAt: AT,
      stage: 'SCREENING' as const,
      code: 'PARTIES_SEALED' as const,
    };
    const value: TransferLifecycle = deadLetterMark('transfer.accepted', accepted, mark)!;
    const { transferId, homePartition: partition } = accepted.envelope;
    this.append('transfer.lifecycle', partition, {
      key: transferId,
      value,
      headers: { [HEADER.eventId]: mark.eventId },
    });
  }

  #limits(ending: Ending, priced: Event, of: Wishes): Event {
    const rejection = {
      reservation: null,
      payout: null,
      stage: 'LIMITS',
      reasons: [{ code: 'AM14', detail: 'too much' }],
    };
    if (ending === 'over-limit') {
      this.#next('transfer.rejected', priced, rejection, 'LIMITS');
      return undefined;
    }
    const isReviewed = ending === 'reviewed-limit' || ending === 'reviewed-returned';
    const { reservation } = isReviewed ? transferHeldByLimits(of) : transferReserved(of);
    if (!isReviewed) return this.#next('transfer.reserved', priced, { reservation });
    const { hold } = transferHeldByLimits(of);
    const held = this.#next('transfer.held', priced, { reservation, hold }, 'LIMITS');
    const review = this.#review(held, 'APPROVE');
    const { hold: _, ...resumed } = held;
    const { holdId, decision, evidenceHash, justification, command } = review;
    const { issuedBy: decidedBy, issuedAt: decidedAt, commandId } = command;
    const approval = {
      review: { holdId, decision, decidedBy, decidedAt, evidenceHash, justification },
      ruleIds: reservation!.uses.filter((use) => use.usedMinor > use.limitMinor).map(({ ruleId }) => ruleId),
      debit: { ...held.price.debit },
    };
    return this.#next('transfer.reserved', resumed, { reservation: { ...reservation, approval } }, 'LIMITS', commandId);
  }

  /** The first price expired at the executor; the second attempt completes. */
  #requoted(reserved: Event): void {
    const first = this.#next('payout.requested', reserved, {});
    const expired = this.#update(first, 'EXPIRED', 1);
    const { commandId } = expired.command;
    const reason = { code: 'XPRD', detail: 'expired' };
    const requote = this.#next('transfer.requote-requested', first, { reason }, 'SETTLEMENT', commandId);
    const { reason: _, reservation, ...carried } = requote;
    const priced = this.#next('transfer.priced', carried, {}, 'FX_PRICING', undefined, 2);
    const renewed = { ...reservation, reservationId: `${priced.envelope.transferId}:2` };
    const again = this.#next('transfer.reserved', priced, { reservation: renewed });
    const second = this.#next('payout.requested', again, {});
    this.#settle(second, [
      [expired, 'requote', requote],
      [this.#update(second, 'PAID', 2), 'completed', undefined],
    ]);
    this.#pay(second, 'PAID', [
      ['EXPIRED', 1],
      ['PAID', 2],
    ]);
  }

  #payout(ending: Ending, requested: PayoutRequested): void {
    if (ending === 'with-provider') {
      this.#pay(requested, 'ACCEPTED', []);
      return;
    }
    if (ending === 'failed') {
      this.#settle(requested, [[this.#update(requested, 'FAILED', 1), 'rejected', undefined]]);
      this.#pay(requested, 'FAILED', [['FAILED', 1]]);
      return;
    }
    const paid = this.#update(requested, 'PAID', 1);
    if (ending !== 'returned' && ending !== 'reviewed-returned') {
      this.#settle(requested, [[paid, 'completed', undefined]]);
      this.#pay(requested, 'PAID', [['PAID', 1]]);
      return;
    }
    this.#settle(requested, [
      [paid, 'completed', undefined],
      [() => this.#update(requested, 'RETURNED', 2), 'returned', undefined],
    ]);
    this.#pay(requested, 'RETURNED', [
      ['PAID', 1],
      ['RETURNED', 2],
    ]);
  }

  #update(requested: PayoutRequested, status: PayoutStatus, version: number): PayoutUpdated {
    const commandId = commandIdOf(requested.envelope.transferId, version);
    const update = payoutUpdated(requested, { status, version, commandId });
    this.command('payout.updated', update);
    return update;
  }

  /** Settles updates in order (some are published only now); an event that is there already is only claimed. */
  #settle(
    requested: PayoutRequested,
    steps: readonly (readonly [PayoutUpdated | (() => PayoutUpdated), string, Event])[],
  ): void {
    const topics: Record<string, string> = {
      completed: 'transfer.completed',
      returned: 'transfer.returned',
      rejected: 'transfer.rejected',
    };
    let last: Event = requested;
    const claimed = steps.map(([published, end, made]) => {
      const update = typeof published === 'function' ? published() : published;
      const { commandId } = update.command;
      const reasons = [{ code: 'NARR', detail: 'see the provider' }];
      const added = {
        payout: update.payout,
        ...(end === 'completed' ? {} : { reasons }),
        ...(end === 'rejected' ? { stage: 'SETTLEMENT' } : {}),
      };
      const event =
        made ?? this.#next(topics[end]!, { ...requested, envelope: last.envelope }, added, 'SETTLEMENT', commandId);
      if (!made) last = event;
      const { sequence, attempt, occurredAt } = event.envelope;
      return { commandId, version: update.payout.version, attempt, sequence, end, at: occurredAt } as never;
    });
    this.stores.settlementClaims.put({ transferId: requested.envelope.transferId, steps: claimed });
  }

  /** The executor's record, and the provider's. */
  #pay(requested: PayoutRequested, phase: PayoutPhase, published: readonly (readonly [PayoutStatus, number])[]): void {
    const { transferId, attempt } = requested.envelope;
    const key = `${transferId}:${attempt}`;
    const amount = requested.price.credit;
    const moved = phase === 'PAID' || phase === 'RETURNED';
    const kinds = ['submit', ...(moved ? ['execution'] : []), ...(phase === 'RETURNED' ? ['return'] : [])] as const;
    for (const kind of kinds) {
      this.provider.push({
        seq: this.provider.length + 1,
        kind: kind as ProviderRecord['kind'],
        key,
        transferId,
        amount,
      });
    }
    const updates = this.entries.filter(({ topic, key: id }) => topic === 'payout.updated' && id === transferId);
    const payout = payoutOf(requested, {
      phase,
      updates: updates.map(({ value }) => value as PayoutUpdated),
      bytes: this.codec.encode('payout.requested', requested),
      publishedVersion: published.at(-1)?.[1] ?? 0,
    });
    // All but the first, as the executor does.
    for (const one of payout.attempts.slice(1)) this.claim(transferId, one.number, one.startedAt);
    this.stores.payouts.put({ ...payout, seal: sealPayout(KEYS.executor, payout) });
  }

  /** The event that follows another, with what it adds. */
  #next(
    topic: string,
    previous: Event,
    added: Event,
    stage: Stage = STAGE_OF[topic]!,
    causationId: string = previous.envelope.eventId,
    attempt: number = previous.envelope.attempt,
  ): Event {
    const envelope = nextEnvelope(previous.envelope, { topic, causationId, occurredAt: AT, attempt });
    const { hold, ...event } = { ...previous, ...added, envelope };
    // A hold is that of this event.
    const value: Event = hold ? heldOf(event as never, hold as Hold, HOLDING) : event;
    this.event(topic, value, stage);
    return value;
  }
}

const caused = (event: Event, causationId: string): Event => ({
  ...event,
  envelope: { ...event.envelope, causationId },
});

async function* readFrom(records: readonly ProviderRecord[], after: number): AsyncGenerator<ProviderRecord> {
  for (const record of records) if (record.seq > after) yield record;
}
