// What webhooks ask of stores and of the way to endpoints.
import type { Networks } from '../../domain/webhooks/addresses.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import type { DeliveryDocument, DeliveryState } from '../../sinks/webhooks/delivery.ts';
import type { Disabling, WebhookEndpoint } from './endpoint.ts';
import type { Breaker } from './schedule.ts';

/** A place in a list of what came last first. */
export interface ListPosition {
  readonly at: Date;
  readonly id: string;
}

/** All of these throw a CodedError when the database is away. */
export interface WebhookEndpoints {
  /** False: the id is taken. */
  insert(endpoint: WebhookEndpoint): Promise<boolean>;
  find(id: string): Promise<WebhookEndpoint | undefined>;
  /** Latest first. `producerId` undefined: of all producers. */
  list(
    producerId: string | undefined,
    after: ListPosition | undefined,
    limit: number,
  ): Promise<readonly WebhookEndpoint[]>;
  /** By compare-and-set on the version, which rises by one. False: it changed meanwhile, or is gone. */
  change(seen: Pick<WebhookEndpoint, '_id' | 'version'>, to: Partial<WebhookEndpoint>): Promise<boolean>;
  remove(seen: Pick<WebhookEndpoint, '_id' | 'version'>): Promise<boolean>;
}

/** What the sender asks of the endpoints. */
export interface SenderEndpoints {
  byIds(ids: readonly string[]): Promise<readonly WebhookEndpoint[]>;
  /** In the order of their ids, those that follow this one; undefined: from the first on. */
  following(id: string | undefined, limit: number): Promise<readonly WebhookEndpoint[]>;
  /** In one write. */
  setBreakers(breakers: ReadonlyMap<string, Breaker>): Promise<void>;
  /** Unless it is disabled already. */
  disable(id: string, disabling: Disabling): Promise<void>;
  /** How many are left alone for a while. */
  countOpen(now: Date): Promise<number>;
  /** To how many nothing is sent, until somebody enables them. */
  countDisabled(): Promise<number>;
}

/** Which deliveries of an endpoint are sent again. */
export type ResendSelection =
  | { readonly ids: readonly string[] }
  | { readonly from: Date; readonly to: Date; readonly states: readonly DeliveryState[] };

/** All of these throw a CodedError when the database is away. */
export interface WebhookDeliveries {
  find(endpointId: string, id: string): Promise<DeliveryDocument | undefined>;
  /** Latest first. */
  list(
    endpointId: string,
    state: DeliveryState | undefined,
    after: ListPosition | undefined,
    limit: number,
  ): Promise<readonly DeliveryDocument[]>;
  /** Has them tried from the beginning, now. @returns how many */
  resend(endpointId: string, selection: ResendSelection, at: Date): Promise<number>;
}

/** What a try came to, as it is stored. */
export type Settlement =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'again'; readonly dueAt: Date; readonly code: ShownCode; readonly status: number | null }
  | { readonly kind: 'failed'; readonly code: ShownCode; readonly status: number | null; readonly isGone: boolean };

export interface Settled {
  readonly delivery: DeliveryDocument;
  readonly settlement: Settlement;
  readonly at: Date;
}

/** Puts off what is due of an endpoint. */
export interface Postponement {
  readonly endpointId: string;
  readonly until: Date;
  /** What has waited since then, or longer, is given up; undefined: nothing is. */
  readonly giveUpSince: Date | undefined;
}

/** What the sender asks of the deliveries: one round trip each. */
export interface SenderDeliveries {
  /** Due ones, the longest due first. */
  due(now: Date, limit: number): Promise<readonly DeliveryDocument[]>;
  /** Of each endpoint at most so many, the longest due first: it costs no more than it returns, whatever waits. */
  dueOf(now: Date, limits: ReadonlyMap<string, number>): Promise<readonly DeliveryDocument[]>;
  /** Those of them that nobody else has taken: they are this claim's until then. */
  claim(ids: readonly string[], claim: string, now: Date, until: Date): Promise<readonly DeliveryDocument[]>;
  /** A failure counts for the claim that met it; that it was taken counts whoever says so. */
  settle(settled: readonly Settled[]): Promise<void>;
  postpone(postponements: readonly Postponement[], now: Date): Promise<void>;
  /** Those of them that are due at that time: what somebody has claimed stays. */
  park(parked: readonly { readonly id: string; readonly code: ShownCode }[], at: Date): Promise<void>;
  drop(ids: readonly string[]): Promise<void>;
  standing(): Promise<{ readonly waiting: number; readonly oldestSince: Date | null }>;
  /** Deletes, of those whose event was before, a bounded number. @returns how many */
  sweep(before: Date): Promise<number>;
}

/** How webhooks stand, for somebody on call. */
export interface WebhookStanding {
  readonly endpoints: Pick<SenderEndpoints, 'countOpen' | 'countDisabled'>;
  readonly deliveries: Pick<SenderDeliveries, 'standing'>;
}

/** What is sent to an endpoint. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type PostAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'unanswered'; readonly code: ShownCode; readonly detail: string };

/** Sends once, to an address that was looked at, and follows nothing. Never rejects. */
export type WebhookPost = (request: WebhookRequest) => Promise<PostAnswer>;

/** Where endpoints may be. */
export interface WebhookReach {
  /** For trials alone. */
  readonly takesHttp: boolean;
  readonly allowed: Networks;
  /** Every address of a name; none: there is no such name, or nobody can tell. */
  resolve(hostname: string): Promise<readonly string[]>;
}
