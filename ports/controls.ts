// What people have set for the running pipeline, as whoever has to honour it asks: at each batch, and before each payment.
// Answers come from memory: the log is followed beside it.
import type { RuntimeControl } from '../schemas/types.generated.ts';
import { type ControlTarget, isInForce, targetKey } from '../topics/control-key.ts';
import type { ErrorCode } from './error-codes.ts';

export interface Pause {
  readonly code: ErrorCode;
  /** One sentence for people: what, by whom, since when and why. */
  readonly detail: string;
}

/** What tells whether a payout may begin. */
export interface PayoutPlace {
  readonly provider: string;
  readonly corridor: string;
  readonly rail: string;
  readonly homePartition: number;
}

export interface Controls {
  /** Why this consumer takes nothing of a partition; undefined: it does. */
  pauseOf(consumer: string, partition: number): Pause | undefined;
  /** Why no payout at all begins at this provider; undefined: some may. */
  providerPause(provider: string): Pause | undefined;
  /** Why this payout may not begin; undefined: it may. */
  payoutPause(place: PayoutPlace): Pause | undefined;
  /** Why this consumer as a whole stands; undefined: it does not. */
  processorPause(name: string): Pause | undefined;
  /** Why people have stopped this corridor; undefined: they have not. */
  corridorPause(corridor: string): Pause | undefined;
  /** Whether anything is in force that could keep a payout from beginning: cheap, asked for each. */
  readonly mayPausePayouts: boolean;
}

/** The consumer that has payouts made; paused, it begins none of those that it has taken in before either. */
export const EXECUTOR = 'payout-executor';

const CODES = {
  PROCESSOR: 'PROCESSOR_PAUSED',
  PARTITION: 'PROCESSOR_PAUSED',
  PROVIDER: 'PROVIDER_PAUSED',
  CORRIDOR: 'PAYOUT_CORRIDOR_PAUSED',
  RAIL: 'RAIL_PAUSED',
  GLASS: 'GLASS_BROKEN',
  UNKNOWN: 'PROCESSOR_PAUSED',
} as const satisfies Record<RuntimeControl['kind'], ErrorCode>;

/** What health and logs call a control that is in force. */
export const codeOf = ({ kind }: Pick<RuntimeControl, 'kind'>): ErrorCode => CODES[kind];

/** Controls over the latest record of each key. Pure. */
export function controlsOver(latest: { get(key: string): RuntimeControl | undefined }, some: () => boolean): Controls {
  const pauseAt = (...targets: readonly ControlTarget[]): Pause | undefined => {
    for (const target of targets) {
      const found = latest.get(targetKey(target));
      if (found && isInForce(found)) return { code: codeOf(target), detail: pauseDetail(found) };
    }
    return undefined;
  };
  const executor = { kind: 'PROCESSOR', name: EXECUTOR } as const;
  return {
    pauseOf: (name, partition) => pauseAt({ kind: 'PROCESSOR', name }, { kind: 'PARTITION', name, partition }),
    providerPause: (name) => pauseAt(executor, { kind: 'PROVIDER', name }),
    payoutPause: ({ provider, corridor, rail, homePartition: partition }) =>
      pauseAt(
        executor,
        { kind: 'PARTITION', name: EXECUTOR, partition },
        { kind: 'PROVIDER', name: provider },
        { kind: 'CORRIDOR', name: corridor },
        { kind: 'RAIL', name: rail },
      ),
    processorPause: (name) => pauseAt({ kind: 'PROCESSOR', name }),
    corridorPause: (name) => pauseAt({ kind: 'CORRIDOR', name }),
    get mayPausePayouts() {
      return some();
    },
  };
}

/** `CORRIDOR GB-IN was paused by asha at …: why`. */
export function pauseDetail({ kind, name, partition, changedBy, changedAt, reason }: RuntimeControl): string {
  const what = `${kind.toLowerCase()} ${name}${partition === null ? '' : `/${partition}`}`;
  return `${what} was ${kind === 'GLASS' ? 'broken' : 'paused'} by ${changedBy} at ${new Date(changedAt).toISOString()}: ${reason}`;
}
