// What became of letters that a replay has sent: looked up while it runs, and on after it has ended.
import type { Clock } from '../../../ports/clock.ts';
import type { ErrorCode } from '../../../ports/error-codes.ts';
import { codeAndDetail } from '../../../ports/fault.ts';
import { type KnownOutcome, outcomesOf } from './outcomes.ts';
import type { TransfersNow } from './ports.ts';
import type { ReplayStores } from './prepare.ts';
import type { ReplayDocument } from './replay.ts';

/** Outcomes that are looked for at once. */
const MAX_LOOKED_AT = 2_000;
/** How often replays that have ended are looked at, and how many at a time. */
const WATCH_MS = 30_000;
const MAX_WATCHED = 20;

export interface SentLettersOptions extends Pick<ReplayStores, 'replays' | 'letters' | 'log'> {
  readonly transfers: TransfersNow;
  readonly clock: Clock;
  /** Called with a fault that passes: the replay is looked at again. Never throws. */
  readonly onFault?: (replayId: string, fault: { readonly code: ErrorCode; readonly detail: string }) => void;
}

export class SentLetters {
  readonly #options: SentLettersOptions;
  /** Turn of the letter of each replay behind which outcomes are looked for next. */
  readonly #lookedAt = new Map<string, number>();
  #watchAt = 0;
  #watchedTo = '';

  constructor(options: SentLettersOptions) {
    this.#options = options;
  }

  /** Looks what became of some of the letters that were sent, and next time of others. @returns how many are still open of these */
  async settle(replay: ReplayDocument): Promise<number> {
    if (replay.startedAt === null) return 0;
    const { replays, letters, log, transfers, clock } = this.#options;
    const after = this.#lookedAt.get(replay._id) ?? -1;
    const filter = { states: ['SENT'], isOutcomeKnown: false } as const;
    const open = await replays.items(replay._id, { ...filter, after }, MAX_LOOKED_AT);
    // Those whose transfers are in flight for long must not hide the others.
    if (open.length < MAX_LOOKED_AT) this.#lookedAt.delete(replay._id);
    else this.#lookedAt.set(replay._id, open.at(-1)!.turn);
    if (open.length === 0) return 0;
    const known = await outcomesOf(open, replay, { letters, log, transfers });
    if (known.length === 0) return open.length;
    const at = new Date(clock.now());
    const isDiscarded = ({ outcome }: KnownOutcome) => replay.discard !== null && outcome === 'REJECTED';
    for (const [state, of] of Map.groupBy(known, (each) =>
      each.outcome === 'DEAD_AGAIN' ? 'REPLACED' : isDiscarded(each) ? 'DISCARDED' : 'VERIFIED',
    )) {
      const ids = of.map(({ letterId }) => letterId);
      await letters.move(replay._id, ids, state, at);
    }
    await replays.settle(known, at);
    return open.length - known.length;
  }

  /** Goes on looking what became of letters of replays that have ended: no letter stays SENT because its transfer took long. */
  async watch(): Promise<void> {
    const { replays, clock, onFault } = this.#options;
    if (clock.now() < this.#watchAt) return;
    this.#watchAt = clock.now() + WATCH_MS;
    const watched = await replays.watched(MAX_WATCHED, this.#watchedTo);
    this.#watchedTo = watched.length < MAX_WATCHED ? '' : watched.at(-1)!._id;
    for (const replay of watched) {
      try {
        await this.settle(replay);
        const { sent, known } = await replays.progress(replay._id);
        if (known >= sent) await replays.change(replay, { isWatched: false });
      } catch (error) {
        const { code, detail } = codeAndDetail(error);
        onFault?.(replay._id, { code, detail });
      }
    }
  }
}
