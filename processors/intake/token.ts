// Customers as the chain, limits and analytics know them: stable, and not to be turned back without the key.
import { createSecretKey } from 'node:crypto';
import { hmacSha256 } from '../../domain/seals/hmac.ts';

const MIN_KEY_BYTES = 16;

/**
 * Makes tokens of customer ids: HMAC-SHA-256, base64url.
 * @param keyId stands before each of them and a dot, so that it is known under which key it was made; absent: nothing does
 * @throws RangeError when the key is shorter than 16 bytes
 */
export function tokeniser(key: Uint8Array, keyId?: string): (customerId: string) => string {
  if (key.length < MIN_KEY_BYTES) throw new RangeError(`the token key must have at least ${MIN_KEY_BYTES} bytes`);
  // A key object is prepared once: a seventh of the time of a raw key.
  const secret = createSecretKey(key);
  const prefix = keyId === undefined ? '' : `${keyId}.`;
  return (customerId) => `${prefix}${hmacSha256(secret, [customerId])}`;
}
