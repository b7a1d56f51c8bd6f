// Attempts of payouts as the log has them: written by every process of the executor, and read by each from the start on. The
// topic has one partition, so all see the same first claim of each attempt.

import { randomUUID } from 'node:crypto';
import { AttemptLedger } from '../payouts/attempt-ledger.ts';
import type { AttemptClaims } from '../payouts/ports.ts';
import { backoffMs, DEPENDENCY_BACKOFF } from '../ports/backoff.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { CodedError, dependencyDown } from '../ports/fault.ts';
import type { Log, LogWriter, RecordBatch } from '../ports/log.ts';
import { within } from '../ports/pause.ts';
import { recordMaker } from '../ports/records.ts';
import { type Rings, sealFlaw } from '../ports/seals.ts';
import { consumers } from '../processors/topology.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import { faultOf } from './fault.ts';

const TOPIC = payoutAttempts.name;
/** How long a claim may take: a part of the lease of its attempt. */
const PATIENCE_MS = 5_000;

export interface LogAttemptClaims extends AttemptClaims {
  /** Resolves when all that was claimed before the call is known. */
  start(): Promise<void>;
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

/**
 * Claims in the log. Records that no executor has sealed are told and passed over. When one cannot be read that an executor
 * has written, nobody here may claim anything any more: NEWER_SCHEMA, or what the codec says.
 */
export function logAttemptClaims(options: AttemptClaimsOptions): LogAttemptClaims {
  const { log, writer, codec, rings, clock = systemClock, onFault } = options;
  const owner = 'payout-executor';
  const make = recordMaker({ owner, writes: consumers[owner].writes, codec, rings });
  const ledger = new AttemptLedger(payoutAttempts.retentionMs!);
  const waiting = new Map<string, (stands: boolean) => void>();
  const stopping = new AbortController();
  let taken: Promise<void> = Promise.resolve();
  let blind: unknown;
  let following: ReturnType<ReturnType<Log['reader']>['follow']> | undefined;

  async function take({ records }: RecordBatch): Promise<void> {
    const proven = records.filter((record) => {
      const code = record.unreadable?.code ?? sealFlaw(rings, TOPIC, record);
      if (code) onFault(code, `${TOPIC} at ${record.offset} is passed over: no executor wrote it`);
      return code === undefined;
    });
    const decoded = await decodePatiently(proven.map(({ value }) => value));
    for (const [index, result] of decoded.entries()) {
      const { offset, timestamp } = proven[index]!;
      if (!result.ok) {
        throw new CodedError(
          result.code,
          `${TOPIC} at ${offset} cannot be read: deploy the newer executor everywhere`,
          {
            faultClass: 'transient-dependency',
            dependency: 'kafka',
          },
        );
      }
      const stands = ledger.take(result.value, timestamp);
      waiting.get(result.value.claimId)?.(stands);
      waiting.delete(result.value.claimId);
    }
  }

  async function decodePatiently(values: readonly (Buffer | null)[]) {
    for (let failures = 1; ; failures++) {
      try {
        return await codec.decode(TOPIC, values);
      } catch (error) {
        if (stopping.signal.aborted || faultOf(error).faultClass !== 'transient-dependency') throw error;
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping.signal);
      }
    }
  }

  return {
    highest: (payoutId) => ledger.highest(payoutId),
    async claim(claims) {
      if (blind) throw blind;
      const own = claims.map((claim) => ({ ...claim, claimId: randomUUID() }));
      const heard = Promise.all(
        own.map(({ claimId }) => new Promise<boolean>((resolve) => waiting.set(claimId, resolve))),
      );
      try {
        const sent = writer.send(own.map((one) => make(TOPIC, one, { partition: 0 })));
        const answers = sent.then(() => heard);
        if (await within(PATIENCE_MS, answers, clock)) return await answers;
        throw dependencyDown('kafka', 'ATTEMPT_CLAIMS_LATE', 'claims of attempts do not come back from the log');
      } finally {
        for (const { claimId } of own) waiting.delete(claimId);
      }
    },
    async start() {
      await codec.load([TOPIC]);
      const follow = (batch: RecordBatch) => {
        taken = taken
          // Behind a hole nothing is known: a claim that comes after it may be the second of its number.
          .then(() => (blind ? undefined : take(batch)))
          .catch((error: unknown) => {
            blind = error;
            const { code, detail } = faultOf(error);
            onFault(code, detail);
          });
      };
      following ??= log.reader().follow([TOPIC], follow, { onFault: ({ code, detail }) => onFault(code, detail) });
      try {
        await following.caughtUp;
      } catch (error) {
        // A follower that could not begin never will: the next start makes another.
        await following.stop();
        following = undefined;
        throw error;
      }
      await taken;
    },
    async stop() {
      stopping.abort();
      await following?.stop();
    },
  };
}
