// Events in pairs: what a stage was given, and what it made of it. An outcome names its cause, so no clock is compared.
import { parseOrigin } from '../../domain/transfers/origin-position.ts';
import type { Received } from '../../processors/contract.ts';
import type {
  Envelope,
  IntentDuplicated,
  IntentRejected,
  RequoteRequested,
  TransferAccepted,
  TransferHeld,
  TransferPriced,
  TransferRejected,
  TransferRequested,
  TransferScreened,
} from '../../schemas/types.generated.ts';
import type { BacktestStage } from './report.ts';

/** Topics that a backtest reads, with their values; in this order where the broker took them in the same millisecond. */
export interface PairEvents {
  'transfer.requested': TransferRequested;
  'transfer.accepted': TransferAccepted;
  'intent.rejected': IntentRejected;
  'intent.duplicated': IntentDuplicated;
  'transfer.screened': TransferScreened;
  'transfer.held': TransferHeld;
  'transfer.requote-requested': RequoteRequested;
  'transfer.priced': TransferPriced;
  'transfer.rejected': TransferRejected;
}
export type PairTopic = keyof PairEvents;
export const PAIR_TOPICS: readonly PairTopic[] = [
  'transfer.requested',
  'transfer.accepted',
  'intent.rejected',
  'intent.duplicated',
  'transfer.screened',
  'transfer.held',
  'transfer.requote-requested',
  'transfer.priced',
  'transfer.rejected',
];

export type AnyEvent = {
  [T in PairTopic]: { readonly topic: T; readonly value: PairEvents[T] };
}[PairTopic];

/** What a stage of this build has made, as the log would have it. */
export const asEvent = ({ to, value }: { readonly to: string; readonly value: unknown }): AnyEvent =>
  ({ topic: to, value }) as AnyEvent;

export type PairStage = Exclude<BacktestStage, 'LIMITS'>;

/** Which stage decides on what. */
const STAGE_OF: Partial<Record<PairTopic, PairStage>> = {
  'transfer.requested': 'INTAKE',
  'transfer.accepted': 'SCREENING',
  'transfer.screened': 'FX_PRICING',
  'transfer.requote-requested': 'FX_PRICING',
};
const OUTCOMES: Readonly<Record<PairStage, readonly PairTopic[]>> = {
  INTAKE: ['transfer.accepted', 'intent.rejected', 'intent.duplicated'],
  SCREENING: ['transfer.screened', 'transfer.held', 'transfer.rejected'],
  FX_PRICING: ['transfer.priced', 'transfer.rejected'],
};

/** What a stage was given, and the event that it made of it then. */
export interface Pair {
  readonly stage: PairStage;
  /** As it tells it: what stands for what is no id, and no text of a producer. */
  readonly transferId: string;
  readonly input: Received<unknown>;
  readonly decided: AnyEvent;
}

/** Pairs up what comes in the order of append times; remembers what has no outcome yet. */
export class Pairing {
  readonly #pending = new Map<string, { readonly stage: PairStage; readonly input: Received<unknown> }>();

  get pending(): number {
    return this.#pending.size;
  }

  /** How many of each stage have no outcome. */
  open(stage: PairStage): number {
    return [...this.#pending.values()].filter((each) => each.stage === stage).length;
  }

  /** @returns the pair that the event completes, if it does */
  outcome(event: AnyEvent): Pair | undefined {
    const cause = causeOf(event);
    const found = cause === undefined ? undefined : this.#pending.get(cause);
    if (found === undefined || !OUTCOMES[found.stage].includes(event.topic)) return undefined;
    this.#pending.delete(cause!);
    return { ...found, transferId: transferIdOf(event), decided: event };
  }

  /** Remembers what a stage decides on; anything else is nothing here. */
  input(received: Received<unknown>): void {
    const stage = STAGE_OF[received.topic as PairTopic];
    if (stage === undefined) return;
    const key = stage === 'INTAKE' ? placeOf(received.position) : received.causationId;
    if (key !== undefined) this.#pending.set(key, { stage, input: received });
  }
}

/** What an event was made from: the id of an event, or where an intent stands. */
function causeOf({ topic, value }: AnyEvent): string | undefined {
  switch (topic) {
    case 'transfer.requested':
      return undefined;
    case 'transfer.accepted':
      return placeOf(value.envelope.causationId);
    case 'intent.rejected':
    case 'intent.duplicated':
      return placeOf(value.originPosition);
    default:
      return (value as { readonly envelope: Envelope }).envelope.causationId;
  }
}

/** Positions name the topic by its id, and who only reads does not know it. */
function placeOf(position: string): string | undefined {
  const origin = parseOrigin(position);
  return origin && `intent ${origin.partition}:${origin.offset}`;
}

const transferIdOf = ({ value }: AnyEvent): string =>
  'envelope' in value ? value.envelope.transferId : value.transferId;
