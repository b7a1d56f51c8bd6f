// An endpoint of a producer: where its events go, which of them, and the secrets that they are signed with. Who owns the
// database can neither read a secret nor have anything sent elsewhere: secrets are encrypted, and the rest is sealed.
import { decrypted, encrypted } from '../../domain/seals/encrypted.ts';
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { type Breaker, CLOSED } from './schedule.ts';

export interface WebhookSecret {
  readonly secretId: string;
  readonly createdAt: Date;
  /** Nothing is signed with it from then on; null: it is the newest. */
  readonly expiresAt: Date | null;
  /** Bound to endpoint and secret id. */
  readonly encrypted: string;
}

/** Why nothing is sent. */
export interface Disabling {
  /** A subject; null: the endpoint itself, by answering 410. */
  readonly by: string | null;
  readonly at: Date;
  readonly reason: string;
}

export interface WebhookEndpoint {
  readonly _id: string;
  readonly producerId: string;
  readonly url: string;
  readonly events: readonly string[];
  /** The newest first. */
  readonly secrets: readonly WebhookSecret[];
  readonly createdAt: Date;
  /** Since when it asks for these events; undefined: made by a build that did not note it. */
  readonly eventsSince?: Date;
  /** Over all of the above, by the API. What is below needs none: it sends nothing anywhere else. */
  readonly seal: string;
  /** Hash of the request that made it. */
  readonly request: string;
  readonly disabled: Disabling | null;
  readonly breaker: Breaker;
  /** Counts what people change. */
  readonly version: number;
}

export const endpointIndexes: readonly IndexSpec[] = [
  {
    name: 'producerId_createdAt',
    keys: { producerId: 1, createdAt: -1, _id: -1 },
    servedQuery: 'the endpoints of one producer (the sink; GET /v1/webhook-endpoints of a producer)',
  },
  {
    name: 'createdAt',
    keys: { createdAt: -1, _id: -1 },
    servedQuery: 'all endpoints, latest first, page by page (GET /v1/webhook-endpoints of an operator)',
  },
];

type Sealed = Pick<WebhookEndpoint, '_id' | 'producerId' | 'url' | 'events' | 'secrets' | 'createdAt' | 'eventsSince'>;

function partsOf({ _id, producerId, url, events, secrets, createdAt, eventsSince }: Sealed): readonly string[] {
  const sealed = secrets.map(({ secretId, createdAt: since, expiresAt, encrypted: text }) => [
    ...[secretId, since.toISOString(), expiresAt?.toISOString() ?? null, text],
  ]);
  const parts = [_id, producerId, url, JSON.stringify(events), JSON.stringify(sealed), createdAt.toISOString()];
  // Those of before it was noted have the seal that they had.
  return eventsSince === undefined ? parts : [...parts, eventsSince.toISOString()];
}

export const sealedEndpoint = <E extends Sealed>(ring: KeyRing, endpoint: E): E & { readonly seal: string } => ({
  ...endpoint,
  seal: sealOf(ring, 'webhook-endpoint', partsOf(endpoint)),
});

/** Whether the API wrote it as it stands. Never throws. */
export function isEndpointSealed(ring: KeyRing, endpoint: Sealed & { readonly seal: string }): boolean {
  try {
    return isSealed(ring, 'webhook-endpoint', partsOf(endpoint), endpoint.seal);
  } catch {
    // A field of another kind.
    return false;
  }
}

const placeOf = (endpointId: string, secretId: string): string => `${endpointId}\n${secretId}`;

/** A secret as it is kept. */
export function keptSecret(
  ring: KeyRing,
  endpointId: string,
  { secretId, bytes, at }: { readonly secretId: string; readonly bytes: Uint8Array; readonly at: Date },
): WebhookSecret {
  const text = encrypted(ring, 'webhook-secret', placeOf(endpointId, secretId), bytes);
  return { secretId, createdAt: at, expiresAt: null, encrypted: text };
}

/** Whether something is signed with it at this time, ms. */
export const isInForce = ({ expiresAt }: WebhookSecret, now: number): boolean =>
  expiresAt === null || expiresAt.getTime() > now;

/**
 * The secrets that are in force, the newest first.
 * @throws DomainError DECRYPTION_FAILED when the ring lacks a key
 */
export const secretsInForce = (ring: KeyRing, { _id, secrets }: WebhookEndpoint, now: number): readonly Buffer[] =>
  secrets
    .filter((secret) => isInForce(secret, now))
    .map(({ secretId, encrypted: text }) => decrypted(ring, 'webhook-secret', placeOf(_id, secretId), text));

/** What an endpoint is besides what is sealed, when it is new. */
export const NEW = { disabled: null, breaker: CLOSED, version: 1 } as const;
