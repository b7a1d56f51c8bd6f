// What stands in the log of a made-up history: entries at their offsets, with the headers that the pipeline gives them.
import { type LifecycleInput, lifecycleOf } from '../../processors/lifecycle.ts';
import { positionOf } from '../../processors/positions.ts';
import type { Stage } from '../../schemas/types.generated.ts';
import { AT } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { deadLetterId } from '../../topics/dead-letter-id.ts';
import { HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { groupTopics, OWNERS } from '../topics.ts';
import type { Entry, Event } from './entry.ts';
import { FixedLog } from './fixed-log.ts';

export const PARTITIONS = 2;

export const STAGE_OF: Readonly<Record<string, Stage>> = {
  'transfer.accepted': 'INTAKE',
  'transfer.screened': 'SCREENING',
  'transfer.priced': 'FX_PRICING',
  'transfer.reserved': 'LIMITS',
  'payout.requested': 'PAYOUT_DISPATCH',
  'transfer.completed': 'SETTLEMENT',
  'transfer.returned': 'SETTLEMENT',
};

export class HistoryLog {
  readonly codec = memoryCodec();
  readonly entries: Entry[] = [];
  readonly #ends = new Map<string, number>();
  readonly #step: number;
  /** The last event of each transfer. */
  readonly #last = new Map<string, { readonly topic: string; readonly value: Event }>();

  /** `dense`: offsets without gaps, as a producer without transactions leaves them. */
  constructor({ dense = false }: { readonly dense?: boolean }) {
    // Otherwise as if a marker stood between two transactions.
    this.#step = dense ? 1 : 2;
  }

  /** The entries as a log in which every group has handled everything. */
  log(): FixedLog {
    const log = new FixedLog(PARTITIONS);
    for (const { topic, partition, offset, key, value, bytes, headers, timestamp = AT } of this.entries) {
      const encoded = value === undefined ? (bytes ?? null) : this.codec.encode(topic as TopicName, value);
      const buffers = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
      log.put({
        topic,
        partition,
        offset,
        key: Buffer.from(key),
        value: encoded,
        headers: Object.fromEntries(buffers),
        timestamp,
      });
    }
    for (const owner of OWNERS) {
      for (const topic of groupTopics(owner)) {
        for (let partition = 0; partition < PARTITIONS; partition++) {
          log.commit(owner.name, topic, partition, log.end(topic, partition));
        }
      }
    }
    return log;
  }

  append(topic: string, partition: number, entry: Partial<Entry> & { readonly key: string }): Entry {
    const place = `${topic}/${partition}`;
    const offset = this.#ends.get(place) ?? 0;
    this.#ends.set(place, offset + this.#step);
    const complete: Entry = { topic, partition, offset, value: undefined, bytes: undefined, headers: {}, ...entry };
    this.entries.push(complete);
    return complete;
  }

  /** A dead letter of an entry. */
  deadLetter(owner: string, of: Entry, code: string): Entry {
    const source = { topicId: of.topic, partition: of.partition, offset: of.offset, replayCount: 0 };
    return this.append(deadLetterTopic(owner), of.partition, {
      key: of.key,
      value: undefined,
      bytes: of.value === undefined ? of.bytes : this.codec.encode(of.topic as TopicName, of.value),
      headers: {
        [RECOVERY_HEADER.sourceTopic]: of.topic,
        [RECOVERY_HEADER.sourcePartition]: String(of.partition),
        [RECOVERY_HEADER.sourceOffset]: String(of.offset),
        [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner, source }),
        [RECOVERY_HEADER.deadLetterCode]: code,
        [RECOVERY_HEADER.replayCount]: '0',
      },
    });
  }

  /** A chain event with its lifecycle record. */
  event(topic: string, value: Event, stage: Stage = STAGE_OF[topic]!): Entry {
    const { transferId, homePartition: partition, eventId } = value.envelope;
    const headers = { [HEADER.eventId]: eventId, [HEADER.originPosition]: value.instruction.originPosition };
    const entry = this.append(topic, partition, { key: transferId, value, headers });
    const lifecycleRecord = lifecycleOf(topic, value, stage, this.#inputOf(topic, value))!;
    this.#last.set(transferId, { topic, value });
    this.append('transfer.lifecycle', partition, {
      key: transferId,
      value: lifecycleRecord,
      headers: { [HEADER.eventId]: lifecycleRecord.eventId },
    });
    const position = positionOf(topic, value);
    if (position) {
      const { eventId: positionId } = position;
      this.append('fx.position', partition, {
        key: transferId,
        value: position,
        headers: { [HEADER.eventId]: positionId },
      });
    }
    return entry;
  }

  /** What a stage made the event from: the one before, or what asked for the payout where money came back later. */
  #inputOf(topic: string, { envelope: { transferId } }: Event): LifecycleInput {
    const last = this.#last.get(transferId);
    if (topic !== 'transfer.returned' || last?.topic !== 'transfer.completed') {
      return { topic: last?.topic ?? 'transfer.requested', value: last?.value, replayId: null };
    }
    const { envelope } = last.value;
    const requested = { ...last.value, envelope: { ...envelope, sequence: envelope.sequence - 1 } };
    return { topic: 'payout.updated', value: { requested }, replayId: null };
  }

  /** A command about a transfer. */
  command(topic: 'payout.updated' | 'review.decided', value: Event): Entry {
    const { commandId, transferId, homePartition: partition } = value.command;
    return this.append(topic, partition, { key: transferId, value, headers: { [HEADER.eventId]: commandId } });
  }

  /** A claim of an attempt, made from a document that has all before it unless it says otherwise. */
  claim(
    payoutId: string,
    attempt: number,
    startedAt = AT,
    earlier = Array.from({ length: Math.min(attempt, 100) - 1 }, (_, index) => ({ number: index + 1, startedAt: AT })),
  ): Entry {
    const claimId = `${payoutId}/${attempt}/${this.entries.length}`;
    const value = { payoutId, attempt, claimId, startedAt, earlier };
    return this.append('payout.attempts', 0, { key: payoutId, value });
  }
}
