// Attempts of payouts as the log has them: written by every process of the executor, and read by each from the start on. The
// topic has one partition, so all see the same first claim of each attempt.

import { randomUUID } from 'node:crypto';
import { type AttemptClaim, AttemptLedger, PROBE_ID, STOPPED } from '../payouts/attempt-ledger.ts';
import type { AttemptClaims } from '../payouts/ports.ts';
import { backoffMs, DEPENDENCY_BACKOFF } from '../ports/backoff.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { CodedError, dependencyDown } from '../ports/fault.ts';
import type { Log, LogRecord, LogWriter, RecordBatch } from '../ports/log.ts';
import { within } from '../ports/pause.ts';
import { recordMaker } from '../ports/records.ts';
import { type Rings, sealedRecordOf, sealFlaw } from '../ports/seals.ts';
import { consumers } from '../processors/topology.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import { faultOf } from './fault.ts';
import { type Follower, followTopic } from './follow-topic.ts';
import type { DependencyTrouble } from './hosts/host.ts';

const TOPIC = payoutAttempts.name;
/** How long a claim may take: a part of the lease of its attempt. */
const MAX_CLAIM_MS = 5_000;
const MAX_STOPS_AT_ONCE = 500;

export interface LogAttemptClaims extends AttemptClaims {
  /** Resolves when all that was claimed before the call is known. */
  start(): Promise<void>;
  /** Rejects when nothing can be told any more: from here on nothing of any payout may begin. */
  readonly failed: Promise<never>;
  /** Claims that nobody here can believe, since the key that sealed them was removed. */
  troubles(): readonly DependencyTrouble[];
  stop(): Promise<void>;
}

export interface AttemptClaimsOptions {
  readonly log: Log;
  /** Not closed here. */
  readonly writer: LogWriter;
  readonly codec: Codec;
  /** With the executor's keys. */
  readonly rings: Rings;
  readonly clock?: Clock;
  /** Told of what it passes over, and when it can tell nothing any more. Must not throw. */
  readonly onFault: (code: ErrorCode, detail: string) => void;
}

export function logAttemptClaims(options: AttemptClaimsOptions): LogAttemptClaims {
  const { log, writer, codec, rings, clock = systemClock, onFault } = options;
  const owner = 'payout-attempts';
  const make = recordMaker({ owner, writes: consumers['payout-executor'].writes, codec, rings });
  const ledger = new AttemptLedger(payoutAttempts.retentionMs!);
  const removedKeys = removedKeyClaims({ clock, onFault });
  const waiting = new Map<string, (stands: boolean) => void>();
  const stopping = new AbortController();
  /** Payouts that are stopped, and since when, which the log does not know yet. */
  const stops = new Map<string, number>();
  let isTellingStops = false;
  let isAway = false;
  /** Claims and probes in a row that did not come back. */
  let misses = 0;
  const follower: Follower<typeof TOPIC> = followTopic({
    topic: TOPIC,
    log,
    codec,
    clock,
    // Behind a hole nothing is known: a claim that comes after it may be the second of its number.
    take: async (batch) => (follower.failure === undefined ? take(batch) : undefined),
    onFault: ({ code, detail }) => onFault(code, detail),
  });
  follower.failed.catch(tell);

  function tell(error: unknown): void {
    const { code, detail } = faultOf(error);
    onFault(code, detail);
  }

  async function take({ records }: RecordBatch): Promise<void> {
    const sealed = records.filter(isSealed);
    const decoded = await follower.decode(sealed.map(({ value }) => value));
    for (const [index, result] of decoded.entries()) {
      const { offset, timestamp } = sealed[index]!;
      if (!result.ok) throw unreadable(result.code, `${TOPIC} at ${offset} does not decode`);
      const stands = ledger.take(result.value, { at: timestamp, now: clock.now() });
      waiting.get(result.value.claimId)?.(stands);
      waiting.delete(result.value.claimId);
    }
  }

  /** @throws CodedError ATTEMPT_CLAIMS_UNREADABLE for what nobody can read: it may be a claim of ours */
  function isSealed(record: LogRecord): boolean {
    const { offset, unreadable: batch } = record;
    if (batch) {
      throw unreadable(batch.code, `${TOPIC} from ${batch.firstOffset} to ${batch.lastOffset} cannot be read`);
    }
    const code = sealFlaw(rings, TOPIC, record);
    if (code === 'SEAL_KEY_UNKNOWN') removedKeys.met(record);
    else if (code) onFault(code, `${TOPIC} at ${offset} is passed over: no executor wrote it`);
    return code === undefined;
  }

  async function claimAll(claims: readonly Omit<AttemptClaim, 'claimId'>[]): Promise<readonly boolean[]> {
    if (follower.failure !== undefined) throw follower.failure;
    const own = claims.map((claim) => ({ ...claim, claimId: randomUUID() }));
    const heard = Promise.all(
      own.map(({ claimId }) => new Promise<boolean>((resolve) => waiting.set(claimId, resolve))),
    );
    try {
      const sent = writer.send(own.map((one) => make(TOPIC, one, { partition: 0 })));
      const answers = Promise.race([sent.then(() => heard), follower.failed]);
      if (await within(MAX_CLAIM_MS, answers, clock)) return await answers;
      throw dependencyDown('kafka', 'ATTEMPT_CLAIMS_LATE', 'claims of attempts do not come back from the log');
    } finally {
      for (const { claimId } of own) waiting.delete(claimId);
    }
  }

  /** Every claim but probes goes this way: after one that does not come back no attempt begins until a probe does. */
  async function claim(claims: readonly Omit<AttemptClaim, 'claimId'>[]): Promise<readonly boolean[]> {
    try {
      const answers = await claimAll(claims);
      misses = 0;
      return answers;
    } catch (error) {
      if (!isAway) {
        isAway = true;
        void probe();
      }
      throw error;
    }
  }

  /** Until a claim comes back again, one that is of no attempt: so an outage uses up no attempt of any payout. */
  async function probe(): Promise<void> {
    while (!stopping.signal.aborted && follower.failure === undefined) {
      await clock.sleep(backoffMs(++misses, DEPENDENCY_BACKOFF), stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await claimAll([{ payoutId: PROBE_ID, attempt: 1, startedAt: clock.now(), earlier: [] }]);
        isAway = false;
        void tellStops();
        return;
      } catch (error) {
        tell(error);
      }
    }
  }

  /** Has the log know which payouts are stopped; what does not get there is told again after the next probe. */
  async function tellStops(): Promise<void> {
    if (isTellingStops || isAway) return;
    isTellingStops = true;
    try {
      while (stops.size > 0) {
        const some = [...stops].slice(0, MAX_STOPS_AT_ONCE);
        await claim(some.map(([payoutId, startedAt]) => ({ payoutId, attempt: STOPPED, startedAt, earlier: [] })));
        for (const [payoutId] of some) stops.delete(payoutId);
      }
    } catch (error) {
      tell(error);
    } finally {
      isTellingStops = false;
    }
  }

  return {
    highest: (payoutId) => ledger.highest(payoutId),
    ready: () => !isAway && follower.failure === undefined,
    claim,
    stopped(payoutId, since) {
      stops.set(payoutId, since);
      void tellStops();
    },
    async start() {
      await follower.start();
      removedKeys.tell();
    },
    failed: follower.failed,
    troubles: () => removedKeys.troubles(),
    async stop() {
      stopping.abort();
      await follower.stop();
    },
  };
}

/** What stands in the way of everything behind it: whoever goes on may pay twice. */
function unreadable(code: ErrorCode, what: string): CodedError {
  if (code === 'NEWER_SCHEMA') {
    return new CodedError(code, `${what}: deploy the newer executor everywhere`, { faultClass: 'fatal' });
  }
  const message = `${what} (${code}): it may be claims of attempts, so no payout goes on (docs/payouts.md, "When claims cannot be read")`;
  return new CodedError('ATTEMPT_CLAIMS_UNREADABLE', message, { faultClass: 'fatal' });
}

interface RemovedKeyOptions {
  readonly clock: Clock;
  readonly onFault: (code: ErrorCode, detail: string) => void;
}

/**
 * Counts claims under keys that are not in the ring. Usually an executor wrote them, before its key was removed too early or
 * with a key that this process does not have yet; anybody with write access may have. What they claim is not known here.
 */
function removedKeyClaims({ clock, onFault }: RemovedKeyOptions) {
  const keyIds = new Set<string>();
  let count = 0;
  let newestAt = 0;
  let since = 0;
  let isTold = false;
  const detail = () =>
    `${count} claims of attempts bear keys that are not in CORRIDOR_EXECUTOR_KEYS (${[...keyIds].join(', ')}), so they count for nothing here: unless a stranger wrote them, an attempt that was claimed so may be sent again if MongoDB is put back. Put the keys back into the ring until ${new Date(newestAt + payoutAttempts.retentionMs!).toISOString()}`;
  function tell(): void {
    if (count > 0) onFault('ATTEMPT_CLAIMS_KEY_REMOVED', detail());
    isTold = true;
  }
  return {
    met(record: LogRecord): void {
      const { seal } = sealedRecordOf(TOPIC, record);
      const [, keyId = 'of no known form'] = SEAL_WITH_KEY_ID.exec(seal) ?? [];
      if (keyIds.size < MAX_KEY_IDS) keyIds.add(keyId);
      count++;
      newestAt = Math.max(newestAt, Math.min(record.timestamp, clock.now()));
      since ||= clock.now();
      if (isTold) tell();
    },
    /** Once for all that was met before it; from then on each is told as it comes. */
    tell,
    troubles(): readonly DependencyTrouble[] {
      if (count === 0 || clock.now() > newestAt + payoutAttempts.retentionMs!) return [];
      const code = 'ATTEMPT_CLAIMS_KEY_REMOVED';
      const lastMetAt = performance.now();
      return [{ dependency: 'executor-keys', code, detail: detail(), since, topic: TOPIC, partition: 0, lastMetAt }];
    },
  };
}

const MAX_KEY_IDS = 8;
const SEAL_WITH_KEY_ID = /^([A-Za-z0-9_-]{1,32})\./;
