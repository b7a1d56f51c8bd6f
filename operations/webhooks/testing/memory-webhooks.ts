// Webhooks in memory: endpoints, deliveries, and a receiver.
import { keyRing } from '../../../domain/seals/seal.ts';
import { networks } from '../../../domain/webhooks/addresses.ts';
import type { DeliveryDocument } from '../../../sinks/webhooks/delivery.ts';
import type { WebhookEndpoint } from '../endpoint.ts';
import type {
  ListPosition,
  SenderDeliveries,
  SenderEndpoints,
  WebhookDeliveries,
  WebhookEndpoints,
  WebhookReach,
} from '../ports.ts';

export const webhookRing = keyRing(`webhooks:${'w'.repeat(40)}`);

/** Names resolve as they are listed; 127.0.0.0/8 is a network of our own. */
export function memoryReach(hosts: Readonly<Record<string, readonly string[]>> = {}): WebhookReach {
  return {
    takesHttp: false,
    allowed: networks(['127.0.0.0/8']),
    resolve: async (host) => hosts[host] ?? [],
  };
}

type Asked = <T>(answer: () => T) => Promise<T>;
const atOnce: Asked = async (answer) => answer();

type Listed = readonly [at: Date, id: string];
const isAfter = ([at, id]: Listed, position: ListPosition | undefined) =>
  position === undefined || at < position.at || (at.getTime() === position.at.getTime() && id < position.id);
const latestFirst = ([a, one]: Listed, [b, other]: Listed) => b.getTime() - a.getTime() || (one < other ? 1 : -1);

export interface MemoryWebhooks {
  readonly endpoints: WebhookEndpoints & SenderEndpoints;
  readonly deliveries: WebhookDeliveries & SenderDeliveries;
  readonly held: Map<string, WebhookEndpoint>;
  readonly kept: Map<string, DeliveryDocument>;
}

export function memoryWebhooks(asked: Asked = atOnce): MemoryWebhooks {
  const held = new Map<string, WebhookEndpoint>();
  const kept = new Map<string, DeliveryDocument>();
  return { held, kept, endpoints: memoryEndpoints(held, asked), deliveries: memoryDeliveries(kept, asked) };
}

function memoryEndpoints(held: Map<string, WebhookEndpoint>, asked: Asked): WebhookEndpoints & SenderEndpoints {
  const isSeen = ({ _id, version }: Pick<WebhookEndpoint, '_id' | 'version'>) => held.get(_id)?.version === version;
  return {
    insert: (endpoint) =>
      asked(() => {
        if (held.has(endpoint._id)) return false;
        held.set(endpoint._id, endpoint);
        return true;
      }),
    find: (id) => asked(() => held.get(id)),
    list: (producerId, after, limit) =>
      asked(() =>
        [...held.values()]
          .filter((each) => producerId === undefined || each.producerId === producerId)
          .filter((each) => isAfter([each.createdAt, each._id], after))
          .toSorted((a, b) => latestFirst([a.createdAt, a._id], [b.createdAt, b._id]))
          .slice(0, limit),
      ),
    change: (seen, to) =>
      asked(() => {
        if (!isSeen(seen)) return false;
        held.set(seen._id, { ...held.get(seen._id)!, ...to, version: seen.version + 1 });
        return true;
      }),
    remove: (seen) => asked(() => isSeen(seen) && held.delete(seen._id)),
    byIds: (ids) => asked(() => ids.flatMap((id) => held.get(id) ?? [])),
    following: (id, limit) =>
      asked(() =>
        [...held.keys()]
          .toSorted()
          .filter((each) => id === undefined || each > id)
          .slice(0, limit)
          .map((each) => held.get(each)!),
      ),
    setBreakers: (breakers) =>
      asked(() => {
        for (const [id, breaker] of breakers) {
          const found = held.get(id);
          if (found) held.set(id, { ...found, breaker });
        }
      }),
    disable: (id, disabled) =>
      asked(() => {
        const found = held.get(id);
        if (found?.disabled === null) held.set(id, { ...found, disabled, version: found.version + 1 });
      }),
    countDisabled: () => asked(() => [...held.values()].filter(({ disabled }) => disabled !== null).length),
    countOpen: (now) => asked(() => [...held.values()].filter(({ breaker }) => (breaker.openUntil ?? 0) > now).length),
  };
}

function memoryDeliveries(kept: Map<string, DeliveryDocument>, asked: Asked): WebhookDeliveries & SenderDeliveries {
  const all = () => [...kept.values()];
  const set = (each: DeliveryDocument, to: Partial<DeliveryDocument>) => void kept.set(each._id, { ...each, ...to });
  const isDue = (each: DeliveryDocument, now: Date) => each.state === 'WAITING' && each.dueAt <= now;
  const longestDue = (now: Date) =>
    all()
      .filter((each) => isDue(each, now))
      .toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  return {
    find: (endpointId, id) => asked(() => all().find((each) => each.endpointId === endpointId && each._id === id)),
    list: (endpointId, state, after, limit) =>
      asked(() =>
        all()
          .filter((each) => each.endpointId === endpointId && (state === undefined || each.state === state))
          .filter((each) => isAfter([each.occurredAt, each._id], after))
          .toSorted((a, b) => latestFirst([a.occurredAt, a._id], [b.occurredAt, b._id]))
          .slice(0, limit),
      ),
    resend: (endpointId, selection, at) =>
      asked(() => {
        const wanted = all().filter(
          (each) =>
            each.endpointId === endpointId &&
            ('ids' in selection
              ? selection.ids.includes(each._id)
              : each.occurredAt >= selection.from &&
                each.occurredAt < selection.to &&
                selection.states.includes(each.state)),
        );
        const fresh = { state: 'WAITING', dueAt: at, since: at, tries: 0, claim: null, settledAt: null } as const;
        for (const each of wanted) set(each, { ...fresh, resends: each.resends + 1 });
        return wanted.length;
      }),
    due: (now, limit) => asked(() => longestDue(now).slice(0, limit)),
    dueOf: (now, limits) =>
      asked(() =>
        [...limits].flatMap(([id, limit]) =>
          longestDue(now)
            .filter(({ endpointId }) => endpointId === id)
            .slice(0, limit),
        ),
      ),
    claim: (ids, claim, now, until) =>
      asked(() => {
        const mine = all().filter((each) => ids.includes(each._id) && isDue(each, now));
        for (const each of mine) set(each, { claim, dueAt: until, lastTryAt: now });
        return mine.map(({ _id }) => kept.get(_id)!);
      }),
    settle: (settled) =>
      asked(() => {
        for (const { delivery, settlement, at } of settled) {
          const found = kept.get(delivery._id);
          if (found?.state !== 'WAITING') continue;
          if (settlement.kind === 'delivered') {
            set(found, { state: 'DELIVERED', lastStatus: settlement.status, lastCode: null, settledAt: at });
            continue;
          }
          if (found.claim !== delivery.claim) continue;
          const answered = { tries: found.tries + 1, lastStatus: settlement.status, lastCode: settlement.code };
          if (settlement.kind === 'again') set(found, { ...answered, dueAt: settlement.dueAt, claim: null });
          else set(found, { ...answered, state: 'FAILED', settledAt: at, claim: null });
        }
      }),
    postpone: (postponements, now) =>
      asked(() => {
        for (const { endpointId, until, giveUpSince } of postponements) {
          for (const each of all().filter((one) => one.endpointId === endpointId && isDue(one, now))) {
            if (giveUpSince !== undefined && each.since <= giveUpSince)
              set(each, { state: 'FAILED', lastCode: 'WEBHOOK_GIVEN_UP', settledAt: now });
            else set(each, { dueAt: until });
          }
        }
      }),
    park: (parked, at) =>
      asked(() => {
        for (const { id, code } of parked) {
          const found = kept.get(id);
          if (found !== undefined && isDue(found, at)) set(found, { state: 'FAILED', lastCode: code, settledAt: at });
        }
      }),
    drop: (ids) =>
      asked(() => {
        for (const id of ids) kept.delete(id);
      }),
    standing: () =>
      asked(() => {
        const waiting = all().filter(({ state }) => state === 'WAITING');
        const oldest = waiting.toSorted((a, b) => a.since.getTime() - b.since.getTime())[0];
        return { waiting: waiting.length, oldestSince: oldest?.since ?? null };
      }),
    sweep: (before) =>
      asked(() => {
        const old = all().filter(({ occurredAt }) => occurredAt < before);
        for (const { _id } of old) kept.delete(_id);
        return old.length;
      }),
  };
}
