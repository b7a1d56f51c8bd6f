// Follows a topic from its start for as long as the process lives: what tables and claims of attempts are made of.

import { backoffMs, DEPENDENCY_BACKOFF } from '../ports/backoff.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec, DecodeResult } from '../ports/codec.ts';
import { CodedError, dependencyDown } from '../ports/fault.ts';
import type { ConsumerFault, Log, RecordBatch } from '../ports/log.ts';
import type { TopicName, TopicValues } from '../topics/catalogue.ts';
import { faultOf } from './fault.ts';

/** A topic that gives nothing for this long, before its end is reached, cannot be read; ms. */
const MAX_SILENT_MS = 60_000;
/** How often it is looked, ms. Looks are counted, not time: an event loop that stood still has not waited. */
const LOOK_MS = 1_000;

export interface FollowedTopic<T extends TopicName> {
  readonly topic: T;
  readonly log: Log;
  readonly codec: Codec;
  readonly clock: Clock;
  /** Takes in one batch; the next one waits for it. What it rejects with is what `failed` rejects with. */
  readonly take: (batch: RecordBatch) => Promise<void>;
  /** Called with each fault of the log, which is then tried again. Must not throw. */
  readonly onFault?: ((fault: ConsumerFault) => void) | undefined;
}

export interface Follower<T extends TopicName> {
  /**
   * Resolves when everything that was in the topic at the call was taken in. May be called again after a failure.
   * @throws CodedError what keeps the topic from being read; READ_STALLED when nothing comes and nothing says why; STOPPING
   *   once it is stopped
   */
  start(): Promise<void>;
  /**
   * The moment (performance.now, ms) at which all that the log has of the topic was last known to be taken in; undefined: it is
   * not now, or nobody knows.
   */
  currentAt(): number | undefined;
  /** Decodes values of the topic, as often as it takes while the registry is away. */
  decode(values: readonly (Buffer | null)[]): Promise<readonly DecodeResult<TopicValues[T]>[]>;
  /** Says that what is known is no longer all there is; the first one counts. */
  fail(error: unknown): void;
  /** What it failed with; undefined: it has not. */
  readonly failure: unknown;
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** A follower of one topic, which begins with `start`. */
export function followTopic<T extends TopicName>(followed: FollowedTopic<T>): Follower<T> {
  const { topic, log, codec, take, onFault } = followed;
  const stopping = new AbortController();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const { promise: stopped, reject: end } = Promise.withResolvers<never>();
  stopped.catch(() => undefined);
  let failure: unknown;
  let taken: Promise<void> = Promise.resolve();
  let batches = 0;
  let takenIn = 0;
  let lastFault: ConsumerFault | undefined;
  let following: ReturnType<ReturnType<Log['reader']>['follow']> | undefined;

  function fail(error: unknown): void {
    failure ??= error;
    reject(error);
  }

  function follow() {
    const onBatch = (batch: RecordBatch) => {
      batches++;
      taken = taken
        .then(() => take(batch))
        .then(() => void takenIn++)
        .catch(fail);
    };
    return log.reader().follow([topic], onBatch, {
      onFault: (fault) => {
        lastFault = fault;
        onFault?.(fault);
      },
    });
  }

  return {
    async start() {
      await codec.load([topic]);
      // A follower that began now would go on for ever: nobody stops it once more.
      if (stopping.signal.aborted) return stopped;
      lastFault = undefined;
      following ??= follow();
      const { signal } = stopping;
      try {
        await unlessSilent(followed, () => ({ batches, lastFault }), signal, [following.caughtUp, failed, stopped]);
        // What came by then is taken in one after the other.
        await Promise.race([taken, failed, stopped]);
      } catch (error) {
        // A follower that could not begin never will: the next start makes another.
        await following.stop();
        following = undefined;
        throw error;
      }
    },
    currentAt: () => (takenIn === batches ? following?.currentAt() : undefined),
    decode: (values) => decoded(followed, values, stopping.signal),
    fail,
    get failure() {
      return failure;
    },
    failed,
    async stop() {
      stopping.abort();
      end(new CodedError('STOPPING', `${topic} is no longer followed`));
      await following?.stop();
    },
  };
}

interface Seen {
  readonly batches: number;
  readonly lastFault: ConsumerFault | undefined;
}

/** The first of these; rejects when the topic gives nothing for too long before. */
async function unlessSilent<T extends TopicName>(
  followed: FollowedTopic<T>,
  seen: () => Seen,
  stopping: AbortSignal,
  awaited: readonly Promise<void>[],
): Promise<void> {
  const over = new AbortController();
  const silence = Promise.withResolvers<never>();
  void refuseSilence(followed, seen, AbortSignal.any([over.signal, stopping])).catch(silence.reject);
  try {
    await Promise.race([...awaited, silence.promise]);
  } finally {
    over.abort();
  }
}

/** Rejects when the topic gives nothing for too long, or at once when it never will; never resolves. */
async function refuseSilence<T extends TopicName>(
  { topic, clock }: FollowedTopic<T>,
  seen: () => Seen,
  over: AbortSignal,
): Promise<void> {
  let looks = 0;
  for (let before = seen().batches; !over.aborted; looks++) {
    const { batches, lastFault } = seen();
    if (lastFault?.severity === 'fatal') {
      throw new CodedError(lastFault.code, `${topic} cannot be read: ${lastFault.detail}`, { dependency: 'kafka' });
    }
    if (batches !== before) looks = 0;
    before = batches;
    if (looks * LOOK_MS >= MAX_SILENT_MS) {
      const why = lastFault ? `${lastFault.code}, ${lastFault.detail}` : 'nothing says why: look at its READ right';
      throw dependencyDown('kafka', 'READ_STALLED', `${topic} gives nothing before its end is reached (${why})`);
    }
    await clock.sleep(LOOK_MS, over);
  }
}

/** Tried again as long as the registry is away. */
async function decoded<T extends TopicName>(
  { topic, codec, clock, onFault }: FollowedTopic<T>,
  values: readonly (Buffer | null)[],
  stopping: AbortSignal,
): Promise<readonly DecodeResult<TopicValues[T]>[]> {
  for (let failures = 1; ; failures++) {
    try {
      return await codec.decode(topic, values);
    } catch (error) {
      const { code, detail, faultClass } = faultOf(error);
      if (stopping.aborted || faultClass !== 'transient-dependency') throw error;
      onFault?.({ code, detail, severity: 'transient', topic });
      await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping);
    }
  }
}
