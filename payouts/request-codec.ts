// payout.requested as the registry's bytes: what is stored is what was sent, readable for as long as its schema is known.
import type { Codec } from '../ports/codec.ts';
import { CodedError } from '../ports/fault.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import type { RequestCodec } from './ports.ts';

const TOPIC = 'payout.requested';

/**
 * Bytes that this codec encoded itself are not decoded again while they are in memory: most payouts are published by the
 * process that took them.
 *
 * @param codec with payout.requested loaded.
 * `decode` rejects with REQUEST_UNREADABLE when stored bytes do not decode, and with the codec's own error when the
 * registry cannot be asked.
 */
export function requestCodec(codec: Pick<Codec, 'encode' | 'decode'>): RequestCodec {
  const known = new WeakMap<Uint8Array, PayoutRequested>();
  return {
    keep: (bytes, requested) => {
      // A view would keep all of the batch alive that it was fetched with.
      const copy = new Uint8Array(bytes);
      known.set(copy, requested);
      return copy;
    },
    encode: (requested) => {
      const bytes = codec.encode(TOPIC, requested);
      known.set(bytes, requested);
      return bytes;
    },
    decode: async (stored) => {
      const unknown = stored.filter((bytes) => !known.has(bytes));
      const results = await codec.decode(
        TOPIC,
        unknown.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      );
      for (const [index, result] of results.entries()) {
        if (!result.ok) {
          throw new CodedError('REQUEST_UNREADABLE', `a stored payout.requested does not decode: ${result.code}`);
        }
        known.set(unknown[index]!, result.value);
      }
      return stored.map((bytes) => known.get(bytes)!);
    },
  };
}
