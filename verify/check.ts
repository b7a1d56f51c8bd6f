// What a check is. Later work adds its own to registry.ts; nothing else has to change.

import type { LogRecord } from '../ports/log.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { RecoveryTopic } from '../topics/recovery.ts';
import type { ClaimBooks } from './attempt-claims.ts';
import type { Cut } from './cut.ts';
import type { Inputs } from './inputs.ts';
import type { Counters } from './limit-counters.ts';
import type { Totals } from './money-totals.ts';
import type { VerifySources } from './ports.ts';
import type { ProviderBooks } from './provider.ts';
import type { QuoteUses } from './quote-uses.ts';
import type { DeadLetter, RecoveryTrail, SourcePosition } from './recovery-trail.ts';
import type { Findings } from './report.ts';
import type { AnySeen, Seen, Transfer } from './transfer.ts';

/** What checks share in one run. */
export interface Run {
  readonly cut: Cut;
  readonly sources: VerifySources;
  readonly findings: Findings;
  readonly inputs: Inputs;
  readonly trail: RecoveryTrail;
  /** Undefined when no provider ledger was given. */
  readonly provider: ProviderBooks | undefined;
  /** Claims of attempts. */
  readonly claims: ClaimBooks;
  readonly counters: Counters;
  readonly totals: Totals;
  readonly quoteUses: QuoteUses;
  /** Transfers by where the log leaves them. */
  readonly byState: Map<string, number>;
  readonly inputsBy: Map<string, number>;
  /** Events whose input stood on a topic of its name that is there no more, by that topic's id. */
  readonly inputsGone: Map<string, number>;
  /** Dead letters of the partition at hand, whatever their owner. */
  readonly deadLetters: DeadLetter[];
  /** Customers whose limits are being changed at the cut: their counters cannot be compared. */
  readonly unsettledTokens: Set<string>;
  /** Digest of the record at a place of the partition at hand; 0: none there, undefined: not in what was read. */
  bytesAt(topic: string, offset: number): number | undefined;
  /** True when the run goes on from a checkpoint: what was before is not read again. */
  readonly continues: boolean;
  /** First offsets (by topic/partition) of state and money that are of rows their writer had not committed at the cut. */
  readonly grainsAhead: Map<string, number>;
  /** Documents that the log accounts for, by store; from the checkpoint on where the run goes on from one. */
  readonly documents: Map<string, number>;
}

/** Why a check cannot run with these sources; undefined: it can. */
export type Skips = (sources: VerifySources) => string | undefined;

export interface Check {
  /** Short, lower case, with hyphens. */
  readonly name: string;
  /** What it proves when it finds nothing, in one sentence. */
  readonly proves: string;
  readonly skips?: Skips;
  /** Each record, as it is read. */
  record?(seen: AnySeen, run: Run): void;
  /** Records of one topic and partition as they are read, for comparisons that need no memory. */
  batch?(batch: readonly AnySeen[], run: Run): Promise<void>;
  /** Each record of a recovery topic that names its source. */
  recovery?(topic: RecoveryTopic, source: SourcePosition, record: LogRecord, run: Run): void;
  /** When the inputs are read, before the first transfer. */
  inputs?(run: Run): void;
  /** Each transfer, when its partition is read. */
  transfer?(transfer: Transfer, run: Run): void;
  /** Up to 500 transfers at a time, for comparisons with a store. */
  transfers?(batch: readonly Transfer[], run: Run): Promise<void>;
  /** When a partition and its transfers are done. */
  partition?(partition: number, run: Run): void | Promise<void>;
  /** When everything is read. */
  end?(run: Run): void | Promise<void>;
}

/** The records of one topic in a batch (all of a batch are of one). */
export function ofTopic<T extends TopicName>(batch: readonly AnySeen[], topic: T): readonly Seen<T>[] {
  return batch[0]?.topic === topic ? (batch as unknown as readonly Seen<T>[]) : [];
}

export const needsStores: Skips = ({ stores }) => (stores ? undefined : 'no database was given');
export const needsProvider: Skips = ({ provider }) => (provider ? undefined : 'no provider ledger was given');
