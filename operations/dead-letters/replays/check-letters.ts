// The last look at letters before they are sent: whether each still stands as it did when it was selected.
import { STATE_OF_TOPIC } from '../../../domain/transfers/transfer-states.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { type Rings, recoverySealFlaw } from '../../../ports/seals.ts';
import { headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import type { ReplayableLetters, ReplayLog, TransfersNow } from './ports.ts';
import { replayCountOf } from './record.ts';
import type { ReplayDocument, ReplayItem, SkipReason } from './replay.ts';

/** A letter that has been replayed so often is left alone. */
export const MAX_REPLAYS = 3;

const ENDED: ReadonlySet<string | undefined> = new Set(['COMPLETED', 'REJECTED', 'RETURNED']);

/** Whether the record that failed is the end of its transfer: then the transfer has ended, and the letter is still to be handled. */
export const isOfAnEnd = ({ sourceTopic }: Pick<ReplayItem, 'sourceTopic'>): boolean =>
  sourceTopic !== null && ENDED.has(STATE_OF_TOPIC[sourceTopic]);

export interface CheckedLetters {
  readonly good: readonly { readonly item: ReplayItem; readonly record: LogRecord }[];
  readonly skipped: readonly { readonly item: string; readonly reason: SkipReason }[];
}

interface Sources {
  readonly letters: Pick<ReplayableLetters, 'taken'>;
  readonly log: Pick<ReplayLog, 'letters'>;
  readonly transfers: Pick<TransfersNow, 'standing'>;
  readonly rings: Rings;
}

/** One round trip to each store. */
export async function checkLetters(
  items: readonly ReplayItem[],
  { _id, owner }: ReplayDocument,
  { letters, log, transfers, rings }: Sources,
): Promise<CheckedLetters> {
  const [taken, records, standing] = await Promise.all([
    letters.taken(
      _id,
      items.map(({ letterId }) => letterId),
    ),
    log.letters(
      owner,
      items.map(({ place }) => place),
    ),
    transfers.standing(items.flatMap(({ transferId }) => transferId ?? [])),
  ]);
  const good: CheckedLetters['good'][number][] = [];
  const skipped: CheckedLetters['skipped'][number][] = [];
  for (const item of items) {
    const record = records.get(`${item.place.partition}/${item.place.offset}`);
    const reason = taken.has(item.letterId)
      ? flawOf(item, record, item.transferId === null ? undefined : standing.get(item.transferId), rings)
      : 'LETTER_NOT_TAKEN';
    if (reason) skipped.push({ item: item._id, reason });
    else good.push({ item, record: record! });
  }
  return { good, skipped };
}

/** Pure. */
export function flawOf(
  item: Pick<ReplayItem, 'letterId' | 'sequence'>,
  record: LogRecord | undefined,
  standing: { readonly state: string; readonly sequence: number } | undefined,
  rings: Rings,
): SkipReason | undefined {
  if (!record) return 'LETTER_GONE';
  const isTrue =
    recoverySealFlaw(rings, record) === undefined &&
    headerText(record.headers, RECOVERY_HEADER.deadLetterId) === item.letterId;
  if (!isTrue) return 'LETTER_FORGED';
  if (replayCountOf(record) >= MAX_REPLAYS) return 'REPLAYED_TOO_OFTEN';
  // As the sealed record says, whatever the item does.
  const sourceTopic = headerText(record.headers, RECOVERY_HEADER.sourceTopic) ?? null;
  if (isOfAnEnd({ sourceTopic }) || !standing) return undefined;
  if (ENDED.has(standing.state)) return 'TRANSFER_ENDED';
  return item.sequence !== null && standing.sequence > item.sequence ? 'TRANSFER_MOVED_ON' : undefined;
}
