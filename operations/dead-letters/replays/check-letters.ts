// The last look at letters before they are sent: whether each still stands as it did when it was selected.
import { STATE_OF_TOPIC } from '../../../domain/transfers/transfer-states.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { type Rings, recoverySealFlaw } from '../../../ports/seals.ts';
import { headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { movesNoMoney } from '../owners.ts';
import type { ReplayableLetters, ReplayLog, TransfersNow } from './ports.ts';
import { replayCountOf } from './record.ts';
import type { ReplayDocument, ReplayItem, SkipReason } from './replay.ts';

/** A letter that has been replayed so often is left alone. */
export const MAX_REPLAYS = 3;

export const ENDED: ReadonlySet<string | undefined> = new Set(['COMPLETED', 'REJECTED', 'RETURNED']);

/** Whether the record that failed is the end of its transfer: then the transfer has ended, and the letter is still to be handled. */
export const isOfAnEnd = ({ sourceTopic }: Pick<ReplayItem, 'sourceTopic'>): boolean =>
  sourceTopic !== null && ENDED.has(STATE_OF_TOPIC[sourceTopic]);

export interface CheckedLetters {
  /** Of a discard: taken out of what stands, with nothing sent. */
  readonly marked: readonly ReplayItem[];
  readonly good: readonly { readonly item: ReplayItem; readonly record: LogRecord }[];
  readonly skipped: readonly { readonly item: string; readonly reason: SkipReason }[];
}

export interface LookSources {
  readonly letters: Pick<ReplayableLetters, 'taken'>;
  readonly log: Pick<ReplayLog, 'letters'>;
  readonly transfers: Pick<TransfersNow, 'standing'>;
  readonly rings: Rings;
}

/** A letter as it stands at this moment. */
export interface LetterLook<Item = ReplayItem> {
  readonly item: Item;
  readonly isTaken: boolean;
  /** Undefined: the log has not kept it. */
  readonly record: LogRecord | undefined;
  readonly standing: { readonly state: string; readonly sequence: number; readonly attempt?: number } | undefined;
}

/** One round trip to each store. Letters that did not fit into memory are left out: they are looked at next. */
export async function lookAtLetters(
  items: readonly ReplayItem[],
  { _id, owner }: ReplayDocument,
  { letters, log, transfers }: LookSources,
): Promise<readonly LetterLook[]> {
  const [taken, { found, left }, standing] = await Promise.all([
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
  return items.flatMap((item) => {
    const place = `${item.place.partition}/${item.place.offset}`;
    if (left.has(place)) return [];
    const at = item.transferId === null ? undefined : standing.get(item.transferId);
    return [{ item, isTaken: taken.has(item.letterId), record: found.get(place), standing: at }];
  });
}

/** What may be sent, and what is skipped. */
export async function checkLetters(
  items: readonly ReplayItem[],
  replay: ReplayDocument,
  sources: LookSources,
): Promise<CheckedLetters> {
  const good: CheckedLetters['good'][number][] = [];
  const skipped: CheckedLetters['skipped'][number][] = [];
  for (const look of await lookAtLetters(items, replay, sources)) {
    const reason = look.isTaken ? flawOf(replay.owner, look, sources.rings) : 'LETTER_NOT_TAKEN';
    if (reason) skipped.push({ item: look.item._id, reason });
    else good.push({ item: look.item, record: look.record! });
  }
  return { good, marked: [], skipped };
}

/** Pure. */
export function flawOf(
  owner: string,
  {
    item,
    record,
    standing,
  }: Pick<LetterLook<Pick<ReplayItem, 'letterId' | 'sequence'>>, 'item' | 'record' | 'standing'>,
  rings: Rings,
): SkipReason | undefined {
  if (!record) return 'LETTER_GONE';
  const { headers } = record;
  const isQuarantined = replayCountOf(record) >= MAX_REPLAYS;
  // These seal nothing, and check the seal of the record itself.
  if (movesNoMoney(owner)) return isQuarantined ? 'REPLAYED_TOO_OFTEN' : undefined;
  const isTrue =
    recoverySealFlaw(rings, record) === undefined &&
    headerText(headers, RECOVERY_HEADER.deadLetterId) === item.letterId;
  if (!isTrue) return 'LETTER_FORGED';
  if (isQuarantined) return 'REPLAYED_TOO_OFTEN';
  // Nothing proves which record it was: as what it claims to be, money could move for it.
  if (headers[RECOVERY_HEADER.claimedTopic] !== undefined) return 'LETTER_UNPROVEN';
  // Settlement tells by the version of a payout what is new: money may come back after the end.
  if (owner === 'settlement') return undefined;
  // As the sealed record says, whatever the item does.
  const sourceTopic = headerText(headers, RECOVERY_HEADER.sourceTopic) ?? null;
  if (isOfAnEnd({ sourceTopic }) || !standing) return undefined;
  if (ENDED.has(standing.state)) return 'TRANSFER_ENDED';
  return item.sequence !== null && standing.sequence > item.sequence ? 'TRANSFER_MOVED_ON' : undefined;
}
