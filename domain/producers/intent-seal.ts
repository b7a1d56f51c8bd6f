// Who an intent is from: a seal of its producer over its bytes, or of the API for a producer that it has let in. Any client of
// Kafka can make one: docs/producers.md has it in two languages. Pure.
import { isSealed, type KeyRing, sealOf } from '../seals/seal.ts';

/** What stands in the headers of an intent. */
export interface IntentSeal {
  readonly producer: string;
  /** `<key id>.<HMAC-SHA-256, base64url>` */
  readonly seal: string;
}

/** Frozen: producers have written code by it. */
const parts = (producer: string, value: Uint8Array): readonly (string | Uint8Array)[] => [producer, value];

/** The seal of an intent as bytes. */
export const sealIntent = (ring: KeyRing, producer: string, value: Uint8Array): string =>
  sealOf(ring, 'intent', parts(producer, value));

/** Whose seals prove who an intent is from. */
export interface IntentKeys {
  /** Of the API, which seals for every producer. */
  readonly api: KeyRing | undefined;
  /** Of producers that write to Kafka, each its own. */
  readonly ofProducer: ReadonlyMap<string, KeyRing>;
}

export const NO_INTENT_KEYS: IntentKeys = { api: undefined, ofProducer: new Map() };

/** Whether the producer that is named, or the API for it, has sealed these bytes. */
export function isFrom(keys: IntentKeys, { producer, seal }: IntentSeal, value: Uint8Array): boolean {
  const rings = [keys.ofProducer.get(producer), keys.api].filter((ring) => ring !== undefined);
  return rings.some((ring) => isSealed(ring, 'intent', parts(producer, value), seal));
}
