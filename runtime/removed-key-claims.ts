// Claims under keys that are not in the ring. Usually an executor wrote them, before its key was removed too early or with a
// key that this process does not have yet; anybody with write access may have. What they claim is not known here.
import type { Clock } from '../ports/clock.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type { LogRecord } from '../ports/log.ts';
import { sealedRecordOf } from '../ports/seals.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import type { DependencyTrouble } from './hosts/host.ts';

const TOPIC = payoutAttempts.name;
const MAX_KEY_IDS = 8;
const SEAL_WITH_KEY_ID = /^([A-Za-z0-9_-]{1,32})\./;

export interface RemovedKeyOptions {
  readonly clock: Clock;
  /** Must not throw. */
  readonly onFault: (code: ErrorCode, detail: string) => void;
}

/** Counts them, and reports them until the last is as old as the log keeps claims. */
export class RemovedKeyClaims {
  readonly #options: RemovedKeyOptions;
  readonly #keyIds = new Set<string>();
  #count = 0;
  #newestAt = 0;
  #since = 0;
  #isReported = false;

  constructor(options: RemovedKeyOptions) {
    this.#options = options;
  }

  met(record: LogRecord): void {
    const { clock } = this.#options;
    const { seal } = sealedRecordOf(TOPIC, record);
    const [, keyId = 'of no known form'] = SEAL_WITH_KEY_ID.exec(seal) ?? [];
    if (this.#keyIds.size < MAX_KEY_IDS) this.#keyIds.add(keyId);
    this.#count++;
    this.#newestAt = Math.max(this.#newestAt, Math.min(record.timestamp, clock.now()));
    this.#since ||= clock.now();
    if (this.#isReported) this.report();
  }

  /** Once for all that was met before it; from then on each is reported as it comes. */
  report(): void {
    if (this.#count > 0) this.#options.onFault('ATTEMPT_CLAIMS_KEY_REMOVED', this.#detail());
    this.#isReported = true;
  }

  troubles(): readonly DependencyTrouble[] {
    if (this.#count === 0 || this.#options.clock.now() > this.#newestAt + payoutAttempts.retentionMs!) return [];
    const code = 'ATTEMPT_CLAIMS_KEY_REMOVED';
    const lastMetAt = performance.now();
    const where = { topic: TOPIC, partition: 0, lastMetAt };
    return [{ dependency: 'executor-keys', code, detail: this.#detail(), since: this.#since, ...where }];
  }

  #detail(): string {
    const until = new Date(this.#newestAt + payoutAttempts.retentionMs!).toISOString();
    return `${this.#count} claims of attempts bear keys that are not in CORRIDOR_EXECUTOR_KEYS (${[...this.#keyIds].join(', ')}), so they count for nothing here: unless a stranger wrote them, an attempt that was claimed so may be sent again if MongoDB is put back. Put the keys back into the ring until ${until}`;
  }
}
