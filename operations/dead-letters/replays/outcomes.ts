// What became of letters that were sent, as the log and what is folded from it say.
import type { TransferDocument } from '../../../sinks/transfer-view/to-write.ts';
import { isOfAnEnd } from './check-letters.ts';
import type { ReplayableLetters, ReplayLog, TransfersNow } from './ports.ts';
import type { Outcome, ReplayDocument, ReplayItem } from './replay.ts';

interface Sources {
  readonly letters: Pick<ReplayableLetters, 'successors'>;
  readonly log: Pick<ReplayLog, 'handled'>;
  readonly transfers: TransfersNow;
}

export interface KnownOutcome {
  readonly item: string;
  readonly letterId: string;
  readonly outcome: Outcome;
  readonly successor: string | null;
}

/** The outcomes that are known by now; letters whose transfers are in flight are left out. One round trip to each store. */
export async function outcomesOf(
  items: readonly ReplayItem[],
  { _id, owner }: ReplayDocument,
  { letters, log, transfers }: Sources,
): Promise<readonly KnownOutcome[]> {
  const intents = items.filter(({ sourceTopic }) => sourceTopic === 'transfer.requested');
  const [successors, handled, standing, ends] = await Promise.all([
    letters.successors(
      owner,
      _id,
      items.flatMap(({ source }) => source ?? []),
    ),
    log.handled(owner),
    transfers.standing(items.flatMap(({ transferId }) => transferId ?? [])),
    transfers.intents(
      intents.flatMap(({ transferId }) => transferId ?? []),
      intents.flatMap(({ source }) => source ?? []),
    ),
  ]);
  const offsets = new Map(handled.map(({ partition, offset }) => [partition, offset]));
  return items.flatMap((item) => {
    const successor = item.source === null ? undefined : successors.get(item.source);
    const facts = {
      isDeadAgain: successor !== undefined,
      isHandled: (offsets.get(item.place.partition) ?? 0) >= (item.sentBefore ?? Number.POSITIVE_INFINITY),
      standing: item.transferId === null ? undefined : standing.get(item.transferId),
      intent: item.source === null ? undefined : ends.get(item.source),
    };
    const outcome = outcomeOf(item, facts);
    if (!outcome) return [];
    return [{ item: item._id, letterId: item.letterId, outcome, successor: successor ?? null }];
  });
}

export interface Facts {
  readonly isDeadAgain: boolean;
  /** Whether its processor has come past it. */
  readonly isHandled: boolean;
  readonly standing: Pick<TransferDocument, 'state' | 'sequence' | 'updatedAt'> | undefined;
  readonly intent: 'REJECTED' | 'DUPLICATE' | undefined;
}

/** Pure. Nothing is known before its processor has come past it: what stands there until then is of before. */
export function outcomeOf(
  item: Pick<ReplayItem, 'sourceTopic' | 'transferId' | 'sequence'>,
  { isDeadAgain, isHandled, standing, intent }: Facts,
): Outcome | undefined {
  if (isDeadAgain) return 'DEAD_AGAIN';
  if (!isHandled) return undefined;
  if (intent) return intent;
  if (item.transferId === null || isOfAnEnd(item)) return 'HANDLED';
  switch (standing?.state) {
    case 'COMPLETED':
    case 'REJECTED':
    case 'RETURNED':
      return standing.state;
    case 'DEAD_LETTERED':
      // At a later stage, which has a letter of its own.
      return item.sequence !== null && standing.sequence > item.sequence ? 'DEAD_AGAIN' : undefined;
    case 'HELD':
      return item.sequence === null || standing.sequence > item.sequence ? 'HELD' : undefined;
    default:
      return undefined;
  }
}
