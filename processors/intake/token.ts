// Customers as the chain, limits and analytics know them: stable, and not to be turned back without the key.
import { createSecretKey } from 'node:crypto';
import { hmacSha256 } from '../../domain/seals/hmac.ts';

const MIN_KEY_BYTES = 16;

/** Of an id: 32 bits tell the few keys of an installation apart, and tell nothing of the key. */
const KEY_ID_BYTES = 4;

/**
 * Names a key of tokens: the first 32 bits of an HMAC-SHA-256 under it, in hex. Whoever has the key finds the same.
 * @throws RangeError when the key is shorter than 16 bytes
 */
export const tokenKeyIdOf = (key: Uint8Array): string =>
  // No customer id: it may hold no line break.
  Buffer.from(tokeniser(key)('token-key\n'), 'base64url').subarray(0, KEY_ID_BYTES).toString('hex');

/**
 * Makes tokens of customer ids: HMAC-SHA-256, base64url.
 * @throws RangeError when the key is shorter than 16 bytes
 */
export function tokeniser(key: Uint8Array): (customerId: string) => string {
  if (key.length < MIN_KEY_BYTES) throw new RangeError(`the token key must have at least ${MIN_KEY_BYTES} bytes`);
  // A key object is prepared once: a seventh of the time of a raw key.
  const secret = createSecretKey(key);
  return (customerId) => hmacSha256(secret, [customerId]);
}
