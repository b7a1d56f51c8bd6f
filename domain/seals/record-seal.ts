// The seal of a record of the log: that its issuer wrote this value, under this key, on this topic, for this cause. Pure.
import { isSealed, type KeyRing, sealOf } from './seal.ts';

/** All of a record that its seal covers. */
export interface SealedContent {
  /** Topic by whose contract it is decoded; through retries and replays too. */
  readonly topic: string;
  readonly key: string | Uint8Array | null;
  /** The input that it was made from (see topics/cause.ts); empty where there is none, as for a command. */
  readonly cause: string;
  /** Null for a tombstone, which is no empty value. */
  readonly value: Uint8Array | null;
}

/** A record with its seal: proof of who made it that can be kept beside what was made of it, and checked again later. */
export interface SealedRecord extends SealedContent {
  readonly seal: string;
}

/** The seal of a record under the current key of its issuer. */
export const sealRecord = (ring: KeyRing, parts: SealedContent): string => sealOf(ring, 'record', bound(parts));

/** Whether a key of this ring sealed exactly this record. */
export const isSealedRecord = (ring: KeyRing, record: SealedRecord): boolean =>
  isSealed(ring, 'record', bound(record), record.seal);

// The topic has no line break and the last line is one of two words: a cause with line breaks in it cannot pass for either.
function bound({ topic, key, cause, value }: SealedContent): readonly (string | Uint8Array)[] {
  return [`${topic}\n${cause}\n${value === null ? 'tombstone' : 'value'}`, key ?? '', value ?? ''];
}
