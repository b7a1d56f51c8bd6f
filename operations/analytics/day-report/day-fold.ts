// The figures of one day for analysts, from the rows that the broker took on it: those of docs/examples/analytics, by the same
// rules. Pure. Memory grows with the transfers of the day, and with the states that each of them came to and left.
import type { IntentDuplicated, IntentRejected, TransferLifecycle } from '../../../schemas/types.generated.ts';

const HOUR_MS = 3_600_000;
export const HOURS = 24;

/** Counts of each hour of the day (UTC). */
type ByHour = readonly number[];

export interface VolumeRow {
  readonly corridorId: string | null;
  readonly currency: string;
  readonly exponent: number | null;
  readonly transfers: number;
  /** Minor units of the source currency, as all sums but what came back. */
  readonly debitMinor: bigint;
  readonly feesMinor: bigint;
  readonly marginMinor: bigint;
  readonly revenueMinor: bigint;
}

export interface ReturnRow {
  readonly corridorId: string | null;
  readonly currency: string;
  readonly exponent: number | null;
  readonly returned: number;
  /** Minor units of the target currency. */
  readonly returnedMinor: bigint;
}

export interface StayRow {
  readonly state: string;
  readonly times: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface ReasonRow {
  readonly stage: string;
  readonly code: string;
  readonly transfers: number;
}

export interface RefusedRow {
  readonly corridorId: string | null;
  readonly producerId: string | null;
  readonly code: string;
  readonly intents: number;
}

export interface DuplicateRow {
  readonly producerId: string | null;
  readonly repeats: number;
  readonly transfers: number;
}

export interface DayFigures {
  readonly rows: number;
  readonly contractVersions: readonly number[];
  readonly hours: {
    readonly accepted: ByHour;
    readonly completed: ByHour;
    readonly rejected: ByHour;
    /** From the first row to the payment, ms, of those that began on the day; null: none was completed in that hour. */
    readonly p50Ms: readonly (number | null)[];
    readonly p95Ms: readonly (number | null)[];
  };
  /** Completed transfers by corridor, those with the most first. */
  readonly corridors: readonly { readonly corridorId: string | null; readonly completed: ByHour }[];
  readonly volume: readonly VolumeRow[];
  /** How many transfers came to each state, at least once. */
  readonly funnel: readonly { readonly state: string; readonly transfers: number }[];
  readonly stays: readonly StayRow[];
  readonly declined: readonly ReasonRow[];
  readonly holds: readonly ReasonRow[];
  /** Dead letters that stopped a transfer. */
  readonly stopped: readonly ReasonRow[];
  readonly refused: readonly RefusedRow[];
  readonly returns: readonly ReturnRow[];
  readonly duplicates: readonly DuplicateRow[];
}

/** A day, filled row by row. */
export class DayFold {
  readonly #from: number;
  #rows = 0;
  readonly #versions = new Set<number>();
  readonly #byHour = { accepted: zeros(), completed: zeros(), rejected: zeros() };
  readonly #times: number[][] = Array.from({ length: HOURS }, () => []);
  readonly #begun = new Map<string, number>();
  readonly #corridors = new Map<string | null, number[]>();
  readonly #volume = new Groups<Mutable<VolumeRow>>();
  readonly #returns = new Groups<Mutable<ReturnRow>>();
  readonly #seen = new Map<string, Set<string>>();
  readonly #stays = new Map<string, number[]>();
  readonly #reasons = {
    REJECTED: new Groups<Mutable<ReasonRow>>(),
    HELD: new Groups<Mutable<ReasonRow>>(),
    DEAD_LETTERED: new Groups<Mutable<ReasonRow>>(),
  };
  readonly #refused = new Groups<Mutable<RefusedRow>>();
  readonly #duplicates = new Groups<{ producerId: string | null; repeats: number; transfers: Set<string> }>();

  /** @param from when the day begins, ms since 1970 UTC */
  constructor(from: number) {
    this.#from = from;
  }

  /** @param recordedAt when the broker took it, on the day, ms since 1970 */
  transfer(row: TransferLifecycle, recordedAt: number): void {
    this.#rows += 1;
    this.#versions.add(row.contractVersion ?? 1);
    const { state, stage, transferId } = row;
    if (state === 'REJECTED' || state === 'HELD' || state === 'DEAD_LETTERED') {
      for (const code of row.reasonCodes)
        this.#reasons[state].at([stage, code], () => ({ stage, code, transfers: 0 })).transfers += 1;
    }
    if (row.eventKind === 'MARK') return;
    const seen = this.#seen.get(state) ?? new Set<string>();
    this.#seen.set(state, seen);
    seen.add(transferId);
    this.#stay(row);
    const hour = this.#hourOf(recordedAt);
    if (row.sequence === 1) this.#begun.set(transferId, row.occurredAt);
    if (state === 'ACCEPTED') this.#byHour.accepted[hour]! += 1;
    if (state === 'REJECTED') this.#byHour.rejected[hour]! += 1;
    if (state === 'COMPLETED') this.#completed(row, hour);
    if (state === 'RETURNED') this.#returned(row);
  }

  refused({ corridorId, producerId, reasons }: IntentRejected): void {
    for (const { code } of reasons) {
      const key = [corridorId, producerId, code];
      this.#refused.at(key, () => ({ corridorId, producerId, code, intents: 0 })).intents += 1;
    }
  }

  duplicated({ producerId, transferId }: IntentDuplicated): void {
    const group = this.#duplicates.at([producerId], () => ({ producerId, repeats: 0, transfers: new Set<string>() }));
    group.repeats += 1;
    group.transfers.add(transferId);
  }

  figures(): DayFigures {
    const corridors = [...this.#corridors].map(([corridorId, completed]) => ({ corridorId, completed }));
    return {
      rows: this.#rows,
      contractVersions: [...this.#versions].toSorted((one, other) => one - other),
      hours: {
        ...this.#byHour,
        p50Ms: this.#times.map((times) => quantile(times, 0.5)),
        p95Ms: this.#times.map((times) => quantile(times, 0.95)),
      },
      corridors: corridors.toSorted((one, other) => sumOf(other.completed) - sumOf(one.completed)),
      volume: this.#volume.sorted(),
      funnel: [...this.#seen]
        .map(([state, ids]) => ({ state, transfers: ids.size }))
        .toSorted(byText(({ state }) => state)),
      stays: [...this.#stays]
        .map(([state, times]): StayRow => {
          return { state, times: times.length, p50Ms: quantile(times, 0.5)!, p95Ms: quantile(times, 0.95)! };
        })
        .toSorted(byText(({ state }) => state)),
      declined: this.#reasons.REJECTED.sorted(),
      holds: this.#reasons.HELD.sorted(),
      stopped: this.#reasons.DEAD_LETTERED.sorted(),
      refused: this.#refused.sorted(),
      returns: this.#returns.sorted(),
      duplicates: this.#duplicates.sorted().map((each) => ({ ...each, transfers: each.transfers.size })),
    };
  }

  #completed(row: TransferLifecycle, hour: number): void {
    const { corridorId, sourceCurrency: currency, sourceExponent: exponent, transferId } = row;
    this.#byHour.completed[hour]! += 1;
    const hours = this.#corridors.get(corridorId) ?? zeros();
    this.#corridors.set(corridorId, hours);
    hours[hour]! += 1;
    const { feesMinor, marginMinor } = row;
    const volume = this.#volume.at([corridorId, currency], () => ({
      ...{
        corridorId,
        currency,
        exponent,
        transfers: 0,
        debitMinor: 0n,
        feesMinor: 0n,
        marginMinor: 0n,
        revenueMinor: 0n,
      },
    }));
    // Rows of before the field came have none.
    volume.exponent ??= exponent;
    volume.transfers += 1;
    volume.debitMinor += row.debitMinor ?? 0n;
    volume.feesMinor += feesMinor ?? 0n;
    volume.marginMinor += marginMinor ?? 0n;
    // A row of before a field came earned what nobody can tell, as SQL has it.
    volume.revenueMinor += feesMinor === null || marginMinor === null ? 0n : feesMinor + marginMinor;
    const begun = this.#begun.get(transferId);
    if (begun === undefined) return;
    this.#begun.delete(transferId);
    this.#times[hour]!.push(row.occurredAt - begun);
  }

  #returned({
    corridorId,
    targetCurrency: currency,
    targetExponent: exponent,
    returnedMinor,
  }: TransferLifecycle): void {
    const first = () => ({ corridorId, currency, exponent, returned: 0, returnedMinor: 0n });
    const group = this.#returns.at([corridorId, currency], first);
    group.exponent ??= exponent;
    group.returned += 1;
    group.returnedMinor += returnedMinor ?? 0n;
  }

  #stay({ previousState, previousOccurredAt, occurredAt }: TransferLifecycle): void {
    if (previousState === null || previousOccurredAt === null) return;
    const times = this.#stays.get(previousState) ?? [];
    this.#stays.set(previousState, times);
    times.push(occurredAt - previousOccurredAt);
  }

  #hourOf(recordedAt: number): number {
    return Math.min(HOURS - 1, Math.max(0, Math.floor((recordedAt - this.#from) / HOUR_MS)));
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const zeros = (): number[] => new Array<number>(HOURS).fill(0);
const sumOf = (counts: ByHour): number => counts.reduce((sum, each) => sum + each, 0);
const byText =
  <T>(textOf: (each: T) => string) =>
  (one: T, other: T): number =>
    textOf(one) < textOf(other) ? -1 : 1;

/** Rows by what they are of. */
class Groups<T> {
  readonly #groups = new Map<string, T>();

  at(key: readonly (string | null)[], first: () => T): T {
    const name = JSON.stringify(key);
    const known = this.#groups.get(name) ?? first();
    this.#groups.set(name, known);
    return known;
  }

  sorted(): readonly T[] {
    return [...this.#groups].toSorted(byText(([name]) => name)).map(([, group]) => group);
  }
}

/** The least of these of which so large a share is no greater, as quantile_disc of SQL; null: there are none. */
function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
