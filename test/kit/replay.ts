// Replays as an operator's tool writes them.

import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { type Rings, sealedRecovery } from '../../ports/seals.ts';
import { asClaimed, headerInteger, RECOVERY_HEADER } from '../../topics/headers.ts';
import { replayTopic } from '../../topics/recovery.ts';
import { testRings } from './rings.ts';

export interface ReplayOptions {
  readonly owner: string;
  readonly replayId: string;
  readonly replayedBy?: string;
  readonly rings?: Rings;
  /** The operator knows that the source is what the record claims. */
  readonly asClaimed?: boolean;
  /** Ends the letter, for this reason. */
  readonly discard?: string;
  /** What is edited of it, as text. */
  readonly edit?: string;
}

/** The replay of a record of a dead-letter topic, on its partition. */
export function replayOf(
  { partition, key, value, headers }: LogRecord,
  {
    owner,
    replayId,
    replayedBy = 'tester',
    rings = testRings,
    asClaimed: isClaimed = false,
    discard,
    edit,
  }: ReplayOptions,
): OutputRecord {
  const kept = Object.entries(isClaimed ? asClaimed(headers) : headers).filter(
    ([name]) => name !== RECOVERY_HEADER.recoverySeal,
  );
  return sealedRecovery(rings, {
    topic: replayTopic(owner),
    partition,
    key,
    value,
    headers: {
      ...(Object.fromEntries(kept) as Record<string, Buffer>),
      [RECOVERY_HEADER.replayCount]: String((headerInteger(headers, RECOVERY_HEADER.replayCount) ?? 0) + 1),
      [RECOVERY_HEADER.replayId]: replayId,
      [RECOVERY_HEADER.replayedBy]: replayedBy,
      [RECOVERY_HEADER.attempts]: '0',
      ...(edit === undefined ? {} : { [RECOVERY_HEADER.edit]: edit }),
      ...(discard === undefined ? {} : { [RECOVERY_HEADER.discardReason]: discard }),
    },
  });
}

/** The same record again, byte for byte, wherever it is written. */
export function copyOf({ topic, partition, key, value, headers }: LogRecord): OutputRecord {
  return { topic, partition, key, value, headers: headers as Record<string, Buffer> };
}
