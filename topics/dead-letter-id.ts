// The identity of dead letters, of the marks that go with them, and of the letters that a replay decides again.
import { deterministicId } from '../domain/transfers/event-id.ts';
import { type OriginPosition, parseOrigin } from '../domain/transfers/origin-position.ts';
import { headerText, RECOVERY_HEADER } from './headers.ts';

/** A record that failed, at this replay of it. */
export interface FailedRecord {
  readonly owner: string;
  readonly source: OriginPosition & {
    readonly replayCount: number;
    /** Where the record itself stands, when its dead letter must not be taken for the one of its source. */
    readonly letterAt?: OriginPosition | undefined;
  };
}

/**
 * One id per failure of a record: the same when it runs again, another after each replay. It follows from the source of what
 * is provably that record; a copy or a forgery on a retry topic has the id of the place where it stands itself.
 */
export function deadLetterId({ owner, source }: FailedRecord): string {
  const { replayCount } = source;
  const { topicId, partition, offset } = source.letterAt ?? source;
  return deterministicId(`dead-letter\n${owner}\n${topicId}\n${partition}\n${offset}\n${replayCount}`);
}

/** Id of the DEAD_LETTERED mark that goes with a dead letter. */
export const markId = (id: string): string => deterministicId(`dead-letter mark\n${id}`);

export interface ReplayedLetter {
  /** Its `dlq-id`. */
  readonly id: string;
  /**
   * What is claimed: the letter of the source at that replay. It is another one than `id` for the letter of a copy, which is
   * the same record: of it and its original one is decided again.
   */
  readonly claimed: string;
}

/**
 * The dead letter that a record of a replay topic has decided again; undefined when it names none: a replay keeps the
 * `dlq-id` of its letter, raises its `replay-count` by one, and has a `replay-id`.
 */
export function letterOfReplay(
  headers: Readonly<Record<string, Buffer | undefined>>,
  { owner, source: { letterAt: _, ...source } }: FailedRecord,
): ReplayedLetter | undefined {
  const replayCount = source.replayCount - 1;
  if (replayCount < 0 || !headerText(headers, RECOVERY_HEADER.replayId)) return undefined;
  const claimed = deadLetterId({ owner, source: { ...source, replayCount } });
  const letterAt = parseOrigin(headerText(headers, RECOVERY_HEADER.deadLetterPosition) ?? '');
  const id = letterAt ? deadLetterId({ owner, source: { ...source, replayCount, letterAt } }) : claimed;
  return headerText(headers, RECOVERY_HEADER.deadLetterId) === id ? { id, claimed } : undefined;
}
