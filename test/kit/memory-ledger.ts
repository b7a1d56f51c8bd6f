// The limits ledger in memory: written from its contract, not from the script, so that each checks the other.

import { isCounted, rollingOf } from '../../domain/limits/windows.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LedgerReader } from '../../processors/limits/hydrate.ts';
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
  readonly member: string | null;
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

const limitUse = ({ ...use }: SettledUse): LimitUse => use;

const heldBy = (uses: readonly SettledUse[]): readonly Held[] =>
  uses
    .filter(({ window }) => isCounted(window))
    .map((use) => ({ bucket: bucketOf(use), minor: use.reservedMinor, member: use.member }));

const METRIC = { amount: 'AMOUNT', count: 'COUNT', beneficiaries: 'BENEFICIARIES' } as const;
const ACTION = { reject: 'REJECT', hold: 'HOLD', documents: 'DOCUMENTS', shadow: 'SHADOW' } as const;

export class MemoryLedger implements LedgerStore {
  readonly outages = new Outages();
  readonly transfers = new Map<string, Transfer>();
  readonly counters = new Map<string, Counter>();
  /** How many transfers count for each member of a counter. */
  readonly members = new Map<string, Map<string, number>>();
  #marker: string | null = 'memory:1';
  #generation = 1;
  #catchUp: string | undefined;
  /** As of the release before: it is still in force, and to be rebuilt. */
  isOfOldForm = false;

  /** As when the server was restarted or wiped. */
  lose(): void {
    this.transfers.clear();
    this.counters.clear();
    this.members.clear();
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
    return {
      ...{ hydrated: this.#marker !== null && !this.isOfOldForm, marker: this.#marker },
      ...(this.#marker !== null && this.#catchUp !== undefined && { catchUp: this.#catchUp }),
    };
  }

  async close(marker?: string): Promise<void> {
    if (marker === undefined || marker === this.#marker) this.#marker = null;
  }

  async caughtUp(marker: string): Promise<void> {
    if (marker === this.#marker) this.#catchUp = undefined;
  }

  async replaceAll(state: LedgerState, expected: string | null): Promise<'replaced' | 'overtaken'> {
    if (this.#marker !== expected) return 'overtaken';
    this.lose();
    for (const { transferId, attempt, state: stands, uses } of state.records) {
      const held = stands === 'released' ? [] : heldBy(uses);
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
      if (counter.members) this.members.set(bucketOf(counter), new Map(counter.members));
    }
    this.#catchUp = state.catchUp;
    this.isOfOldForm = false;
    this.#generation += 1;
    this.#marker = `memory:${this.#generation}`;
    return 'replaced';
  }

  /** Counts a use so many times (1, 0, -1), and so many open reservations more. */
  #count({ bucket, minor, member }: Held, times: bigint, open: number): void {
    const counter = this.counters.get(bucket) ?? { used: 0n, open: 0 };
    this.counters.set(bucket, counter);
    counter.open += open;
    if (member === null) {
      counter.used += times * minor;
      return;
    }
    const members = this.members.get(bucket) ?? new Map<string, number>();
    this.members.set(bucket, members);
    const count = (members.get(member) ?? 0) + Number(times);
    if (count === 0) members.delete(member);
    else members.set(member, count);
    counter.used = BigInt(members.size);
  }

  #free(transfer: Transfer): void {
    for (const held of transfer.held) this.#count(held, -1n, -1);
  }

  /** The counters that a request looks at: its own, or every step of its rolling window. */
  #looksAt(request: LimitRequest): readonly string[] {
    const rolling = rollingOf(request.window);
    if (!isCounted(request.window)) return [];
    if (rolling === undefined) return [bucketOf(request)];
    const head = request.window.slice(0, request.window.lastIndexOf('.') + 1);
    const { step, steps } = rolling;
    const all = Array.from({ length: 2 * steps + 1 }, (_, at) => `${head}${step - steps + at}`);
    return all.map((window) => bucketOf({ ...request, window }));
  }

  /** What is used before the request, and what it adds. */
  #standing(request: LimitRequest): { readonly used: bigint; readonly adds: bigint } {
    const buckets = this.#looksAt(request);
    if (request.member === null) {
      const used = buckets.reduce((sum, bucket) => sum + (this.counters.get(bucket)?.used ?? 0n), 0n);
      return { used, adds: request.minor };
    }
    const members = new Set(buckets.flatMap((bucket) => [...(this.members.get(bucket)?.keys() ?? [])]));
    return { used: BigInt(members.size), adds: members.has(request.member) ? 0n : 1n };
  }

  /** When so much is free that the request fits, by time alone. */
  #freesAt(request: LimitRequest): number | null {
    const limit = request.limitMinor - (request.declaredMinor ?? 0n);
    if (request.minor > limit) return null;
    const rolling = rollingOf(request.window);
    if (rolling === undefined) return request.freesAt;
    if (request.member !== null) return null;
    const used = this.#looksAt(request).map((bucket) => this.counters.get(bucket)?.used ?? 0n);
    let left = used.reduce((sum, each) => sum + each, request.minor);
    for (const [at, freed] of used.entries()) {
      left -= freed;
      const step = rolling.step - rolling.steps + at;
      if (left <= limit) return (step + 1 + rolling.steps) * rolling.stepMs;
    }
    return null;
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
    const standing = requests.map((request) => this.#standing(request));
    const refused = requests.filter(
      ({ action, limitMinor, declaredMinor }, index) =>
        action === 'reject' && standing[index]!.used + standing[index]!.adds > limitMinor - (declaredMinor ?? 0n),
    );
    const usesWith = (isReserved: boolean): LimitUse[] =>
      requests.map((request, index) => {
        const { minor, metric, action, ...rest } = request;
        const { used, adds } = standing[index]!;
        return {
          ...rest,
          metric: METRIC[metric],
          action: ACTION[action],
          freesAt: refused.includes(request) ? this.#freesAt(request) : request.freesAt,
          reservedMinor: minor,
          usedMinor: isReserved ? used + adds : used,
        };
      });
    if (refused.length > 0) {
      const ids = refused.map((each) => each.ruleId);
      const outcome: ReserveOutcome = { kind: 'refused', uses: usesWith(false), refused: ids };
      this.transfers.set(transferId, { attempt, state: 'refused', held: [], outcome });
      return outcome;
    }
    const outcome: ReserveOutcome = { kind: 'reserved', uses: usesWith(true) };
    const held = requests
      .filter(({ window }) => isCounted(window))
      .map((request) => ({ bucket: bucketOf(request), minor: request.minor, member: request.member }));
    for (const each of held) this.#count(each, 1n, 1);
    this.transfers.set(transferId, { attempt, state: 'open', held, outcome });
    return outcome;
  }

  #settle(operation: Settle): LimitResult {
    const { transferId, attempt, state, uses } = operation;
    const known = this.transfers.get(transferId);
    const stated = heldBy(uses);
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
      for (const each of stated) this.#count(each, 1n, 1);
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
    if (known?.state === 'open' && counted) for (const each of known.held) this.#count(each, 0n, -1);
    if (known?.state === 'open' && !counted) this.#free(known);
    const held = counted ? known.held : stated;
    if (!counted) for (const each of held) this.#count(each, 1n, 0);
    if (state === 'returned') {
      const freed = new Set(uses.filter((use) => use.freedByReturn).map(bucketOf));
      for (const each of held) if (freed.has(each.bucket)) this.#count(each, -1n, 0);
    }
    return finish(held);
  }
}

/** A reader of the ledger's topics that always reads what `read` adds, and says that it has come nowhere. */
export const ledgerReading = (read: (add: Parameters<LedgerReader>[0]) => Promise<number | undefined>): LedgerReader =>
  Object.assign(
    async (...[add, { atEnd }]: Parameters<LedgerReader>) => {
      const since = await read(add);
      await atEnd?.();
      return since;
    },
    { place: () => '[]', resumeAt: () => undefined },
  );
