// The record of a replay: the dead letter again, for the processor that put it aside, on the partition of its transfer.
import type { LogRecord, OutputRecord } from '../../../ports/log.ts';
import { type Rings, sealedRecovery } from '../../../ports/seals.ts';
import { headerInteger, headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { replayTopic } from '../../../topics/recovery.ts';

export interface ReplayedBy {
  readonly owner: string;
  readonly replayId: string;
  readonly replayedBy: string;
  readonly approvedBy: string;
}

/** Headers that a person's name stands in take no other characters than these. */
const asHeader = (name: string): Buffer => Buffer.from(name, 'utf8');

/**
 * All headers of the letter stay, `dlq-id` and origin among them; its replay count rises by one, its tries begin anew, and
 * operators seal it.
 * @throws CodedError CONFIG_INVALID without the keys of operators
 */
export function replayRecord(letter: LogRecord, by: ReplayedBy, rings: Rings): OutputRecord {
  const headers: Record<string, Buffer | string> = {};
  for (const [name, value] of Object.entries(letter.headers)) {
    if (value !== undefined && name !== RECOVERY_HEADER.recoverySeal) headers[name] = value;
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
    ? headerText(headers, RECOVERY_HEADER.deadLetterId)
    : undefined;
