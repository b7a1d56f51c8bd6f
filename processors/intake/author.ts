// Who an intent is from, and whether that producer may use its id and its corridor. Pure.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { type IntentKeys, isFrom } from '../../domain/producers/intent-seal.ts';
import type { ProducerBook } from '../../domain/producers/producers.ts';
import { reason } from '../../domain/reasons.ts';
import type { Reason, TransferRequested } from '../../schemas/types.generated.ts';
import type { Received } from '../contract.ts';

/** What an installation knows of its producers. */
export interface ProducerRules {
  readonly book: ProducerBook;
  readonly keys: IntentKeys;
}

export interface Author {
  /** Null: nobody can tell. */
  readonly producerId: string | null;
  /** Every reason against its being from this producer. */
  readonly reasons: readonly Reason[];
}

/** Who this intent is from, as far as it is proven or configured. Who has no key at all can check none: all is as without seals. */
export function authorOf(
  { value, intentSeal }: Pick<Received<TransferRequested>, 'value' | 'intentSeal'>,
  { book, keys }: ProducerRules,
  corridors: CorridorBook,
): Author {
  const checks = keys.api !== undefined || keys.ofProducer.size > 0;
  if (intentSeal && checks) {
    if (!isFrom(keys, intentSeal, intentSeal.value)) return { producerId: null, reasons: [reason('PRSL')] };
    return allowed(intentSeal.producer);
  }
  if (book.sharedTopicProducer !== undefined) return allowed(book.sharedTopicProducer);
  return book.takesUnproven ? allowed(null) : { producerId: null, reasons: [reason('PRSL')] };

  function allowed(producerId: string | null): Author {
    const corridor = corridors.between(value.sourceCurrency, value.targetCurrency)?.id;
    return { producerId, reasons: book.reasonsAgainst(producerId, value.transferId, corridor) };
  }
}
