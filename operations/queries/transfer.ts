// What happened to one transfer, stage by stage.
import { CodedError } from '../../ports/fault.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferEvents } from './ports.ts';
import { inOrder } from './timeline.ts';

export interface Step {
  /** Absent for what is no transition. */
  readonly sequence: number | undefined;
  readonly state: string;
  readonly stage: string;
  readonly occurredAt: Date;
  /** Since the first step, ms. */
  readonly afterMs: number;
  readonly reasonCodes: readonly string[];
  /** Null: nobody can tell. */
  readonly producer: string | null;
}

export interface TransferHistory {
  readonly events: readonly EventDocument[];
  readonly steps: readonly Step[];
}

/** @throws CodedError TRANSFER_UNKNOWN */
export async function transferHistory(store: TransferEvents, transferId: string): Promise<TransferHistory> {
  const events = await store.of(transferId);
  if (events.length > 0) return { events: inOrder(events as never), steps: stepsOf(events) };
  throw new CodedError(
    'TRANSFER_UNKNOWN',
    `nothing is known of ${transferId}: it was never accepted, or the event sink has not got there yet`,
  );
}

/** What the kinds of stored events have, each some of it. */
interface AnyEvent {
  readonly topic: string;
  readonly occurredAt: number | bigint;
  readonly sequence?: number;
  readonly state?: string;
  readonly stage?: string;
  readonly reasonCodes?: readonly string[];
  readonly producerId?: string | null;
  readonly reasons?: readonly { readonly code: string }[];
}

/** Pure. */
export function stepsOf(events: readonly EventDocument[]): readonly Step[] {
  const all = inOrder(events as unknown as readonly AnyEvent[]);
  const first = Number(all[0]?.occurredAt);
  return all.map((event) => {
    const at = Number(event.occurredAt);
    return {
      sequence: event.sequence,
      state: event.state ?? event.topic,
      stage: event.stage ?? 'INTAKE',
      occurredAt: new Date(at),
      afterMs: at - first,
      reasonCodes: event.reasonCodes ?? event.reasons?.map(({ code }) => code) ?? [],
      producer: event.producerId ?? null,
    };
  });
}
