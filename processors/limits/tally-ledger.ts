// The ledger of reservations in memory, with the arithmetic of the script in Redis: what a backtest counts with. A property test
// asks both the same (adapters/redis/limits-rules.int.test.ts).
import { isCounted } from '../../domain/limits/windows.ts';
import type { LimitLedger, LimitOperation, LimitResult, Reserve, Settle, SettledUse } from './ports.ts';
import { type Counted, reserveIn, Tally } from './tally.ts';

/** What a transfer counts for. */
interface Use extends Counted {
  readonly freedByReturn: boolean;
}

interface Held {
  attempt: number;
  state: 'refused' | Settle['state'];
  uses: readonly Use[];
  /** Undefined where outcomes are not kept. */
  outcome: LimitResult | undefined;
  /** When it was last written, by `now` of the ledger. */
  at: number;
}

/** A transfer that is known for longer than this is priced no more; payouts begin within a week. */
const MAX_UNDER_WAY_MS = 9 * 86_400_000;

export interface TallyLedgerOptions {
  /** Answers an attempt that runs again as the first time; without it, the answer to that is `superseded`. */
  readonly keepsOutcomes?: boolean;
}

export class TallyLedger implements LimitLedger {
  readonly #tally = new Tally();
  readonly #held = new Map<string, Held>();
  readonly #keepsOutcomes: boolean;
  /** What time it is in the log, ms since 1970: for what is let go. */
  now = 0;

  constructor({ keepsOutcomes = false }: TallyLedgerOptions = {}) {
    this.#keepsOutcomes = keepsOutcomes;
  }

  async apply(operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    return operations.map((operation) => this.applyNow(operation));
  }

  applyNow(operation: LimitOperation): LimitResult {
    if (operation.kind === 'reserve') return this.#reserve(operation);
    return { kind: 'settled', changed: this.#settle(operation) };
  }

  /** What stands for a transfer. */
  find(transferId: string): Pick<Held, 'attempt' | 'state'> | undefined {
    return this.#held.get(transferId);
  }

  /** The transfer ends as it was reserved; one that was not reserved is not counted. */
  end(transferId: string, state: Exclude<Settle['state'], 'open'>): void {
    const known = this.#held.get(transferId);
    if (known === undefined || known.state === 'refused' || known.state === 'released') return;
    if (known.state === 'returned' || known.state === state) return;
    if (state === 'released') {
      if (known.state === 'open') this.#finish(transferId, { ...known, state, uses: [] }, known.uses);
      return;
    }
    const freed = state === 'returned' ? known.uses.filter((use) => use.freedByReturn) : [];
    this.#finish(transferId, { ...known, state }, freed);
  }

  /** Counters and transfers that are in memory. */
  get size(): number {
    return this.#tally.size + this.#held.size;
  }

  /** Lets go of what cannot matter to anything that is taken at `now` (ms since 1970) or later. */
  forget(now: number): void {
    this.#tally.forget(now);
    for (const [transferId, { uses, at }] of this.#held) {
      const matters = at > now - MAX_UNDER_WAY_MS || uses.some((use) => this.#tally.matters(use, now));
      if (!matters) this.#held.delete(transferId);
    }
  }

  #finish(transferId: string, held: Held, freed: readonly Use[]): void {
    for (const use of freed) this.#tally.count(use, -1);
    this.#held.set(transferId, { ...held, outcome: undefined, at: this.now });
  }

  #reserve({ transferId, attempt, requests, limitRules }: Reserve): LimitResult {
    const known = this.#held.get(transferId);
    if (known !== undefined) {
      if (known.state !== 'open' && known.state !== 'refused') return { kind: 'ended' };
      if (attempt === known.attempt) return known.outcome ?? { kind: 'superseded' };
      if (attempt < known.attempt) return { kind: 'superseded' };
      if (known.state === 'refused') return { kind: 'ended' };
      for (const use of known.uses) this.#tally.count(use, -1);
    }
    const reserved = reserveIn(this.#tally, requests);
    const outcome = limitRules === undefined ? reserved : { ...reserved, limitRules };
    const isReserved = reserved.kind === 'reserved';
    this.#held.set(transferId, {
      ...{ attempt, state: isReserved ? 'open' : 'refused' },
      uses: isReserved ? requests.filter(({ window }) => isCounted(window)).map(useOf) : [],
      outcome: this.#keepsOutcomes ? outcome : undefined,
      at: this.now,
    });
    return outcome;
  }

  /** An end as the log states it; what is not known is counted now. @returns whether anything changed */
  #settle({ transferId, attempt, state, uses: stated }: Settle): boolean {
    const known = this.#held.get(transferId);
    const uses = stated.filter(({ window }) => isCounted(window)).map(settledUse);
    const keep = (kept: readonly Use[], outcome?: LimitResult) =>
      void this.#held.set(transferId, {
        ...{ attempt, state, uses: kept, at: this.now },
        outcome: this.#keepsOutcomes ? outcome : undefined,
      });
    if (state === 'open') {
      if (known !== undefined && (known.state !== 'open' || attempt <= known.attempt)) return false;
      this.#countAll(known?.uses ?? [], -1);
      this.#countAll(uses, 1);
      keep(uses, { kind: 'reserved', uses: stated.map(({ ...use }) => use) });
      return true;
    }
    if (known?.state === state || known?.state === 'returned') return false;
    if (state === 'released') {
      if (known !== undefined && known.state !== 'open') return false;
      this.#countAll(known?.uses ?? [], -1);
      keep([]);
      return true;
    }
    const isOpen = known?.state === 'open';
    const counted = known?.state === 'committed' || (isOpen && known.attempt === attempt);
    if (isOpen && !counted) this.#countAll(known.uses, -1);
    const held = counted ? known!.uses : uses;
    if (!counted) this.#countAll(held, 1);
    if (state === 'returned') {
      const freed = new Map(uses.map((use) => [placeOf(use), use.freedByReturn]));
      this.#countAll(
        held.filter((use) => freed.get(placeOf(use))),
        -1,
      );
    }
    keep(held);
    return true;
  }

  #countAll(uses: readonly Use[], times: 1 | -1): void {
    for (const use of uses) this.#tally.count(use, times);
  }
}

const placeOf = ({ ruleId, subjectToken, window }: Counted) => `${ruleId}:${subjectToken}:${window}`;

const useOf = ({ ruleId, subjectToken, window, minor, member, freedByReturn }: Reserve['requests'][number]): Use => ({
  ...{ ruleId, subjectToken, window, minor, member, freedByReturn },
});

const settledUse = ({ ruleId, subjectToken, window, reservedMinor, member, freedByReturn }: SettledUse): Use => ({
  ...{ ruleId, subjectToken, window, minor: reservedMinor, member, freedByReturn },
});
