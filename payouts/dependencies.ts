// What the executor is made of, and what its own parts share.
import type { Failpoint } from '../ports/failpoint.ts';
import { codeAndDetail } from '../ports/fault.ts';
import type { PayoutExecutorConfig } from './config.ts';
import type {
  AttemptClaims,
  OutcomeOutbox,
  PayoutClock,
  PayoutEvent,
  PayoutFailpoint,
  PayoutPauses,
  PayoutStore,
  PollTimer,
  ProviderClient,
  RequestCodec,
  SubmissionGate,
} from './ports.ts';

export interface PayoutExecutorDependencies {
  readonly config: PayoutExecutorConfig;
  readonly payouts: PayoutStore;
  readonly provider: ProviderClient;
  readonly timer: PollTimer;
  readonly outbox: OutcomeOutbox;
  readonly codec: RequestCodec;
  readonly clock: PayoutClock;
  /** Without them, a document that was put back to an older state of its own is believed. */
  readonly attempts?: AttemptClaims;
  /** Without one, the price alone decides. */
  readonly gate?: SubmissionGate;
  /** Absent: nothing can be paused. */
  readonly pauses?: PayoutPauses;
  readonly failpoint?: Failpoint<PayoutFailpoint>;
  /** Never throws. */
  readonly onEvent?: (event: PayoutEvent) => void;
}

/** Says what happened. */
export class PayoutReports {
  readonly #onEvent: PayoutExecutorDependencies['onEvent'];

  constructor(onEvent: PayoutExecutorDependencies['onEvent']) {
    this.#onEvent = onEvent;
  }

  emit(event: PayoutEvent): void {
    this.#onEvent?.(event);
  }

  /** Something in the background failed; the sweeper takes it up again. */
  fault(error: unknown): void {
    this.emit({ kind: 'fault', ...codeAndDetail(error) });
  }
}

/** Work that nobody waits for, until the process ends. What fails is reported. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #reports: PayoutReports;

  constructor(reports: PayoutReports) {
    this.#reports = reports;
  }

  run(work: Promise<unknown>): void {
    const done = work
      .then(
        () => undefined,
        (error: unknown) => this.#reports.fault(error),
      )
      .finally(() => {
        this.#running.delete(done);
      });
    this.#running.add(done);
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** What sweeper and flights share with the executor that made them. */
export interface ExecutorContext {
  readonly reports: PayoutReports;
  readonly background: Background;
  /** Aborts when the process drains: what is known is stored at once, and nothing further is taken up. */
  readonly ending: AbortSignal;
}
