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
import { afterFailure, type Breaker, CLOSED } from './schedule.ts';

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
/** Pages of one tick: what they leave is for the next. */
const MAX_PAGES = 20;
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
  readonly #settles: Batcher<Flown, undefined>;

  constructor(parts: SenderComponents) {
    this.#parts = parts;
    this.#settles = new Batcher({ run: (flown) => this.#settle(flown), maxItems: MAX_SETTLED_AT_ONCE });
  }

  get underWay(): number {
    return this.#flights.size;
  }

  /**
   * Sends what is due and has room. Does not wait for the answers.
   * @returns whether something was sent
   * @throws CodedError when the database is away
   */
  async tick(): Promise<boolean> {
    const { deliveries, terms } = this.#parts;
    const seen = new Set(this.#full());
    let hasSent = false;
    for (let page = 0; page < MAX_PAGES && this.#room() > 0; page++) {
      const now = new Date(this.#parts.clock());
      const due = await deliveries.due(now, [...seen], PAGE);
      if (due.length === 0) break;
      for (const { endpointId } of due) seen.add(endpointId);
      const endpoints = await this.#load(due);
      const sight = { due, endpoints, underWay: this.#underWay, room: this.#room() };
      const plan = planOf({ ...sight, perEndpoint: terms.perEndpoint, now: now.getTime() }, this.#parts.ring);
      await this.#putAside(plan, now);
      hasSent = (await this.#send(plan.send, endpoints)) || hasSent;
      if (due.length < PAGE) break;
    }
    return hasSent;
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

  /** Endpoints to which nothing more may go now. */
  #full(): readonly string[] {
    const most = (id: string) => ((this.#breakers.get(id) ?? CLOSED).failures > 0 ? 1 : this.#parts.terms.perEndpoint);
    return [...this.#underWay].filter(([id, count]) => count >= most(id)).map(([id]) => id);
  }

  /** The endpoints of these deliveries. While something is on its way to one, its breaker is what this process knows. */
  async #load(due: readonly DeliveryDocument[]): Promise<ReadonlyMap<string, WebhookEndpoint>> {
    const ids = [...new Set(due.map(({ endpointId }) => endpointId))];
    const found = await this.#parts.endpoints.byIds(ids);
    return new Map(
      found.map((endpoint) => {
        const known = this.#underWay.has(endpoint._id) ? this.#breakers.get(endpoint._id) : undefined;
        return [endpoint._id, known ? { ...endpoint, breaker: known } : endpoint];
      }),
    );
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
