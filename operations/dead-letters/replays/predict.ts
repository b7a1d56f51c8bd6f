// What letters would become, as far as can be known without doing anything.
import type { Rings } from '../../../ports/seals.ts';
import { flawOf } from './check-letters.ts';
import type { DryRunner, ReplayLog, TransfersNow } from './ports.ts';
import type { Prediction, ReplayItem, SkipReason } from './replay.ts';

export interface Trial {
  readonly runner: DryRunner;
  readonly transfers: Pick<TransfersNow, 'standing'>;
  readonly rings: Rings;
  /** Ends it between two batches. */
  readonly signal?: AbortSignal;
}

/** What would be skipped is not tried. */
function predictionOf(flaw: SkipReason): Prediction {
  if (flaw === 'TRANSFER_ENDED') return { kind: 'ENDED', code: flaw };
  return { kind: flaw === 'TRANSFER_MOVED_ON' ? 'MOVED_ON' : 'UNREADABLE', code: flaw };
}

/** Predictions for letters, in their order; what would be skipped is told without being tried. */
export async function predictLetters(
  items: readonly Pick<ReplayItem, 'letterId' | 'place' | 'transferId' | 'sequence'>[],
  owner: string,
  log: Pick<ReplayLog, 'letters'>,
  { runner, transfers, rings }: Trial,
): Promise<readonly Prediction[]> {
  const records = await log.letters(
    owner,
    items.map(({ place }) => place),
  );
  const standing = await transfers.standing(items.flatMap(({ transferId }) => transferId ?? []));
  const predictions = new Array<Prediction>(items.length);
  const found = items.flatMap((item, i) => {
    const record = records.get(`${item.place.partition}/${item.place.offset}`);
    const flaw = flawOf(item, record, item.transferId === null ? undefined : standing.get(item.transferId), rings);
    if (flaw) predictions[i] = predictionOf(flaw);
    return flaw ? [] : [{ i, record: record! }];
  });
  const predicted = await runner.predict(
    owner,
    found.map(({ record }) => record),
  );
  found.forEach(({ i }, place) => {
    predictions[i] = predicted[place]!;
  });
  return predictions;
}
