// What a processor is. Types only.

import type { IntentSeal } from '../domain/producers/intent-seal.ts';
import type { SealedRecord } from '../domain/seals/record-seal.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type { Emission, TopicContract } from '../topics/contract.ts';

// biome-ignore lint/suspicious/noExplicitAny: any contract, whatever its value
type AnyTopic = TopicContract<string, any>;

/** A record as a processor sees it: decoded, with what it needs to know of where it came from. */
export interface Received<V, Topic extends string = string> {
  readonly topic: Topic;
  readonly value: V;
  /** The value as its issuer wrote it, where operators have edited it; claims on what was said go by this. */
  readonly unedited?: V;
  /** Append time at the broker (LogAppendTime), in ms; stable when the record runs again, also through retries. */
  readonly appendedAt: number;
  /**
   * How long this record has waited because its stage asked for it, in ms; 0 at the first look. Time in which the stage
   * could not look (an outage, a backlog), or waited for a person, is not counted. Starts again from 0 with a replay.
   */
  readonly waitedMs: number;
  /** topicId:partition:offset of the intent; never changes, also through retries and replays. */
  readonly originPosition: string;
  /**
   * topicId:partition:offset where the record stands on its contract topic; the same through retries and replays. Tells a
   * record that runs again from another record that says the same.
   */
  readonly position: string;
  /** Chain partition of the record. */
  readonly partition: number;
  /** What caused the outputs: the event id of the input, or its origin position. */
  readonly causationId: string;
  /** The record as its issuer sealed it, where its topic has an issuer. It was checked; who keeps it can check it again. */
  readonly sealed?: SealedRecord;
  /** Of an intent that names its producer: what should prove it, and over which bytes. Nobody has checked it yet. */
  readonly intentSeal?: IntentSeal & { readonly value: Uint8Array };
}

/** The union of received records over a processor's input topics; `topic` tells them apart. */
export type ReceivedFrom<Topics extends readonly AnyTopic[]> = {
  [K in keyof Topics]: Topics[K] extends TopicContract<infer Name, infer V> ? Received<V, Name> : never;
}[number];

/** The union of what may be emitted to a processor's output topics. */
export type EmittedTo<Topics extends readonly AnyTopic[]> = { [K in keyof Topics]: Emission<Topics[K]> }[number];

/** Why a record did not go straight through. The code is stable; routing depends on it alone. */
export interface Cause {
  readonly code: ErrorCode;
  /** One sentence for operators; no personal data. */
  readonly detail: string;
}

/** What becomes of a record that has no outputs yet. */
export type Disposition =
  /** A fault of this record alone that may pass: next retry tier; uses up an attempt. */
  | { readonly kind: 'retry'; readonly cause: Cause }
  /** Something this record needs is not there yet (one stale pair, one provider): retry topic, uses up no attempt. */
  | {
      readonly kind: 'wait';
      readonly untilMs: number;
      readonly cause: Cause;
      /** It waits for a person: that is no time after which anything gives up, so it does not count as waited. */
      readonly forPerson?: true;
    }
  /** Never to be right without a person: dead letter, and the transfer is marked. */
  | { readonly kind: 'dead-letter'; readonly cause: Cause }
  /** Nothing may go on (an unknown enum symbol, a newer schema): stop the processor. */
  | { readonly kind: 'stop'; readonly cause: Cause };

/** What `decide` returns: events to emit (none is fine: a dropped duplicate), or a disposition. */
export type Decision<Out> = readonly Out[] | Disposition;

export function isDisposition<Out>(decision: Decision<Out>): decision is Disposition {
  return !Array.isArray(decision);
}

/** Whether a record that was put aside may be ended by a rejection of this stage. */
export type Discardable =
  /** Yes; `occurredAt`: when it was ended, ms, the same whenever it runs again where a claim tells. */
  | {
      readonly kind: 'reject';
      readonly occurredAt: number;
      /** Of an intent: who it is provably from; absent: nobody is proven. */
      readonly producerId?: string | null;
      /** Of an intent: the corridor between its currencies; absent: none carries them. */
      readonly corridorId?: string | null;
      /** Of an intent without a valid transfer id: what stands for it. */
      readonly shownId?: string;
    }
  /** What it asks for was done by another record: nothing is left to be ended. */
  | { readonly kind: 'nothing' }
  | Extract<Disposition, { kind: 'dead-letter' }>;

/** The edges of one processor, declared in topology.ts. */
export interface Edges {
  readonly reads: readonly AnyTopic[];
  readonly writes: readonly AnyTopic[];
  /** Tables read to their end before the first record, and followed from then on. */
  readonly follows?: readonly AnyTopic[];
}

/**
 * One stage of the chain. `prepare` reads and makes idempotent claims, one round trip for a batch, and answers with one
 * context per record in order; it throws on infrastructure faults (an error with a stable `code`). `decide` is pure.
 */
export interface Processor<E extends Edges, Context> {
  readonly name: string;
  readonly edges: E;
  prepare(batch: readonly ReceivedFrom<E['reads']>[]): Promise<readonly Context[]>;
  decide(input: ReceivedFrom<E['reads']>, context: Context): Decision<EmittedTo<E['writes']>>;
  /**
   * For letters that operators discard: which of them may be ended, in order; makes the claims that ending them needs. Absent:
   * none may, since what this stage handles may have been paid already.
   */
  discardable?(batch: readonly ReceivedFrom<E['reads']>[]): Promise<readonly Discardable[]>;
}

/** A processor whatever its edges. */
// biome-ignore lint/suspicious/noExplicitAny: the host treats every processor alike
export type AnyProcessor = Processor<any, any>;
