// Endpoints of webhooks in MongoDB. What may be written is decided in operations/webhooks.
import type { Db, Document } from 'mongodb';
import { endpointIndexes, type WebhookEndpoint } from '../../operations/webhooks/endpoint.ts';
import type { SenderEndpoints, WebhookEndpoints } from '../../operations/webhooks/ports.ts';
import type { Subscription } from '../../sinks/webhooks/to-write.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const ENDPOINTS = 'webhook_endpoints';

interface EndpointStore extends WebhookEndpoints, SenderEndpoints {
  ensureIndexes(): Promise<void>;
  /** What the sink has to know of the endpoints of these producers. */
  subscriptions(producerIds: readonly string[]): Promise<readonly Subscription[]>;
}

/** The endpoints of this database. */
export function webhookEndpoints(db: Db): EndpointStore {
  const all = db.collection<WebhookEndpoint>(ENDPOINTS, MAJORITY);
  const found = (documents: readonly WebhookEndpoint[]) =>
    documents.map((document) => unstamped(document) as WebhookEndpoint);
  return {
    ensureIndexes: () => ensureIndexes(db, ENDPOINTS, endpointIndexes),
    insert: async (endpoint) => (await insertFree(all as never, [{ ...endpoint, ...STAMP } as never])).size === 0,
    async find(_id) {
      const document = await guarded(() => all.findOne({ _id }));
      return document === null ? undefined : (unstamped(document) as WebhookEndpoint);
    },
    async list(producerId, after, limit) {
      const before = after && [{ createdAt: { $lt: after.at } }, { createdAt: after.at, _id: { $lt: after.id } }];
      const query: Document = { ...(producerId !== undefined && { producerId }), ...(before && { $or: before }) };
      const sorted = all.find(query as never).sort({ createdAt: -1, _id: -1 });
      return found(await guarded(() => sorted.limit(limit).toArray()));
    },
    async change({ _id, version }, to) {
      const update = { $set: { ...to, version: version + 1 } };
      return (await guarded(() => all.updateOne({ _id, version }, update as never))).matchedCount === 1;
    },
    remove: async ({ _id, version }) => (await guarded(() => all.deleteOne({ _id, version }))).deletedCount === 1,
    byIds: async (ids) => found(await guarded(() => all.find({ _id: { $in: [...ids] } }).toArray())),
    async following(id, limit) {
      const query = id === undefined ? {} : { _id: { $gt: id } };
      return found(await guarded(() => all.find(query).sort({ _id: 1 }).limit(limit).toArray()));
    },
    async setBreakers(breakers) {
      const writes = [...breakers].map(([_id, breaker]) => ({
        updateOne: { filter: { _id }, update: { $set: { breaker } } },
      }));
      await guarded(() => all.bulkWrite(writes as never, { ordered: false }));
    },
    async disable(_id, disabled) {
      await guarded(() =>
        all.updateOne({ _id, disabled: null }, { $set: { disabled }, $inc: { version: 1 } } as never),
      );
    },
    countOpen: (now) => guarded(() => all.countDocuments({ 'breaker.openUntil': { $gt: now } } as never)),
    // A look at each: there are few endpoints.
    countDisabled: () => guarded(() => all.countDocuments({ disabled: { $ne: null } } as never)),
    async subscriptions(producerIds) {
      const projection = { producerId: 1, events: 1, disabled: 1, createdAt: 1 };
      const query = { producerId: { $in: [...producerIds] } };
      const documents = await guarded(() => all.find(query, { projection }).toArray());
      return documents.map(({ _id, producerId, events, disabled, createdAt }) => ({
        ...{ endpointId: _id, producerId, events, createdAt, isEnabled: disabled === null },
      }));
    },
  };
}
