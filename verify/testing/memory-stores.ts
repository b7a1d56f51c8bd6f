// Stores in memory, filled as the sinks, stages and executor fill theirs.
import type { Documents, LimitsStore, StoredCounter, StoredReservation, Stores } from '../ports.ts';

/** Documents by id that a test may change at will. */
export class MemoryDocuments<D> implements Documents<D> {
  readonly byId = new Map<string, D>();
  readonly #idOf: (document: D) => string;

  constructor(idOf: (document: D) => string) {
    this.#idOf = idOf;
  }

  put(document: D): void {
    this.byId.set(this.#idOf(document), document);
  }

  async find(ids: readonly string[]): Promise<readonly D[]> {
    return ids.flatMap((id) => this.byId.get(id) ?? []);
  }

  async count(): Promise<number> {
    return this.byId.size;
  }

  async *ids(): AsyncGenerator<readonly string[]> {
    yield [...this.byId.keys()];
  }
}

type DocumentOf<S> = S extends Documents<infer D> ? D : never;
export type MemoryStores = { readonly [K in keyof Stores]: MemoryDocuments<DocumentOf<Stores[K]>> };

export function memoryStores(): MemoryStores {
  return {
    events: new MemoryDocuments(({ _id }) => _id),
    transfers: new MemoryDocuments(({ _id }) => _id),
    cases: new MemoryDocuments(({ _id }) => _id),
    payouts: new MemoryDocuments(({ payoutId }) => payoutId),
    intentClaims: new MemoryDocuments(({ transferId }) => transferId),
    settlementClaims: new MemoryDocuments(({ transferId }) => transferId),
    holdClaims: new MemoryDocuments(({ holdId }) => holdId),
    replayClaims: new MemoryDocuments(({ deadLetterId }) => deadLetterId),
  };
}

export class MemoryLimits implements LimitsStore {
  readonly reservations = new Map<string, StoredReservation>();
  readonly buckets = new Map<string, StoredCounter>();
  isHydrated = true;

  async hydrated(): Promise<boolean> {
    return this.isHydrated;
  }

  async find(transferIds: readonly string[]): Promise<readonly StoredReservation[]> {
    return transferIds.flatMap((id) => this.reservations.get(id) ?? []);
  }

  async *counters(): AsyncGenerator<readonly StoredCounter[]> {
    yield [...this.buckets.values()];
  }
}
