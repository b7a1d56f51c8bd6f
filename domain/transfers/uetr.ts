// The unique end-to-end transaction reference of a transfer: what banks on the way know it by.
import { hash } from 'node:crypto';

/**
 * UETR of a transfer: a UUID in the form of version 4 (RFC 9562), as ISO 20022 demands it. Its bits come from SHA-256 of the
 * transfer id, not from chance, so that whatever runs again, or is paid in another attempt, has the same. Frozen: banks keep it.
 */
export function uetrOf(transferId: string): string {
  const digest = hash('sha256', `corridor-uetr-1\n${transferId}`, 'hex');
  const variant = ((Number.parseInt(digest.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
