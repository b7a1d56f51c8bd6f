// Producers: which transfer ids belong to whom, and which corridors each may use. Pure.
import { DomainError } from '../fault.ts';
import { type ReasonCode, reason } from '../reasons.ts';

/** One producer, as an installation knows it. */
export interface Producer {
  readonly id: string;
  /** Ids that begin so are its own: nobody else may use one, and it uses no other. None: ids that are nobody's. */
  readonly idPrefixes: readonly string[];
  /** Ids of the corridors that it may use; undefined: all. */
  readonly corridors: readonly string[] | undefined;
}

export interface ProducerTerms {
  readonly producers: readonly Producer[];
  /** Who intents are from that come without a seal; undefined: see `takesUnproven`. */
  readonly sharedTopicProducer: string | undefined;
  /** Whether an intent that nobody has sealed, and that is of no producer by configuration, is taken all the same. */
  readonly takesUnproven: boolean;
}

/** Whoever writes an intent may use any id, and is known where it is proven: an installation that lists no producers. */
export const NO_PRODUCERS: ProducerTerms = { producers: [], sharedTopicProducer: undefined, takesUnproven: true };

/** Who may use which id and which corridor. Build it once, at the start. */
export interface ProducerBook {
  readonly sharedTopicProducer: string | undefined;
  readonly takesUnproven: boolean;
  /**
   * Every reason why this producer may not use the id or the corridor; empty: it may.
   * @param producer null: nobody can tell who it is
   * @param corridor id; undefined: there is none between the currencies, which is told elsewhere
   */
  reasonsAgainst(producer: string | null, transferId: string, corridor: string | undefined): readonly ProducerReason[];
}

export type ProducerReason = { readonly code: ReasonCode; readonly detail: string };

export const PRODUCER_ID_PATTERN = /^[a-z0-9][a-z0-9-]{1,62}$/;
const PREFIX_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{1,39}$/;

/** @throws DomainError PRODUCERS_INVALID with every mistake in the terms */
export function producerBook({ producers, sharedTopicProducer, takesUnproven }: ProducerTerms): ProducerBook {
  const faults = [...faultsOf(producers), ...overlaps(producers)];
  if (sharedTopicProducer !== undefined && !PRODUCER_ID_PATTERN.test(sharedTopicProducer))
    faults.push(`${sharedTopicProducer} is no producer id`);
  if (faults.length > 0) throw new DomainError('PRODUCERS_INVALID', `correct the producers: ${faults.join('; ')}`);
  const byId = new Map(producers.map((producer) => [producer.id, producer]));
  const reserved = producers.flatMap(({ id, idPrefixes }) =>
    idPrefixes.map((prefix) => ({ id, prefix, folded: prefix.toLowerCase() })),
  );
  return {
    sharedTopicProducer,
    takesUnproven,
    reasonsAgainst(producer, transferId, corridor) {
      const known = producer === null ? undefined : byId.get(producer);
      // What differs in case alone looks like the owner's to people, and is the same to who folds keys: it is nobody's.
      const folded = transferId.toLowerCase();
      const found = reserved.find((each) => folded.startsWith(each.folded));
      const isOwn = found
        ? found.id === producer && transferId.startsWith(found.prefix)
        : (known?.idPrefixes ?? []).length === 0;
      const mayUse = corridor === undefined || known?.corridors === undefined || known.corridors.includes(corridor);
      return [
        ...(isOwn ? [] : [reason('PRID')]),
        ...(mayUse ? [] : [reason('AG03', `the producer may not use the corridor ${corridor}`)]),
      ];
    },
  };
}

function faultsOf(producers: readonly Producer[]): string[] {
  return producers.flatMap(({ id, idPrefixes, corridors }, place) => [
    ...(PRODUCER_ID_PATTERN.test(id) ? [] : [`${id} is no producer id`]),
    ...(producers.findIndex((other) => other.id === id) === place ? [] : [`${id} stands twice`]),
    ...idPrefixes.filter((prefix) => !PREFIX_PATTERN.test(prefix)).map((prefix) => `${prefix} begins no transfer id`),
    ...(corridors?.length === 0 ? [`${id} may use no corridor`] : []),
  ]);
}

/** No id may belong to two. Case counts in ids, yet prefixes that differ in it alone are a mistake, or somebody's trick. */
function overlaps(producers: readonly Producer[]): string[] {
  const all = producers.flatMap(({ id, idPrefixes }) =>
    idPrefixes.map((prefix) => ({ id, prefix, folded: prefix.toLowerCase() })),
  );
  const sorted = all.toSorted((a, b) => (a.folded < b.folded ? -1 : Number(a.folded > b.folded)));
  // In order, whatever begins with a text follows it directly.
  return sorted.slice(1).flatMap((next, place) => {
    const { id, prefix, folded } = sorted[place]!;
    return next.folded.startsWith(folded) ? [`${next.prefix} (${next.id}) is within ${prefix} (${id})`] : [];
  });
}
