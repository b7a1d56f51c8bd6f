// The limits ledger in memory: written from its contract, not from the script, so that each checks the other.

import { CodedError } from '../../ports/fault.ts';
import type {
  LedgerState,
  LedgerStore,
  LimitOperation,
  LimitRequest,
  LimitResult,
  Reserve,
  ReserveOutcome,
  Settle,
  SettledUse,
} from '../../processors/limits/ports.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';
import { Outages } from './memory-claims.ts';

interface Held {
  readonly bucket: string;
  readonly minor: bigint;
}
interface Transfer {
  attempt: number;
  state: 'open' | 'refused' | Settle['state'];
  held: readonly Held[];
  outcome: ReserveOutcome | undefined;
}
export interface Counter {
  used: bigint;
  open: number;
}

const bucketOf = (use: Pick<LimitRequest, 'ruleId' | 'subjectToken' | 'window'>) =>
  `${use.ruleId}:${use.subjectToken}:${use.window}`;

const limitUse = (use: SettledUse): LimitUse => {
  const { ruleId, subjectToken, window, currency, reservedMinor, usedMinor, limitMinor } = use;
  return { ruleId, subjectToken, window, currency, reservedMinor, usedMinor, limitMinor };
};

export class MemoryLedger implements LedgerStore {
  readonly outages = new Outages();
  readonly transfers = new Map<string, Transfer>();
  readonly counters = new Map<string, Counter>();
  #marker: string | null = 'memory:1';
  #generation = 1;

  /** As when the server was restarted or wiped. */
  lose(): void {
    this.transfers.clear();
    this.counters.clear();
    this.#marker = null;
  }

  async apply(operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    if (this.#marker === null) {
      throw new CodedError('LIMITS_NOT_HYDRATED', 'lost', {
        faultClass: 'transient-dependency',
        dependency: 'redis-limits',
      });
    }
    return this.outages.answer(() =>
      operations.map((each) => (each.kind === 'reserve' ? this.#reserve(each) : this.#settle(each))),
    );
  }

  async status() {
    return { hydrated: this.#marker !== null, marker: this.#marker };
  }

  async close(): Promise<void> {
    this.#marker = null;
  }

  async replaceAll(state: LedgerState, expected: string | null): Promise<'replaced' | 'overtaken'> {
    if (this.#marker !== expected) return 'overtaken';
    this.lose();
    for (const { transferId, attempt, state: stands, uses } of state.records) {
      const held =
        stands === 'released' ? [] : uses.map((use) => ({ bucket: bucketOf(use), minor: use.reservedMinor }));
      const outcome: ReserveOutcome = { kind: 'reserved', uses: uses.map(limitUse) };
      this.transfers.set(transferId, {
        attempt,
        state: stands,
        held,
        outcome: stands === 'open' ? outcome : undefined,
      });
    }
    for (const counter of state.counters) {
      this.counters.set(bucketOf(counter), { used: counter.usedMinor, open: counter.open });
    }
    this.#generation += 1;
    this.#marker = `memory:${this.#generation}`;
    return 'replaced';
  }

  #count(bucket: string, used: bigint, open: number): void {
    const counter = this.counters.get(bucket) ?? { used: 0n, open: 0 };
    counter.used += used;
    counter.open += open;
    this.counters.set(bucket, counter);
  }

  #free(transfer: Transfer): void {
    for (const { bucket, minor } of transfer.held) this.#count(bucket, -minor, -1);
  }

  #reserve({ transferId, attempt, requests }: Reserve): ReserveOutcome {
    const known = this.transfers.get(transferId);
    if (known !== undefined) {
      if (known.state !== 'open' && known.state !== 'refused') return { kind: 'ended' };
      if (attempt === known.attempt) return known.outcome!;
      if (attempt < known.attempt) return { kind: 'superseded' };
      if (known.state === 'refused') return { kind: 'ended' };
      this.#free(known);
    }
    const before = requests.map((request) => this.counters.get(bucketOf(request))?.used ?? 0n);
    const refused = requests.filter(
      (request, index) => request.action === 'reject' && before[index]! + request.minor > request.limitMinor,
    );
    const usesWith = (extra: (request: LimitRequest) => bigint): LimitUse[] =>
      requests.map((request, index) => {
        const { ruleId, subjectToken, window, currency, minor, limitMinor } = request;
        return {
          ruleId,
          subjectToken,
          window,
          currency,
          reservedMinor: minor,
          usedMinor: before[index]! + extra(request),
          limitMinor,
        };
      });
    if (refused.length > 0) {
      const outcome: ReserveOutcome = {
        kind: 'refused',
        uses: usesWith(() => 0n),
        refused: refused.map((each) => each.ruleId),
      };
      this.transfers.set(transferId, { attempt, state: 'refused', held: [], outcome });
      return outcome;
    }
    const held = requests.map((request) => ({ bucket: bucketOf(request), minor: request.minor }));
    for (const { bucket, minor } of held) this.#count(bucket, minor, 1);
    const outcome: ReserveOutcome = { kind: 'reserved', uses: usesWith((request) => request.minor) };
    this.transfers.set(transferId, { attempt, state: 'open', held, outcome });
    return outcome;
  }

  #settle(operation: Settle): LimitResult {
    const { transferId, attempt, state, uses } = operation;
    const known = this.transfers.get(transferId);
    const stated = uses.map((use) => ({ bucket: bucketOf(use), minor: use.reservedMinor }));
    const unchanged: LimitResult = { kind: 'settled', changed: false };
    const finish = (held: readonly Held[], outcome?: ReserveOutcome): LimitResult => {
      this.transfers.set(transferId, { attempt, state, held, outcome });
      return { kind: 'settled', changed: true };
    };
    if (state === 'open') {
      if (known !== undefined) {
        if (known.state !== 'open' || attempt <= known.attempt) return unchanged;
        this.#free(known);
      }
      for (const { bucket, minor } of stated) this.#count(bucket, minor, 1);
      return finish(stated, { kind: 'reserved', uses: uses.map(limitUse) });
    }
    if (known?.state === state) return unchanged;
    if (state === 'released') {
      if (known !== undefined && known.state !== 'open') return unchanged;
      if (known !== undefined) this.#free(known);
      return finish([]);
    }
    if (known?.state === 'returned') return unchanged;
    const counted =
      known !== undefined && (known.state === 'committed' || (known.state === 'open' && known.attempt === attempt));
    if (known?.state === 'open' && counted) for (const { bucket } of known.held) this.#count(bucket, 0n, -1);
    if (known?.state === 'open' && !counted) this.#free(known);
    const held = counted ? known.held : stated;
    if (!counted) for (const { bucket, minor } of held) this.#count(bucket, minor, 0);
    if (state === 'returned') {
      const freed = new Set(uses.filter((use) => use.freedByReturn).map(bucketOf));
      for (const { bucket, minor } of held) if (freed.has(bucket)) this.#count(bucket, -minor, 0);
    }
    return finish(held);
  }
}
