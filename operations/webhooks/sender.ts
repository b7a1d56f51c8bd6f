// Sends what is due: claims it for a while, posts it, writes down what came of it. Whoever dies in between leaves a claim that
// runs out, and somebody sends it again: at least once, and never lost. So many go at once in all, and so many to one
// endpoint, so that one that hangs keeps nobody else waiting.
import { randomUUID } from 'node:crypto';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { signatureHeaders } from '../../domain/webhooks/signature.ts';
import { Batcher } from '../../ports/batcher.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
import type { WebhookFailpoint } from '../../ports/webhook-failpoints.ts';
import { DELIVERY_KEPT_MS, type DeliveryDocument } from '../../sinks/webhooks/delivery.ts';
import { type Plan, planOf, settlementOf } from './decide.ts';
import { secretsInForce, type WebhookEndpoint } from './endpoint.ts';
import type { SenderDeliveries, SenderEndpoints, Settled, WebhookPost } from './ports.ts';
import { afterFailure, type Breaker, CLOSED, widthOf } from './schedule.ts';

export interface SenderTerms {
  /** On their way at once: in all, and to one endpoint. */
  readonly connections: number;
  readonly perEndpoint: number;
  /** How long a claim holds, ms: longer than any try takes. */
  readonly claimMs: number;
}

export interface SenderComponents {
  readonly deliveries: SenderDeliveries;
  readonly endpoints: SenderEndpoints;
  readonly post: WebhookPost;
  readonly ring: KeyRing;
  readonly terms: SenderTerms;
  /** ms since 1970 */
  readonly clock: () => number;
  readonly random: () => number;
  readonly failpoint: (name: WebhookFailpoint) => Promise<void> | undefined;
  /** Called with each try. */
  readonly onSettled: (settled: Settled) => void;
  /** Called with what was not sent for another reason than an answer. */
  readonly onFault: (error: unknown) => void;
  readonly onForged: (code: ShownCode, id: string) => void;
}

const PAGE = 200;
/** Endpoints that are asked for at once while more is due than a page. */
const ENDPOINTS_AT_ONCE = 50;
/** While nothing comes back, and the longest due of all, are looked at again after so long, ms. */
const LOOK_AGAIN_MS = 250;
const MAX_SETTLED_AT_ONCE = 500;

/** Settled with the endpoint that it was sent to. */
interface Flown extends Settled {
  readonly endpoint: WebhookEndpoint;
}

export class WebhookSender {
  readonly #parts: SenderComponents;
  readonly #underWay = new Map<string, number>();
  /** How endpoints do, as long as something is on its way to them. */
  readonly #breakers = new Map<string, Breaker>();
  readonly #flights = new Set<Promise<void>>();
  /** More was due than a page when it was last looked. */
  #isBehind = false;
  /** The endpoint after which the next ones are asked for; undefined: from the first on. */
  #turn: string | undefined;
  #hasEnded = false;
  /** ms since 1970 */
  #askedAt = Number.NEGATIVE_INFINITY;
  #pageAt = Number.NEGATIVE_INFINITY;
  readonly #settles: Batcher<Flown, undefined>;

  constructor(parts: SenderComponents) {
    this.#parts = parts;
    this.#settles = new Batcher({ run: (flown) => this.#settle(flown), maxItems: MAX_SETTLED_AT_ONCE });
  }

  get underWay(): number {
    return this.#flights.size;
  }

  /**
   * Sends what is due and has room. Does not wait for the answers. While more is due than a page holds, each endpoint in its turn
   * is asked for no more than may go to it: what waits for one is walked over for no other.
   * @returns whether to come again soon
   * @throws CodedError when the database is away
   */
  async tick(): Promise<boolean> {
    const at = this.#parts.clock();
    if (this.#room() <= 0 || this.#isStill(at)) return true;
    this.#hasEnded = false;
    this.#askedAt = at;
    const hasSent = await this.#longestDue(at);
    if (!this.#isBehind) return hasSent;
    return (await this.#nextInTurn(at)) || hasSent || this.#flights.size > 0;
  }

  /** More is due than can go, and nothing has come back since it was looked. */
  #isStill(at: number): boolean {
    const isRecent = at >= this.#askedAt && at - this.#askedAt < LOOK_AGAIN_MS;
    return this.#isBehind && this.#flights.size > 0 && !this.#hasEnded && isRecent;
  }

  /** What is due longest, whosever it is; while more is due than that, now and then. */
  async #longestDue(at: number): Promise<boolean> {
    if (this.#isBehind && at >= this.#pageAt && at - this.#pageAt < LOOK_AGAIN_MS) return false;
    this.#pageAt = at;
    const due = await this.#parts.deliveries.due(new Date(at), PAGE);
    this.#isBehind = due.length === PAGE;
    const found = await this.#parts.endpoints.byIds([...new Set(due.map(({ endpointId }) => endpointId))]);
    return this.#plan(due, found, at);
  }

  async #nextInTurn(at: number): Promise<boolean> {
    const { deliveries, endpoints } = this.#parts;
    const next = await endpoints.following(this.#turn, ENDPOINTS_AT_ONCE);
    this.#turn = next.length < ENDPOINTS_AT_ONCE ? undefined : next.at(-1)!._id;
    const limits = new Map(next.map((endpoint) => [endpoint._id, this.#limitOf(endpoint, at)] as const));
    for (const [id, limit] of limits) if (limit <= 0) limits.delete(id);
    if (limits.size === 0 || this.#room() <= 0) return false;
    const due = await deliveries.dueOf(new Date(at), limits);
    // Where there is not room for all of them, who has least on its way comes first.
    const inUse = ({ endpointId }: DeliveryDocument) => this.#underWay.get(endpointId) ?? 0;
    return this.#plan(
      due.toSorted((a, b) => inUse(a) - inUse(b)),
      next,
      at,
    );
  }

  /** How many of an endpoint are to be looked at: of one that is left alone one, by which all are put off. */
  #limitOf(endpoint: WebhookEndpoint, at: number): number {
    if (endpoint.disabled !== null) return PAGE;
    const { breaker } = this.#asKnown(endpoint);
    const width = Math.max(1, widthOf(breaker, at, this.#parts.terms.perEndpoint));
    return Math.min(PAGE, width - (this.#underWay.get(endpoint._id) ?? 0));
  }

  async #plan(due: readonly DeliveryDocument[], found: readonly WebhookEndpoint[], at: number): Promise<boolean> {
    if (due.length === 0) return false;
    const { ring, terms } = this.#parts;
    const endpoints = new Map(found.map((endpoint) => [endpoint._id, this.#asKnown(endpoint)]));
    const sight = { due, endpoints, underWay: this.#underWay, room: this.#room() };
    const plan = planOf({ ...sight, perEndpoint: terms.perEndpoint, now: at }, ring);
    await this.#putAside(plan, new Date(at));
    return this.#send(plan.send, endpoints);
  }

  /** Deletes deliveries that are no longer kept. @returns how many */
  sweep(): Promise<number> {
    return this.#parts.deliveries.sweep(new Date(this.#parts.clock() - DELIVERY_KEPT_MS));
  }

  /** Waits for what is on its way. What does not end in time is sent again by somebody. */
  async stop(deadlineMs: number): Promise<void> {
    await within(deadlineMs, Promise.allSettled([...this.#flights]));
  }

  #room(): number {
    return this.#parts.terms.connections - this.#flights.size;
  }

  /** While something is on its way to it, its breaker is what this process knows. */
  #asKnown(endpoint: WebhookEndpoint): WebhookEndpoint {
    const breaker = this.#underWay.has(endpoint._id) ? this.#breakers.get(endpoint._id) : undefined;
    return breaker === undefined ? endpoint : { ...endpoint, breaker };
  }

  async #putAside({ postpone, park, drop, forged }: Plan, now: Date): Promise<void> {
    const { deliveries, onForged } = this.#parts;
    for (const id of forged) onForged('WEBHOOK_ENDPOINT_FORGED', id);
    for (const { id, code } of park) if (code === 'WEBHOOK_DELIVERY_FORGED') onForged(code, id);
    if (postpone.length > 0) await deliveries.postpone(postpone, now);
    if (park.length > 0) await deliveries.park(park, now);
    if (drop.length > 0) await deliveries.drop(drop);
  }

  async #send(chosen: readonly DeliveryDocument[], endpoints: ReadonlyMap<string, WebhookEndpoint>): Promise<boolean> {
    if (chosen.length === 0) return false;
    const { deliveries, clock, terms, failpoint } = this.#parts;
    const now = clock();
    const until = now + terms.claimMs;
    const ids = chosen.map(({ _id }) => _id);
    const claimed = await deliveries.claim(ids, randomUUID(), new Date(now), new Date(until));
    await failpoint('webhooks.after-claim');
    for (const delivery of claimed) this.#begin(delivery, endpoints.get(delivery.endpointId)!);
    return claimed.length > 0;
  }

  #begin(delivery: DeliveryDocument, endpoint: WebhookEndpoint): void {
    const { _id: id } = endpoint;
    this.#underWay.set(id, (this.#underWay.get(id) ?? 0) + 1);
    if (!this.#breakers.has(id)) this.#breakers.set(id, endpoint.breaker);
    const flight = this.#fly(delivery, endpoint)
      .catch(this.#parts.onFault)
      .finally(() => {
        this.#flights.delete(flight);
        this.#hasEnded = true;
        const left = this.#underWay.get(id)! - 1;
        if (left > 0) {
          this.#underWay.set(id, left);
          return;
        }
        this.#underWay.delete(id);
        this.#breakers.delete(id);
      });
    this.#flights.add(flight);
  }

  async #fly(delivery: DeliveryDocument, endpoint: WebhookEndpoint): Promise<void> {
    const { post, ring, clock, random, failpoint } = this.#parts;
    const { _id: id, body } = delivery;
    const sentAt = clock();
    const secrets = secretsInForce(ring, endpoint, sentAt);
    const headers = signatureHeaders({ id, timestampS: Math.floor(sentAt / 1_000), body }, secrets);
    const answer = await post({ url: endpoint.url, headers, body });
    await failpoint('webhooks.after-post');
    const at = clock();
    const breaker = this.#breakers.get(endpoint._id) ?? endpoint.breaker;
    const settlement = settlementOf(delivery, breaker, answer, { now: at, random });
    await this.#settles.add({ delivery, endpoint, settlement, at: new Date(at) });
    await failpoint('webhooks.after-mark');
  }

  /**
   * What came of several, in one write; then how their endpoints do. One that is gone is disabled first: whoever dies in between
   * leaves a claim, and what it held is parked when that runs out.
   */
  async #settle(flown: readonly Flown[]): Promise<readonly undefined[]> {
    const { deliveries, endpoints, onSettled, random, failpoint } = this.#parts;
    const gone = flown.filter(({ settlement }) => settlement.kind === 'failed' && settlement.isGone);
    for (const [id, [first]] of Map.groupBy(gone, ({ endpoint }) => endpoint._id))
      await endpoints.disable(id, { by: null, at: first!.at, reason: 'the endpoint answered 410 Gone' });
    if (gone.length > 0) await failpoint('webhooks.after-disable');
    await deliveries.settle(flown);
    for (const each of flown) onSettled(each);
    const changed = new Map<string, Breaker>();
    for (const { endpoint, settlement, at } of flown) {
      const before = this.#breakers.get(endpoint._id) ?? endpoint.breaker;
      const isTaken = settlement.kind === 'delivered';
      if (isTaken && before.failures === 0) continue;
      const after = isTaken ? CLOSED : afterFailure(before, at.getTime(), random);
      this.#breakers.set(endpoint._id, after);
      changed.set(endpoint._id, after);
    }
    if (changed.size > 0) await endpoints.setBreakers(changed);
    return flown.map(() => undefined);
  }
}
