// What producers do with their endpoints, and operators: register, change, replace the secret, disable, enable, delete.
import { randomBytes, randomUUID } from 'node:crypto';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { literalOf, mayReach, urlFlaw } from '../../domain/webhooks/addresses.ts';
import { SECRET_BYTES, secretText } from '../../domain/webhooks/signature.ts';
import { CodedError } from '../../ports/fault.ts';
import { mayTouch, type Principal } from '../access/principal.ts';
import type { Condition } from '../access/table.ts';
import {
  isEndpointSealed,
  isInForce,
  keptSecret,
  NEW,
  sealedEndpoint,
  type WebhookEndpoint,
  type WebhookSecret,
} from './endpoint.ts';
import type { WebhookEndpoints, WebhookReach } from './ports.ts';
import { CLOSED } from './schedule.ts';

/** Of one producer. */
export const MAX_ENDPOINTS = 20;
/** Secrets of one endpoint that are in force at once. */
const MAX_SECRETS = 5;

export interface EndpointComponents {
  readonly endpoints: WebhookEndpoints;
  readonly reach: WebhookReach;
  /** Undefined: this installation has no webhooks. */
  readonly ring: KeyRing | undefined;
}

/** @throws CodedError WEBHOOKS_OFF */
export function ringIn({ ring }: Pick<EndpointComponents, 'ring'>): KeyRing {
  if (ring) return ring;
  throw new CodedError('WEBHOOKS_OFF', 'this installation sends no webhooks');
}

/**
 * Refuses a URL that leads to no public host: by its form, its address, or any address of its name.
 * @throws CodedError WEBHOOK_URL_REFUSED
 */
export async function checkUrl(url: string, reach: WebhookReach): Promise<void> {
  const flaw = urlFlaw(url, reach);
  if (flaw !== undefined) throw refused(flaw);
  const { hostname } = new URL(url);
  if (literalOf(hostname) !== undefined) return;
  const addresses = await reach.resolve(hostname);
  // One answer for both: which names of ours there are is nobody's to find out.
  if (addresses.length === 0 || !addresses.every((address) => mayReach(address, reach.allowed)))
    throw refused('its host has no address, or one that is not a public one');
}

const refused = (why: string) => new CodedError('WEBHOOK_URL_REFUSED', `the URL is refused: ${why}`);

/** The endpoint and, once, its secret in clear. */
export interface WithSecret {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

interface Registration {
  readonly id: string;
  readonly producerId: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly request: string;
  readonly at: Date;
}

/**
 * Makes an endpoint.
 * @returns undefined when its id is taken: the same request came before
 * @throws CodedError WEBHOOK_URL_REFUSED, WEBHOOK_ENDPOINTS_TOO_MANY, WEBHOOKS_OFF
 */
export async function registerEndpoint(
  parts: EndpointComponents,
  { id, producerId, url, events, request, at }: Registration,
): Promise<WithSecret | undefined> {
  const ring = ringIn(parts);
  await checkUrl(url, parts.reach);
  const known = await parts.endpoints.list(producerId, undefined, MAX_ENDPOINTS);
  if (known.length >= MAX_ENDPOINTS && !known.some(({ _id }) => _id === id))
    throw new CodedError('WEBHOOK_ENDPOINTS_TOO_MANY', `a producer has at most ${MAX_ENDPOINTS} endpoints`);
  const { kept, secret } = newSecret(ring, id, at);
  const asked = { producerId, url, events: [...new Set(events)], createdAt: at, eventsSince: at, request };
  const endpoint: WebhookEndpoint = { ...sealedEndpoint(ring, { _id: id, ...asked, secrets: [kept] }), ...NEW };
  return (await parts.endpoints.insert(endpoint)) ? { endpoint, secret } : undefined;
}

function newSecret(ring: KeyRing, endpointId: string, at: Date) {
  const bytes = randomBytes(SECRET_BYTES);
  const kept: WebhookSecret = keptSecret(ring, endpointId, { secretId: randomUUID(), bytes, at });
  return { kept, secret: secretText(bytes) };
}

/**
 * The endpoint, where whoever asks may see it: what is another's is as if it were not there.
 * @throws CodedError WEBHOOK_ENDPOINT_UNKNOWN
 */
export async function findEndpoint(
  endpoints: Pick<WebhookEndpoints, 'find'>,
  id: string,
  principal: Principal,
  condition: Condition,
): Promise<WebhookEndpoint> {
  const found = await endpoints.find(id);
  if (found !== undefined && mayTouch(condition, principal, found.producerId)) return found;
  throw new CodedError('WEBHOOK_ENDPOINT_UNKNOWN', 'there is no such endpoint of yours');
}

/** @throws CodedError WEBHOOK_ENDPOINT_FORGED: what nobody has sealed is not sealed by a change */
function checkSealed(ring: KeyRing, endpoint: WebhookEndpoint): void {
  if (isEndpointSealed(ring, endpoint)) return;
  throw new CodedError('WEBHOOK_ENDPOINT_FORGED', 'the endpoint is not as it was written');
}

/**
 * The change, stored by compare-and-set.
 * @throws CodedError PRECONDITION_FAILED
 */
async function changed(
  endpoints: Pick<WebhookEndpoints, 'change'>,
  endpoint: WebhookEndpoint,
  to: Partial<WebhookEndpoint>,
): Promise<WebhookEndpoint> {
  if (!(await endpoints.change(endpoint, to)))
    throw new CodedError('PRECONDITION_FAILED', 'the endpoint changed since it was read');
  return { ...endpoint, ...to, version: endpoint.version + 1 };
}

/** @throws CodedError WEBHOOK_URL_REFUSED, WEBHOOK_ENDPOINT_FORGED, PRECONDITION_FAILED, WEBHOOKS_OFF */
export async function updateEndpoint(
  parts: EndpointComponents,
  endpoint: WebhookEndpoint,
  { url = endpoint.url, events = endpoint.events }: { readonly url?: string; readonly events?: readonly string[] },
  at: Date,
): Promise<WebhookEndpoint> {
  const ring = ringIn(parts);
  checkSealed(ring, endpoint);
  await checkUrl(url, parts.reach);
  const since = events === endpoint.events ? {} : { eventsSince: at };
  const to = { url, events: [...new Set(events)], ...since };
  const { seal } = sealedEndpoint(ring, { ...endpoint, ...to });
  // Another URL has failed at nothing yet.
  const breaker = url === endpoint.url ? endpoint.breaker : CLOSED;
  return changed(parts.endpoints, endpoint, { ...to, seal, breaker });
}

/**
 * A new secret; those before sign beside it for a while.
 * @param keepMs how long they do, ms; 0: they are worth nothing from now on
 * @throws CodedError WEBHOOK_ENDPOINT_FORGED, PRECONDITION_FAILED, WEBHOOKS_OFF
 */
export async function rotateSecret(
  parts: EndpointComponents,
  endpoint: WebhookEndpoint,
  { keepMs, at }: { readonly keepMs: number; readonly at: Date },
): Promise<WithSecret> {
  const ring = ringIn(parts);
  checkSealed(ring, endpoint);
  const end = at.getTime() + keepMs;
  const { kept, secret } = newSecret(ring, endpoint._id, at);
  const before = endpoint.secrets
    .map((old) => ({ ...old, expiresAt: new Date(Math.min(end, old.expiresAt?.getTime() ?? end)) }))
    .filter((old) => isInForce(old, at.getTime()));
  const secrets = [kept, ...before].slice(0, MAX_SECRETS);
  const { seal } = sealedEndpoint(ring, { ...endpoint, secrets });
  return { endpoint: await changed(parts.endpoints, endpoint, { secrets, seal }), secret };
}

/** Nothing is sent from now on; what comes meanwhile is kept, and can be sent again. @throws CodedError PRECONDITION_FAILED */
export function disableEndpoint(
  endpoints: WebhookEndpoints,
  endpoint: WebhookEndpoint,
  disabling: { readonly by: string; readonly at: Date; readonly reason: string },
): Promise<WebhookEndpoint> {
  return changed(endpoints, endpoint, { disabled: disabling });
}

/** @throws CodedError PRECONDITION_FAILED */
export const enableEndpoint = (endpoints: WebhookEndpoints, endpoint: WebhookEndpoint): Promise<WebhookEndpoint> =>
  changed(endpoints, endpoint, { disabled: null, breaker: CLOSED });

/** Its deliveries go with it. @throws CodedError PRECONDITION_FAILED */
export async function deleteEndpoint(endpoints: WebhookEndpoints, endpoint: WebhookEndpoint): Promise<void> {
  if (await endpoints.remove(endpoint)) return;
  throw new CodedError('PRECONDITION_FAILED', 'the endpoint changed since it was read');
}
