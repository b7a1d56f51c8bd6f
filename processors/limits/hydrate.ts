// Fills the ledger from the log when it is not that of the present server run.
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { stepOf, windowFinder } from '../../domain/limits/windows.ts';
import type { LedgerStore, Settle } from './ports.ts';
import { type LedgerEntry, type LedgerEvents, LedgerFold, type LedgerTopic, settlementOf } from './rebuild.ts';

/**
 * Hands every event of LEDGER_TOPICS to `add`, from the first on (or from where the pass before ended, if `resume`), to the
 * ends known at the call. Where there is a snapshot, its entries go to `restore`, and events from where it ended to `add`.
 * @returns append time (ms since 1970) from which on nothing is missing, if events of before are gone; undefined: all are there
 */
export interface LedgerReader {
  (
    add: <T extends LedgerTopic>(topic: T, value: LedgerEvents[T]) => void | Promise<void>,
    options: {
      readonly resume: boolean;
      readonly restore?: (entry: LedgerEntry) => void;
      /** Done before the pass counts as come through: when it fails, the next pass reads the same again. */
      readonly atEnd?: () => Promise<void>;
    },
  ): Promise<number | undefined>;
  /** How far the last pass came, for `resumeAt` of whoever goes on, in this process or another. */
  place(): string;
  /** The next resumed pass begins there, wherever passes of this reader have ended. */
  resumeAt(place: string): void;
}

/** A rule that counts less than was used, for as long as the window that was open then. */
export interface ShortRule {
  readonly ruleId: string;
  /** ms since 1970; null: for ever. */
  readonly until: number | null;
}

export interface Hydration {
  readonly rebuilt: boolean;
  /** Transfers whose reservations were found in the log; 0 when nothing was rebuilt. */
  readonly transfers: number;
  /** Rules whose window began before the log does: what was used before is not counted. */
  readonly short: readonly ShortRule[];
  /** Which ledger is in force and how far it was filled, while what was committed behind that is not taken in yet. */
  readonly due?: { readonly marker: string; readonly place: string };
}

/**
 * Rebuilds the ledger if it is lost; otherwise does nothing.
 * @param rules as they are at the call
 * @param now ms since 1970: windows that are open then are asked whether the log reaches back to their beginning
 * @throws CodedError REDIS_UNAVAILABLE, and what the reader throws
 */
export async function hydrateLimits(
  store: LedgerStore,
  rules: readonly LimitRule[],
  read: LedgerReader,
  now = Date.now(),
): Promise<Hydration> {
  const { hydrated, marker, short: known = [], catchUp } = await store.status();
  if (hydrated) {
    const due = marker !== null && catchUp !== undefined && { due: { marker, place: catchUp } };
    return { rebuilt: false, transfers: 0, short: stillShort(known, now), ...due };
  }
  // One of an older form is in force: what was counted in it behind the read would go with it. Transfers wait meanwhile.
  if (marker !== null) await store.close(marker);
  const fold = new LedgerFold(rules);
  const since = await read((topic, value) => fold.add(topic, value), {
    resume: false,
    restore: (entry) => fold.restore(entry),
  });
  const short = since === undefined ? [] : rules.flatMap((rule) => shortOf(rule, since, now));
  const result = await store.replaceAll({ ...fold.state(), short, catchUp: read.place() }, null);
  return { rebuilt: result === 'replaced', transfers: fold.transfers, short };
}

const stillShort = (short: readonly ShortRule[], now: number) =>
  short.filter(({ until }) => until === null || until > now);

/** Whether the window of a rule that is open `now` may have begun before `since`, and until when that matters. */
function shortOf({ ruleId, window }: LimitRule, since: number, now: number): readonly ShortRule[] {
  switch (window.kind) {
    case 'transfer':
      return [];
    case 'lifetime':
      return [{ ruleId, until: null }];
    case 'rolling': {
      const { lengthMs, stepMs } = stepOf(window);
      return since > now - lengthMs ? [{ ruleId, until: since + lengthMs + stepMs }] : [];
    }
    case 'calendar': {
      const found = windowFinder(window);
      return found(now).id === found(since).id ? [{ ruleId, until: found(now).endsAt }] : [];
    }
  }
}

const CHUNK = 500;

/**
 * Takes in what was committed while the ledger was being rebuilt: reservations made in the lost ledger whose
 * transactions were still open then. Run it after a rebuild, when the transaction timeout has passed, until it comes through.
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
    { resume: true, atEnd: flush },
  );
  return taken;
}
