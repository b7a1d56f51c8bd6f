// What letters would become, as far as can be known without doing anything.
import type { DiscardReason } from '../../../domain/reasons.ts';
import type { LogRecord } from '../../../ports/log.ts';
import type { Rings } from '../../../ports/seals.ts';
import { discardWayOf } from './check-discards.ts';
import { flawOf, type LetterLook } from './check-letters.ts';
import type { DryRunner, ReplayLog, TransfersNow, TriedLetter } from './ports.ts';
import type { Prediction, ReplayItem, SkipReason } from './replay.ts';

export interface Trial {
  readonly runner: DryRunner;
  readonly transfers: Pick<TransfersNow, 'standing' | 'payouts'>;
  readonly rings: Rings;
  /** Ends it between two batches. */
  readonly signal?: AbortSignal;
  /** Called with the records of letters that are what their consumers put aside, each once. */
  readonly onRecords?: (records: readonly LogRecord[]) => Promise<void>;
}

/** What would be skipped is not tried. */
function predictionOf(flaw: SkipReason): Prediction {
  if (flaw === 'TRANSFER_ENDED') return { kind: 'ENDED', code: flaw };
  if (flaw === 'MAY_BE_PAID' || flaw === 'STILL_NEEDED') return { kind: 'REFUSED', code: flaw };
  return { kind: flaw === 'TRANSFER_MOVED_ON' ? 'MOVED_ON' : 'UNREADABLE', code: flaw };
}

type Tried = Pick<ReplayItem, 'letterId' | 'place' | 'transferId' | 'sequence' | 'edit'>;
type Look = Pick<LetterLook<Tried>, 'item' | 'record' | 'standing'>;

/** Predictions for letters, in their order; what would be skipped is told without being tried. */
export function predictLetters(
  items: readonly Tried[],
  owner: string,
  log: Pick<ReplayLog, 'letters'>,
  { runner, transfers, rings, onRecords }: Trial,
): Promise<readonly Prediction[]> {
  return predictAll(items, owner, log, transfers, {
    onRecords,
    known: (look) => {
      const flaw = flawOf(owner, look, rings);
      return flaw && predictionOf(flaw);
    },
    tried: (letters) => runner.predict(owner, letters),
  });
}

/** The same, of letters that would be discarded for this reason. */
export async function predictDiscards(
  items: readonly Tried[],
  owner: string,
  reason: DiscardReason,
  log: Pick<ReplayLog, 'letters'>,
  { runner, transfers, rings, onRecords }: Trial,
): Promise<readonly Prediction[]> {
  const payouts = await transfers.payouts(items.flatMap(({ transferId }) => transferId ?? []));
  return predictAll(items, owner, log, transfers, {
    onRecords,
    known: (look) => {
      const { transferId } = look.item;
      const payout = transferId === null ? undefined : payouts.get(transferId);
      const way = discardWayOf(owner, { ...look, payout }, rings);
      if (way === 'reject') return undefined;
      return way === 'mark' ? { kind: 'ENDED', code: null } : predictionOf(way);
    },
    tried: (letters) =>
      runner.predictDiscards(
        owner,
        letters.map(({ record }) => record),
        reason,
      ),
  });
}

interface Ways {
  readonly onRecords: Trial['onRecords'] | undefined;
  /** What is known without trying. */
  known(look: Look): Prediction | undefined;
  tried(letters: readonly TriedLetter[]): Promise<readonly Prediction[]>;
}

async function predictAll(
  items: readonly Tried[],
  owner: string,
  log: Pick<ReplayLog, 'letters'>,
  transfers: Trial['transfers'],
  { known, tried, onRecords }: Ways,
): Promise<readonly Prediction[]> {
  const standing = await transfers.standing(items.flatMap(({ transferId }) => transferId ?? []));
  const predictions = new Array<Prediction>(items.length);
  // As many at a time as fit into memory.
  let open = items.map((item, i) => ({ item, i }));
  while (open.length > 0) {
    const { found, left } = await log.letters(
      owner,
      open.map(({ item }) => item.place),
    );
    const later: typeof open = [];
    const asked: (TriedLetter & { readonly i: number })[] = [];
    const genuine: LogRecord[] = [];
    for (const each of open) {
      const { item, i } = each;
      const place = `${item.place.partition}/${item.place.offset}`;
      if (left.has(place)) {
        later.push(each);
        continue;
      }
      const record = found.get(place);
      const at = item.transferId === null ? undefined : standing.get(item.transferId);
      const prediction = known({ item, record, standing: at });
      if (record && prediction?.kind !== 'UNREADABLE') genuine.push(record);
      if (prediction) predictions[i] = prediction;
      else asked.push({ i, record: record!, edit: item.edit });
    }
    await onRecords?.(genuine);
    const predicted = await tried(asked);
    for (const [nth, { i }] of asked.entries()) predictions[i] = predicted[nth]!;
    open = later;
  }
  return predictions;
}
