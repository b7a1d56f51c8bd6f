// What becomes of one record, by what its run came to: its outputs, a retry, a wait or a dead letter.

import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { OutputRecord, RecordBatch } from '../../ports/log.ts';
import type { ApprovedSkip } from '../../ports/record-skips.ts';
import { recordMaker } from '../../ports/records.ts';
import { type Rings, ringOf, sealedRecovery } from '../../ports/seals.ts';
import type { Cause } from '../../processors/contract.ts';
import { deadLetterMark } from '../../processors/lifecycle.ts';
import type { Stage } from '../../schemas/types.generated.ts';
import { transferLifecycle } from '../../topics/boundary.ts';
import { deadLetterId, markId } from '../../topics/dead-letter-id.ts';
import { RETRY_TIERS } from '../../topics/recovery.ts';
import {
  type DeadLetterClass,
  deadLetterRecord,
  type RecoveryTerms,
  type RetryPolicy,
  retryRecord,
  tierFor,
  tierForWait,
} from '../retries-and-dead-letters/recovery-records.ts';
import type { HeadSkip } from './blocked-head.ts';
import type { InboundRecord, Refusal } from './inbound-records.ts';
import type { Outcome } from './isolate.ts';

/** A record with all that comes of it. */
export interface Judged {
  readonly inbound: InboundRecord;
  readonly disposition: 'done' | 'retry' | 'wait' | 'dropped' | 'dead-letter';
  readonly outputs: readonly OutputRecord[];
  readonly cause?: Cause;
  readonly deadLetter?: DeadLetterClass;
}

/** Judges one record of a batch. `outcome` is undefined exactly for a record that is refused; neither may be a stop. */
export type Judge = (batch: RecordBatch, inbound: InboundRecord, outcome: Outcome | undefined) => Judged;

export interface DispositionOptions {
  readonly app: string;
  /** Processor or sink. */
  readonly owner: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly rings: Rings;
  /** Stage that the mark of a dead letter names; absent: dead letters stop no transfer, and none is marked. */
  readonly statusMarkStage?: Stage;
  /** Whether what it puts aside is sealed by stages, and its replays by operators; not so for what has ids of its own. */
  readonly sealsRecovery: boolean;
}

/** What judges the records of one consumer. */
export interface Judges {
  readonly judge: Judge;
  /** A record that two persons let its consumer skip. */
  readonly skipped: (batch: RecordBatch, inbound: InboundRecord, skip: HeadSkip) => Judged;
}

/** @throws CodedError when a key that it seals with is missing */
export function createJudges(options: DispositionOptions): Judges {
  const { owner, clock } = options;
  const group = groupId(options.app, owner);
  const markOf = markMaker(options);
  if (options.sealsRecovery) for (const issuer of ['stages', 'operators'] as const) ringOf(options.rings, issuer);

  const judge: Judge = (batch, inbound, outcome) => {
    const { refusal } = inbound;
    if (refusal?.kind === 'dropped') return { inbound, disposition: 'dropped', outputs: [], cause: refusal };
    if (refusal) return deadLetter(batch, inbound, refusal, classOf(refusal));
    if (outcome === undefined) throw new Error('an accepted record has no outcome');
    switch (outcome.kind) {
      case 'done':
        return { inbound, disposition: 'done', outputs: outcome.outputs };
      case 'poison':
        return deadLetter(batch, inbound, outcome.fault, 'poison', { stack: outcome.fault.stack });
      case 'retry':
        return retry(batch, inbound, outcome.cause);
      case 'wait':
        return wait(batch, inbound, outcome);
      default:
        return deadLetter(batch, inbound, outcome.cause, 'refused');
    }
  };
  const skipped: Judges['skipped'] = (batch, inbound, { cause, skip }) => {
    const why = { code: 'RECORD_SKIPPED', detail: `${cause.code}: ${cause.detail}` } as const;
    return deadLetter(batch, inbound, why, 'skipped', { skip });
  };
  return { judge, skipped };

  function recoveryTerms(batch: RecordBatch, inbound: InboundRecord, cause: Cause, attempts: number): RecoveryTerms {
    return { owner, group, inbound, partition: batch.partition, cause, now: clock.now(), attempts };
  }

  function aside(record: OutputRecord): OutputRecord {
    return options.sealsRecovery ? sealedRecovery(options.rings, record) : record;
  }

  function retry(batch: RecordBatch, inbound: InboundRecord, cause: Cause): Judged {
    const attempts = inbound.source.attempts + 1;
    const tier = tierFor(attempts, options.retry);
    if (tier === undefined) return deadLetter(batch, inbound, cause, 'exhausted');
    const dueAt = clock.now() + RETRY_TIERS[tier]!.delayMs;
    const record = retryRecord(recoveryTerms(batch, inbound, cause, attempts), tier, dueAt);
    return { inbound, disposition: 'retry', outputs: [aside(record)], cause };
  }

  function wait(batch: RecordBatch, inbound: InboundRecord, outcome: Extract<Outcome, { kind: 'wait' }>): Judged {
    const { untilMs, cause, forPerson = false } = outcome;
    const tier = tierForWait(untilMs, clock.now());
    const terms = recoveryTerms(batch, inbound, cause, inbound.source.attempts);
    const record = retryRecord(terms, tier, untilMs, !forPerson);
    return { inbound, disposition: 'wait', outputs: [aside(record)], cause };
  }

  function deadLetter(
    batch: RecordBatch,
    inbound: InboundRecord,
    cause: Cause,
    deadLetterClass: DeadLetterClass,
    { stack = '', skip }: { readonly stack?: string; readonly skip?: ApprovedSkip } = {},
  ): Judged {
    const lost = { ...recoveryTerms(batch, inbound, cause, inbound.source.attempts + 1), skip };
    const outputs = [aside(deadLetterRecord(lost, deadLetterClass, stack))];
    const mark = markOf(lost);
    if (mark) outputs.push(mark);
    return { inbound, disposition: 'dead-letter', outputs, cause, deadLetter: deadLetterClass };
  }
}

/** Makes the DEAD_LETTERED record for analytics, when the dead letter stops a transfer. */
function markMaker({ owner, codec, rings, statusMarkStage: stage }: DispositionOptions) {
  const make = recordMaker({ owner, codec, rings, writes: stage ? [transferLifecycle] : [] });

  return (lost: RecoveryTerms): OutputRecord | undefined => {
    const { received, source } = lost.inbound;
    if (!received || stage === undefined) return undefined;
    const id = markId(deadLetterId({ owner, source }));
    const record = deadLetterMark(source.topic, received.value, {
      eventId: id,
      occurredAt: lost.now,
      stage,
      code: lost.cause.code,
    });
    if (!record) return undefined;
    return make(transferLifecycle.name, record, { partition: lost.partition, eventId: id });
  };
}

const classOf = ({ kind }: Refusal): DeadLetterClass =>
  kind === 'undecodable' || kind === 'unproven' || kind === 'repeated' ? kind : 'poison';
