// payout.requested as the registry's bytes: what is stored is what was sent, readable for as long as its schema is known.
import type { Codec } from '../runtime/ports/codec.ts';
import { CodedError } from '../runtime/ports/fault.ts';
import type { RequestCodec } from './ports.ts';

const TOPIC = 'payout.requested';

/**
 * @param codec with payout.requested loaded.
 * `decode` rejects with REQUEST_UNREADABLE when stored bytes do not decode, and with the codec's own error when the
 * registry cannot be asked.
 */
export function requestCodec(codec: Pick<Codec, 'encode' | 'decode'>): RequestCodec {
  return {
    encode: (requested) => codec.encode(TOPIC, requested),
    decode: async (stored) => {
      const results = await codec.decode(
        TOPIC,
        stored.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      );
      return results.map((result) => {
        if (result.ok) return result.value;
        throw new CodedError('REQUEST_UNREADABLE', `a stored payout.requested does not decode: ${result.code}`);
      });
    },
  };
}
