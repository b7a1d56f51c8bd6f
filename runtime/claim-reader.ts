// Claims of attempts as they are read from the log, from its start on: what they say of each payout, and which of ours came
// back. Behind a claim that nobody can read it takes in nothing more (docs/adr/0010-attempts-in-the-log.md).
import { AttemptLedger, type ClaimedAttempt } from '../payouts/attempt-ledger.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { CodedError } from '../ports/fault.ts';
import type { Log, LogRecord, RecordBatch } from '../ports/log.ts';
import { type Rings, sealFlaw } from '../ports/seals.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import { faultOf } from './fault.ts';
import { type Follower, followTopic } from './follow-topic.ts';
import type { DependencyTrouble } from './hosts/host.ts';
import { RemovedKeyClaims } from './removed-key-claims.ts';

const TOPIC = payoutAttempts.name;

export interface ClaimReaderOptions {
  readonly log: Log;
  readonly codec: Codec;
  readonly rings: Rings;
  readonly clock: Clock;
  /** Called with what it passes over, and when it can tell nothing any more. Must not throw. */
  readonly onFault: (code: ErrorCode, detail: string) => void;
}

/** Claims that are waited for; disposed of when nobody waits any more. */
export interface AwaitedClaims extends Disposable {
  /** In order, whether each stands: resolves once the log has given all of them back, which may be never. */
  readonly standing: Promise<readonly boolean[]>;
}

export class ClaimReader {
  readonly #options: ClaimReaderOptions;
  readonly #ledger = new AttemptLedger(payoutAttempts.retentionMs!);
  readonly #removedKeys: RemovedKeyClaims;
  readonly #waiting = new Map<string, (stands: boolean) => void>();
  readonly #follower: Follower<typeof TOPIC>;

  constructor(options: ClaimReaderOptions) {
    this.#options = options;
    const { log, codec, clock, onFault } = options;
    this.#removedKeys = new RemovedKeyClaims({ clock, onFault });
    this.#follower = followTopic({
      topic: TOPIC,
      log,
      codec,
      clock,
      // What could happen: a claim cannot be read, and one behind it, the second of its number, stands. What stops it:
      // behind a hole nothing is taken in.
      take: async (batch) => (this.failure === undefined ? this.#take(batch) : undefined),
      onFault: ({ code, detail }) => onFault(code, detail),
    });
    this.#follower.failed.catch((error: unknown) => {
      const { code, detail } = faultOf(error);
      onFault(code, detail);
    });
  }

  /** Why nothing can be told any more; undefined: it can. */
  get failure(): unknown {
    return this.#follower.failure;
  }

  /** Rejects when nothing can be told any more. */
  get failed(): Promise<never> {
    return this.#follower.failed;
  }

  /** Resolves when all that was claimed before the call is known. */
  async start(): Promise<void> {
    await this.#follower.start();
    this.#removedKeys.report();
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  highest(payoutId: string): ClaimedAttempt | undefined {
    return this.#ledger.highest(payoutId);
  }

  troubles(): readonly DependencyTrouble[] {
    return this.#removedKeys.troubles();
  }

  /** Waits for these claims from now on: call it before they are written. */
  await(claimIds: readonly string[]): AwaitedClaims {
    const waiting = this.#waiting;
    const standing = Promise.all(claimIds.map((id) => new Promise<boolean>((resolve) => waiting.set(id, resolve))));
    return {
      standing,
      [Symbol.dispose]() {
        for (const id of claimIds) waiting.delete(id);
      },
    };
  }

  async #take({ records }: RecordBatch): Promise<void> {
    const sealed = records.filter((record) => this.#isSealed(record));
    const decoded = await this.#follower.decode(sealed.map(({ value }) => value));
    for (const [index, result] of decoded.entries()) {
      const { offset, timestamp } = sealed[index]!;
      if (!result.ok) throw unreadable(result.code, `${TOPIC} at ${offset} does not decode`);
      const { claimId } = result.value;
      const stands = this.#ledger.take(result.value, { at: timestamp, now: this.#options.clock.now() });
      this.#waiting.get(claimId)?.(stands);
      this.#waiting.delete(claimId);
    }
  }

  /** @throws CodedError ATTEMPT_CLAIMS_UNREADABLE for what nobody can read: it may be a claim of ours */
  #isSealed(record: LogRecord): boolean {
    const { rings, onFault } = this.#options;
    const { offset, unreadable: batch } = record;
    if (batch) {
      throw unreadable(batch.code, `${TOPIC} from ${batch.firstOffset} to ${batch.lastOffset} cannot be read`);
    }
    const code = sealFlaw(rings, TOPIC, record);
    if (code === 'SEAL_KEY_UNKNOWN') this.#removedKeys.met(record);
    else if (code) onFault(code, `${TOPIC} at ${offset} is passed over: no executor wrote it`);
    return code === undefined;
  }
}

/** What stands in the way of everything behind it: whoever goes on may pay twice. */
function unreadable(code: ErrorCode, what: string): CodedError {
  if (code === 'NEWER_SCHEMA') {
    return new CodedError(code, `${what}: deploy the newer executor everywhere`, { faultClass: 'fatal' });
  }
  const message = `${what} (${code}): it may be claims of attempts, so no payout goes on (docs/payouts.md, "When claims cannot be read")`;
  return new CodedError('ATTEMPT_CLAIMS_UNREADABLE', message, { faultClass: 'fatal' });
}
