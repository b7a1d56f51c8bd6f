// How letters are discarded, looked at again at the moment when it is done: by a rejection of the stage that put them aside, by
// taking them out of what stands, or not at all.
import { type Rings, recoverySealFlaw } from '../../../ports/seals.ts';
import { headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { isEndedByRejection, mayHavePaid, movesNoMoney, writesViewsOnly } from '../owners.ts';
import { type CheckedLetters, ENDED, type LetterLook, type LookSources, lookAtLetters } from './check-letters.ts';
import type { PayoutNow, TransfersNow } from './ports.ts';
import type { ReplayDocument, ReplayItem, SkipReason } from './replay.ts';

/** `reject`: its stage ends the transfer. `mark`: nothing is left to be ended. Anything else: it stays where it is. */
export type DiscardWay = 'reject' | 'mark' | SkipReason;

/** Letters of these classes are of no transfer that waits for them. */
const OF_NOBODY: ReadonlySet<string | undefined> = new Set(['unproven', 'repeated']);

export interface DiscardLook
  extends Pick<LetterLook<Pick<ReplayItem, 'letterId' | 'sequence'>>, 'item' | 'record' | 'standing'> {
  /** Undefined: the transfer has none. */
  readonly payout: PayoutNow | undefined;
}

/** Pure. What may have been paid is never rejected, and what has to be handled is never dropped. */
export function discardWayOf(owner: string, look: DiscardLook, rings: Rings): DiscardWay {
  const way = wayOfLetter(owner, look, rings);
  return way === 'reject' && mayBePaid(look) ? 'MAY_BE_PAID' : way;
}

/**
 * The letter of a later price comes behind a payout: it has to wait for that price, provably, and for no person. A payout that
 * is not there although the transfer had a price before was taken out of the database.
 */
function mayBePaid({ payout, standing }: Pick<DiscardLook, 'payout' | 'standing'>): boolean {
  if (payout === undefined) return (standing?.attempt ?? 1) > 1;
  return payout.phase !== 'EXPIRED' || payout.isContested || !payout.isProven;
}

function wayOfLetter(owner: string, { item, record, standing }: DiscardLook, rings: Rings): DiscardWay {
  const hasEnded = standing !== undefined && ENDED.has(standing.state);
  if (!record) return hasEnded && !mayHavePaid(owner) ? 'mark' : 'LETTER_GONE';
  const { headers } = record;
  const letterClass = headerText(headers, RECOVERY_HEADER.deadLetterClass);
  if (movesNoMoney(owner)) return writesViewsOnly(owner) || letterClass === 'unproven' ? 'mark' : 'STILL_NEEDED';
  const flaw = recoverySealFlaw(rings, record);
  // Its key may have been taken away since: it may be a true letter, and its transfer may wait for it.
  if (flaw === 'SEAL_KEY_UNKNOWN') return 'STILL_NEEDED';
  if (flaw !== undefined) return 'mark';
  if (headerText(headers, RECOVERY_HEADER.deadLetterId) !== item.letterId) return 'LETTER_FORGED';
  if (OF_NOBODY.has(letterClass)) return 'mark';
  if (mayHavePaid(owner)) return mayStillMove(owner, standing?.state) ? 'MAY_BE_PAID' : 'mark';
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic) ?? '';
  const isReadable = letterClass !== 'undecodable' && record.value !== null;
  // An intent whose id is that of a transfer: its producer was told what became of that one.
  if (topic === 'transfer.requested') return isReadable && standing === undefined ? 'reject' : 'mark';
  if (!isEndedByRejection(owner, topic)) return 'STILL_NEEDED';
  if (hasEnded || (item.sequence !== null && standing && standing.sequence > item.sequence)) return 'mark';
  return isReadable ? 'reject' : 'STILL_NEEDED';
}

/** The money may still go, or come back. */
function mayStillMove(owner: string, state: string | undefined): boolean {
  if (state === 'REJECTED' || state === 'RETURNED') return false;
  return !(owner === 'payout-executor' && state === 'COMPLETED');
}

/** One round trip to each store. What did not fit into memory is in none of the three: it is looked at next. */
export async function checkDiscards(
  items: readonly ReplayItem[],
  replay: ReplayDocument,
  sources: LookSources & { readonly transfers: Pick<TransfersNow, 'payouts'> },
): Promise<CheckedLetters> {
  const good: CheckedLetters['good'][number][] = [];
  const marked: ReplayItem[] = [];
  const skipped: CheckedLetters['skipped'][number][] = [];
  // Payouts last: what opens one, or a case of it, may happen while the letters are read.
  const looks = await lookAtLetters(items, replay, sources);
  const payouts = await sources.transfers.payouts(looks.flatMap(({ item }) => item.transferId ?? []));
  for (const look of looks) {
    const { item, record, isTaken } = look;
    const payout = item.transferId === null ? undefined : payouts.get(item.transferId);
    const way = isTaken ? discardWayOf(replay.owner, { ...look, payout }, sources.rings) : 'LETTER_NOT_TAKEN';
    if (way === 'reject') good.push({ item, record: record! });
    else if (way === 'mark') marked.push(item);
    else skipped.push({ item: item._id, reason: way });
  }
  return { good, marked, skipped };
}
