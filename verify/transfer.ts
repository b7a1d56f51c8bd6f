// What the log says of one transfer: a few hundred bytes, in whatever order the topics were read.
import type { StageName, TransferState } from '../domain/transfers/transfer-states.ts';
import type { LogRecord } from '../ports/log.ts';
import type { PayoutStatus, Stage } from '../schemas/types.generated.ts';
import type { TopicName, TopicValues } from '../topics/catalogue.ts';

/** A record of a contract topic, decoded. */
export interface Seen<T extends TopicName = TopicName> {
  readonly topic: T;
  readonly value: TopicValues[T];
  readonly record: LogRecord;
  /** Digest of the record's bytes. */
  readonly bytes: number;
}
/** The same, told apart by `topic`. */
export type AnySeen = { [T in TopicName]: Seen<T> }[TopicName];

/** One transition: what the chain topic says, and what the lifecycle says. */
export interface EventFact {
  readonly topic: string;
  readonly state: TransferState;
  readonly sequence: number;
  readonly attempt: number;
  /** Undefined until the fold is done for a requote, which two stages may ask for. */
  stage: StageName | undefined;
  /** From a checkpoint of other schemas: what it carries cannot be compared with what is read now. */
  readonly stale?: true;
  /** Records on the chain topic; 0: only the lifecycle knows of it. */
  seen: number;
  /** Another record has the same id and other content. */
  conflict: boolean;
  /** Where the first of them stands. */
  offset: number;
  at: number;
  /** Digest of the bytes. */
  content: number;
  /** Digests of its id and of what it names as its cause. */
  id: number;
  causation: number;
  /** Digests of what is carried from stage to stage; 0: not carried (yet). */
  instruction: number;
  parties: number;
  screening: number;
  /** Of what the stage screening found, without what a person decided and without later looks; 0: of another stage. */
  evidence: number;
  /**
   * Of the first look of screening with its review, then of each later look without one; of the stages that look alone.
   * Absent: another stage, or a checkpoint that does not know it.
   */
  looks?: readonly number[];
  price: number;
  /** Without the approval that it may hold. */
  reservation: number;
  /** What a person approved above a review limit, and the hold that was decided; 0: nothing. */
  approval: number;
  approvedHold: number;
  /** The approval is of the debit that this event states. */
  approvesDebit: boolean;
  /** Of the payout that settlement states; 0: none. */
  payout: number;
  /** Of payout.requested as a whole, as the current schema writes it; 0: another topic. */
  request: number;
  /** Digest of the lifecycle record that belongs to it; for a requote by settlement: `lifecycleBySettlement`. */
  lifecycle: number;
  lifecycleBySettlement: number;
  /** The same of the fields of later versions of the analytics contract, and as versions 2 and 3 would have it. */
  lifecycleSecond: number;
  lifecycleSecondOfTwo: number;
  lifecycleSecondOfThree: number;
  lifecycleSecondOfFour: number;
  /** Lifecycle records, and their digest. */
  lifecycleRecords: number;
  lifecycleRecordDigest: number;
  /** Of its fields of version 2, and of what it says of the state before; 0: it is of version 1. */
  lifecycleRecordSecond: number;
  lifecycleRecordBefore: number;
  lifecycleRecordsDiffer: boolean;
  /** Digest of the position that goes with it; 0 (in older checkpoints, absent): none does. */
  position: number;
  /** Positions that name it, and their digest. Absent: of a checkpoint that does not know them. */
  positionRecords?: number;
  positionRecordDigest: number;
  positionRecordsDiffer?: boolean;
}

/** The price in force, from the event with the highest sequence that has one. */
export interface PriceFact {
  readonly sequence: number;
  readonly source: string;
  readonly target: string;
  readonly debit: bigint;
  readonly principal: bigint;
  readonly fees: bigint;
  /** Absent in checkpoints of before. */
  readonly taxes?: bigint;
  readonly credit: bigint;
}

export interface UseFact {
  readonly ruleId: string;
  /** `subject:window`. */
  readonly place: string;
  readonly minor: bigint;
  /** What was declared to be used elsewhere is taken off; of a shadow, NO_LIMIT. */
  readonly limit: bigint;
  readonly freedByReturn: boolean;
  /** Counts as one of several; absent: its minor units count. */
  readonly member?: string;
}

/** What the limits ledger must hold of a transfer. */
export interface LedgerFact {
  readonly sequence: number;
  readonly attempt: number;
  readonly state: 'open' | 'released' | 'committed' | 'returned';
  readonly uses: readonly UseFact[];
  /** The event that says so: settled once limits has handled it. */
  readonly topic: string;
  readonly offset: number;
  readonly at: number;
}

/** A version of the payout as published. */
export interface UpdateFact {
  readonly version: number;
  readonly status: PayoutStatus;
  readonly attempt: number;
  readonly attemptKey: string;
  readonly commandId: string;
  readonly changedAt: number;
  /** Digest of the payout as published; 0: of other schemas. */
  readonly payout: number;
  readonly content: number;
  readonly offset: number;
  seen: number;
  conflict: boolean;
}

export interface HoldFact {
  readonly holdId: string;
  readonly sequence: number;
  readonly stage: Stage;
  readonly attempt: number;
  readonly evidenceHash: string;
}

/** A decision on a hold as published. */
export interface ReviewFact {
  readonly holdId: string;
  readonly commandId: string;
  readonly decision: string;
  readonly stage: Stage;
  /** It is about what is held: the stage has to honour it. */
  readonly valid: boolean;
  readonly content: number;
  readonly offset: number;
  seen: number;
  conflict: boolean;
}

/** A DEAD_LETTERED mark. */
export interface MarkFact {
  readonly eventId: string;
  readonly stage: Stage;
  readonly sequence: number;
  readonly code: string;
}

export interface Transfer {
  readonly id: string;
  readonly partition: number;
  /** In order of sequence once the fold is done. */
  events: readonly EventFact[];
  /** Up to this sequence an earlier run has verified the events; of those only the last is here. */
  readonly verifiedThrough: number;
  /** Customer token of the sender. */
  token: string;
  price: PriceFact | undefined;
  ledger: LedgerFact | undefined;
  /** What the counters of an earlier run count for it. */
  readonly counted: LedgerFact | undefined;
  updates: readonly UpdateFact[];
  holds: readonly HoldFact[];
  reviews: readonly ReviewFact[];
  marks: readonly MarkFact[];
  /** The last lifecycle record in the order of the transfer view. */
  view:
    | { readonly version: number; readonly digest: number; readonly eventId: string; readonly offset: number }
    | undefined;
  /** Pricing attempt whose reservation was made although a limit was exceeded; 0: none. */
  reservedOver: number;
}

/** Lists are replaced as they grow: one that is pushed to keeps room for 16 more. */
const NONE: readonly never[] = [];

export function openTransfer(id: string, partition: number): Transfer {
  return {
    id,
    partition,
    events: NONE,
    verifiedThrough: 0,
    token: '',
    price: undefined,
    ledger: undefined,
    counted: undefined,
    updates: NONE,
    holds: NONE,
    reviews: NONE,
    marks: NONE,
    view: undefined,
    reservedOver: 0,
  };
}

/** The last transition that the chain shows. */
export function lastEvent({ events }: Transfer): EventFact | undefined {
  return events.findLast(({ seen }) => seen > 0);
}

export const positionOf = (topic: string, partition: number, offset: number) => `${topic}/${partition}/${offset}`;
