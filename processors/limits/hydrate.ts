// Fills the ledger from the log when it is not that of the present server run.
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import type { LedgerStore, Settle } from './ports.ts';
import { type LedgerEvents, LedgerFold, type LedgerTopic, settlementOf } from './rebuild.ts';

/**
 * Hands every event of LEDGER_TOPICS to `add`, from the first on (or from where the pass before ended, if `resume`), to the
 * ends known at the call.
 */
export type LedgerReader = (
  add: <T extends LedgerTopic>(topic: T, value: LedgerEvents[T]) => void | Promise<void>,
  options: { readonly resume: boolean },
) => Promise<void>;

export interface Hydration {
  readonly rebuilt: boolean;
  /** Transfers whose reservations were found in the log; 0 when nothing was rebuilt. */
  readonly transfers: number;
}

/**
 * Rebuilds the ledger if it is lost; otherwise does nothing.
 * @throws CodedError REDIS_UNAVAILABLE, and what the reader throws
 */
export async function hydrateLimits(
  store: LedgerStore,
  rules: readonly LimitRule[],
  read: LedgerReader,
): Promise<Hydration> {
  const { hydrated, marker } = await store.status();
  if (hydrated) return { rebuilt: false, transfers: 0 };
  const fold = new LedgerFold(rules);
  await read((topic, value) => fold.add(topic, value), { resume: false });
  const result = await store.replaceAll(fold.state(), marker);
  return { rebuilt: result === 'replaced', transfers: fold.transfers };
}

const CHUNK = 500;

/**
 * Takes in what was committed while the ledger was being rebuilt: reservations made in the lost ledger whose
 * transactions were still open then. Run it once after a rebuild, when the transaction timeout has passed.
 * @returns how many events were taken in
 */
export async function catchUpLimits(
  store: LedgerStore,
  rules: readonly LimitRule[],
  read: LedgerReader,
): Promise<number> {
  const freed = new Set(rules.filter((rule) => rule.freedByReturn).map((rule) => rule.ruleId));
  let pending: Settle[] = [];
  let taken = 0;
  const flush = async () => {
    if (pending.length > 0) await store.apply(pending);
    taken += pending.length;
    pending = [];
  };
  await read(
    async (topic, value) => {
      const settlement = settlementOf(topic, value, freed);
      if (settlement === undefined) return;
      pending.push(settlement);
      if (pending.length >= CHUNK) await flush();
    },
    { resume: true },
  );
  await flush();
  return taken;
}
