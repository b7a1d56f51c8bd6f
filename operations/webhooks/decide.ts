// What the sender decides: which of the due deliveries go now, and what the answer to one means. Pure.

import type { KeyRing } from '../../domain/seals/seal.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import { type DeliveryDocument, isDeliverySealed } from '../../sinks/webhooks/delivery.ts';
import { isEndpointSealed, type WebhookEndpoint } from './endpoint.ts';
import type { PostAnswer, Postponement, Settlement } from './ports.ts';
import { type Breaker, GIVE_UP_AFTER_MS, waitMs, widthOf } from './schedule.ts';

export interface Sight {
  /** The longest due first. */
  readonly due: readonly DeliveryDocument[];
  /** Of those endpoints of `due` that there are. */
  readonly endpoints: ReadonlyMap<string, WebhookEndpoint>;
  /** How many are on their way, by endpoint. */
  readonly underWay: ReadonlyMap<string, number>;
  /** How many more may be on their way in all. */
  readonly room: number;
  /** And to one endpoint. */
  readonly perEndpoint: number;
  /** ms since 1970 */
  readonly now: number;
}

export interface Plan {
  readonly send: readonly DeliveryDocument[];
  readonly postpone: readonly Postponement[];
  readonly park: readonly { readonly id: string; readonly code: ShownCode }[];
  /** Of endpoints that were deleted. */
  readonly drop: readonly string[];
  /** Ids of endpoints that nobody has sealed. */
  readonly forged: readonly string[];
}

/** An endpoint that nobody has sealed is looked at again after so long, ms. */
const FORGED_MS = 3_600_000;

/** Which of what is due goes now. What is named nowhere waits for room. */
export function planOf({ due, endpoints, underWay, room, perEndpoint, now }: Sight, ring: KeyRing): Plan {
  const plan = {
    send: [] as DeliveryDocument[],
    postpone: [] as Postponement[],
    park: [] as { id: string; code: ShownCode }[],
    drop: [] as string[],
    forged: [] as string[],
  };
  for (const [endpointId, own] of Map.groupBy(due, (delivery) => delivery.endpointId)) {
    const endpoint = endpoints.get(endpointId);
    if (endpoint === undefined) {
      plan.drop.push(...own.map(({ _id }) => _id));
      continue;
    }
    if (endpoint.disabled !== null) {
      plan.park.push(...own.map(({ _id: id }) => ({ id, code: 'WEBHOOK_ENDPOINT_DISABLED' as const })));
      continue;
    }
    if (!isEndpointSealed(ring, endpoint)) {
      plan.forged.push(endpointId);
      plan.postpone.push({ endpointId, until: new Date(now + FORGED_MS), giveUpSince: undefined });
      continue;
    }
    const isTrue = (each: DeliveryDocument) => each.producerId === endpoint.producerId && isDeliverySealed(ring, each);
    plan.park.push(
      ...own.filter((each) => !isTrue(each)).map(({ _id: id }) => ({ id, code: 'WEBHOOK_DELIVERY_FORGED' as const })),
    );
    const { openUntil } = endpoint.breaker;
    if (openUntil !== null && openUntil.getTime() > now) {
      plan.postpone.push({ endpointId, until: openUntil, giveUpSince: giveUpSince(endpoint.breaker, now) });
      continue;
    }
    const width = widthOf(endpoint.breaker, now, perEndpoint) - (underWay.get(endpointId) ?? 0);
    const free = Math.max(0, Math.min(width, room - plan.send.length));
    plan.send.push(...own.filter(isTrue).slice(0, free));
  }
  return plan;
}

/** What has waited since then is given up: as long as the endpoint has taken nothing for as long. */
function giveUpSince({ failingSince }: Breaker, now: number): Date | undefined {
  const since = now - GIVE_UP_AFTER_MS;
  return failingSince !== null && failingSince.getTime() <= since ? new Date(since) : undefined;
}

/**
 * What the answer to a try means for its delivery.
 * @param breaker of its endpoint, as it was before
 */
export function settlementOf(
  { tries, since }: Pick<DeliveryDocument, 'tries' | 'since'>,
  breaker: Breaker,
  answer: PostAnswer,
  { now, random }: { readonly now: number; readonly random: () => number },
): Settlement {
  const status = answer.kind === 'answered' ? answer.status : null;
  if (status !== null && status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'failed', code: 'WEBHOOK_GONE', status, isGone: true };
  const code = codeOf(answer);
  const wait = waitMs(tries + 1, random, answer.kind === 'answered' ? answer.retryAfterMs : undefined);
  const oldest = giveUpSince(breaker, now);
  if (wait === undefined || (oldest !== undefined && since <= oldest))
    return { kind: 'failed', code, status, isGone: false };
  return { kind: 'again', dueAt: new Date(now + wait), code, status };
}

function codeOf(answer: PostAnswer): ShownCode {
  if (answer.kind === 'unanswered') return answer.code;
  return answer.status >= 300 && answer.status < 400 ? 'WEBHOOK_REDIRECTED' : `HTTP_${answer.status}`;
}
