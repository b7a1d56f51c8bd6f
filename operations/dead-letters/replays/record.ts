// The record of a replay: the dead letter again, for the processor that put it aside, on the partition of its transfer.
import type { DiscardReason } from '../../../domain/reasons.ts';
import type { LogRecord, OutputRecord } from '../../../ports/log.ts';
import { type Rings, sealedRecovery } from '../../../ports/seals.ts';
import { asClaimed, headerInteger, headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { replayTopic } from '../../../topics/recovery.ts';
import { movesNoMoney } from '../owners.ts';
import type { ReplayItem } from './replay.ts';

export interface ReplayedBy {
  readonly owner: string;
  readonly replayId: string;
  readonly replayedBy: string;
  readonly approvedBy: string;
  /** Ends the letter for this reason instead of having it decided again. */
  readonly discard?: DiscardReason | undefined;
}

/** Headers that a person's name stands in take no other characters than these. */
const asHeader = (name: string): Buffer => Buffer.from(name, 'utf8');

const NEVER_KEPT: ReadonlySet<string> = new Set([
  RECOVERY_HEADER.recoverySeal,
  RECOVERY_HEADER.discardReason,
  RECOVERY_HEADER.replayedLetter,
  RECOVERY_HEADER.edit,
]);

/**
 * All headers of the letter stay, `dlq-id` and origin among them; its replay count rises by one, its tries begin anew, and
 * operators seal it.
 * @param item its id in the index, which names it where its own does not; and what is edited of it, which its stage applies
 * @throws CodedError CONFIG_INVALID without the keys of operators
 */
export function replayRecord(
  letter: LogRecord,
  by: ReplayedBy,
  rings: Rings,
  { letterId, edit }: Partial<Pick<ReplayItem, 'letterId' | 'edit'>> = {},
): OutputRecord {
  const headers: Record<string, Buffer | string> = {};
  // What nothing proves is sent as what it claims to be only to those who move no money, and who check the record's own seal.
  const given = movesNoMoney(by.owner) ? asClaimed(letter.headers) : letter.headers;
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !NEVER_KEPT.has(name)) headers[name] = value;
  }
  if (by.discard) headers[RECOVERY_HEADER.discardReason] = by.discard;
  if (edit) headers[RECOVERY_HEADER.edit] = asHeader(edit.text);
  if (letterId !== undefined && letterId !== headerText(letter.headers, RECOVERY_HEADER.deadLetterId)) {
    headers[RECOVERY_HEADER.replayedLetter] = letterId;
  }
  return sealedRecovery(rings, {
    topic: replayTopic(by.owner),
    partition: letter.partition,
    key: letter.key,
    value: letter.value,
    headers: {
      ...headers,
      [RECOVERY_HEADER.replayCount]: String(replayCountOf(letter) + 1),
      [RECOVERY_HEADER.replayId]: by.replayId,
      [RECOVERY_HEADER.replayedBy]: asHeader(by.replayedBy),
      [RECOVERY_HEADER.approvedBy]: asHeader(by.approvedBy),
      [RECOVERY_HEADER.attempts]: '0',
      [RECOVERY_HEADER.waitedMs]: '0',
    },
  });
}

export const replayCountOf = ({ headers }: LogRecord): number =>
  Math.max(0, headerInteger(headers, RECOVERY_HEADER.replayCount) ?? 0);

/** The letter that a record of a replay topic stands for, where it is of this replay. */
export const letterSentIn = ({ headers }: LogRecord, replayId: string): string | undefined =>
  headerText(headers, RECOVERY_HEADER.replayId) === replayId
    ? (headerText(headers, RECOVERY_HEADER.replayedLetter) ?? headerText(headers, RECOVERY_HEADER.deadLetterId))
    : undefined;
