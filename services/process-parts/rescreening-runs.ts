// Runs that screen known customers again, read from the log.
import type { CustomerCaseStore, StoredProgress } from '../../adapters/mongo/customer-cases.ts';
import type { ExceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { CodedError } from '../../ports/fault.ts';
import { sealFlaw } from '../../ports/seals.ts';
import type { ListReference, TransferAccepted } from '../../schemas/types.generated.ts';
import { coveredLists } from '../../screening/evidence.ts';
import { openIndexThread } from '../../screening/index/thread.ts';
import { requestOf } from '../../screening/requests.ts';
import {
  type KnownParties,
  type RescreenReport,
  rescreen,
  rescreenBehind,
  type ScreenedParties,
} from '../../screening/rescreening/rescreen.ts';
import { type ClosableScreener, createScreener } from '../../screening/screener.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { DAY_MS } from '../../topics/contract.ts';
import type { Connections } from '../connections.ts';
import { termsOf } from '../screening.ts';

/** By then every instance that is healthy screens against what the last run did. */
export const SWITCHED_MS = 10 * 60_000;
/** The clocks of brokers and of this process may differ by this much. */
const SKEW_MS = 60_000;

export interface RescreeningStores {
  readonly cases: CustomerCaseStore;
  readonly lists: ListStore;
  readonly exceptions: ExceptionStore;
  readonly progress: StoredProgress;
}

export interface RescreeningRuns {
  /** Screens everybody who could still be paid. undefined: it was done before. */
  everybody(active: readonly ListReference[]): Promise<RescreenReport | undefined>;
  /**
   * Screens those who were screened by an instance that had not switched yet when the last run began, or one shortly before.
   * Answers when to look again (`at`, ms since 1970; undefined: when there was another run), and how many cases it opened.
   */
  behind(active: readonly ListReference[]): Promise<{ readonly at: number | undefined; readonly opened: number }>;
}

/** @param stopping ends a run in the middle: it then rejects with STOPPING */
export function rescreeningRuns(
  connections: Connections,
  { cases, lists, exceptions, progress }: RescreeningStores,
  stopping: AbortSignal,
): RescreeningRuns {
  const { config } = connections;
  // A held transfer may still be paid, so everybody who could be paid is screened again.
  const windowMs = Math.max(config.screening.rescreenDays * DAY_MS, config.transfers.holdExpiryMs + DAY_MS);

  /** Against exactly these lists. */
  async function over<R>(
    active: readonly ListReference[],
    use: (screener: ClosableScreener) => Promise<R>,
  ): Promise<R> {
    const screener = createScreener({
      active: { current: async () => active },
      versions: lists,
      exceptions,
      openIndex: openIndexThread,
      terms: termsOf(config),
      clock: Date.now,
    });
    try {
      return await use(screener);
    } finally {
      await screener.close();
    }
  }

  return {
    everybody(active) {
      const known = () =>
        recordsOf(connections, 'transfer.accepted', { from: Date.now() - windowMs }, stopping, partiesOf);
      return over(active, (screener) => rescreen({ lists: active, screener, progress, cases, known, clock: Date.now }));
    },
    async behind(active) {
      const began = await progress.lastRunAt();
      if (began === undefined) return { at: undefined, opened: 0 };
      const span = { from: began - SWITCHED_MS - SKEW_MS, until: began + 2 * SWITCHED_MS };
      const screened = () =>
        recordsOf(connections, 'transfer.screened', span, stopping, (value) =>
          partiesOf(value).map((known): ScreenedParties => ({ ...known, covered: coveredLists(value.screening) })),
        );
      const opened = await over(active, (screener) => rescreenBehind({ screener, cases, screened, clock: Date.now }));
      return { at: Date.now() < began + SWITCHED_MS ? Date.now() + SWITCHED_MS : undefined, opened };
    },
  };
}

interface Span {
  /** ms since 1970 */
  readonly from: number;
  readonly until?: number;
}

/** What `read` makes of every record that was appended in the span, in batches, oldest first within a partition. */
async function* recordsOf<T extends TopicName, R>(
  { config, log, codec }: Connections,
  topic: T,
  { from, until = Number.POSITIVE_INFINITY }: Span,
  signal: AbortSignal,
  read: (value: TopicValues[T]) => readonly R[],
): AsyncGenerator<readonly R[]> {
  await codec.load([topic]);
  const reader = log.reader();
  for (const range of await reader.offsets([topic])) {
    // One batch is handed over at a time: the reader waits while it is screened.
    const handover: { batch: readonly R[]; taken: () => void }[] = [];
    let arrived = Promise.withResolvers<void>();
    let done = false;
    let left = false;
    const reading = reader
      .read([range], async ({ records }) => {
        if (signal.aborted || left) throw new CodedError('STOPPING', 'asked to stop');
        const inSpan = records.filter(({ timestamp }) => timestamp >= from && timestamp <= until);
        const wanted = inSpan.filter((record) => sealFlaw(config.keys, topic, record) === undefined);
        const decoded = await codec.decode(
          topic,
          wanted.map(({ value }) => value),
        );
        const batch = decoded.flatMap((result) => {
          if (!result.ok)
            throw new CodedError(result.code, `${topic} ${result.detail}`, { faultClass: 'transient-dependency' });
          return read(result.value);
        });
        if (batch.length === 0) return;
        const taken = Promise.withResolvers<void>();
        handover.push({ batch, taken: taken.resolve });
        arrived.resolve();
        await taken.promise;
      })
      .finally(() => {
        done = true;
        arrived.resolve();
      });
    reading.catch(() => undefined);
    let next: (typeof handover)[number] | undefined;
    try {
      while (!done || handover.length > 0) {
        next = handover.shift();
        if (next) {
          yield next.batch;
          next.taken();
          continue;
        }
        if (done) break;
        await arrived.promise;
        arrived = Promise.withResolvers<void>();
      }
      await reading;
    } finally {
      // Whoever stops listening in the middle (the cases cannot be written, say) must not leave the reader waiting.
      left = true;
      next?.taken();
      for (const { taken } of handover) taken();
    }
  }
}

function partiesOf(accepted: Pick<TransferAccepted, 'envelope' | 'instruction' | 'parties'>): readonly KnownParties[] {
  const request = requestOf(accepted);
  return request ? [{ transferId: accepted.envelope.transferId, request }] : [];
}
