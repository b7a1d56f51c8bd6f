// How a provider knows that it is us: a bearer token, a signature of each request, a client certificate. In any combination.
import { createHash, createHmac, type KeyObject, randomUUID } from 'node:crypto';

/** Header of the signature. */
const SIGNATURE_HEADER = 'request-signature';

export interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

export interface ProviderAuth {
  readonly bearerToken?: string;
  readonly signing?: SigningKey;
  /** PEM texts. */
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
}

export interface SignedRequest {
  readonly method: string;
  /** With its query, as it is sent. */
  readonly path: string;
  readonly idempotencyKey: string;
  readonly body: string;
}

/**
 * The value of `Request-Signature`: `keyId=<id>, date=<RFC 3339>, nonce=<uuid>, mac=<hex>`, where mac is the HMAC-SHA-256 of
 * the lines `v1`, method, path, date, nonce, idempotency key (empty where there is none) and hex SHA-256 of the body.
 */
export function signatureOf(
  { id, key }: SigningKey,
  { method, path, idempotencyKey, body }: SignedRequest,
  at: Date = new Date(),
  nonce: string = randomUUID(),
): string {
  const date = at.toISOString();
  const digest = createHash('sha256').update(body).digest('hex');
  const lines = ['v1', method, path, date, nonce, idempotencyKey, digest].join('\n');
  return `keyId=${id}, date=${date}, nonce=${nonce}, mac=${createHmac('sha256', key).update(lines).digest('hex')}`;
}

/** Headers that say who asks, of one request. */
export function authHeaders({ bearerToken, signing }: ProviderAuth, request: SignedRequest): Record<string, string> {
  return {
    ...(bearerToken !== undefined && { authorization: `Bearer ${bearerToken}` }),
    ...(signing && { [SIGNATURE_HEADER]: signatureOf(signing, request) }),
  };
}
