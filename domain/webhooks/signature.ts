// Signatures of webhooks as the Standard Webhooks specification has them: HMAC-SHA-256 over id, time and body, one for each
// secret that is in force, so that a secret can be replaced while messages are on their way. Pure.
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** Bytes of a secret. */
export const SECRET_BYTES = 32;

/** A secret as it is shown to its owner, once: `whsec_` and its bytes in base64. */
export const secretText = (bytes: Uint8Array): string => `${PREFIX}${Buffer.from(bytes).toString('base64')}`;

export interface SignedMessage {
  /** The same for every try of a delivery: the receiver knows a repeat by it. */
  readonly id: string;
  /** Of this try, s since 1970. */
  readonly timestampS: number;
  readonly body: string;
}

/**
 * The three header fields of a message.
 * @param secrets bytes, the newest first; at least one
 */
export function signatureHeaders(
  { id, timestampS, body }: SignedMessage,
  secrets: readonly Uint8Array[],
): Readonly<Record<string, string>> {
  const signed = `${id}.${timestampS}.${body}`;
  const signatures = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
  };
}
