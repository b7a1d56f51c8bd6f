/**
 * The fault plan: which requests go wrong, and how. A rule fires by probability or by count. Probability is drawn from
 * (seed, rule, key, how often this key was asked for), not from a running stream, so that one seed gives the same faults
 * however the requests of different keys interleave.
 */
import { z } from 'zod';
import { VISIBLE_WITHIN_MS } from './api.ts';
import type { AppliedFault, RequestClass } from './records.ts';

const MAX_DELAY_MS = 3_600_000;
const YEAR_MS = 366 * 86_400_000;
const milliseconds = z.int().min(0).max(MAX_DELAY_MS);

/** When a rule fires, whatever it does. */
const selection = {
  /** Names the rule in the ledger and in reports. */
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  on: z.enum(['submit', 'query', 'cancel']),
  probability: z.number().min(0).max(1).default(1),
  /** Passes over this many of the first requests that match. */
  skip: z.int().min(0).default(0),
  /** Fires at most this often. */
  limit: z.int().min(1).optional(),
  /** Only requests whose idempotency key starts so; for a transfer, its id and a colon. */
  keyPrefix: z.string().min(1).optional(),
};

/** One kind of fault. "Before" is before the request is processed, "after" is after it took effect. */
const faultRule = z.discriminatedUnion('kind', [
  /** The answer comes late; the request takes effect at once. A slow query is this. */
  z.strictObject({ ...selection, kind: z.literal('latency'), ms: milliseconds }),
  /** The request takes effect late, even when its client has gone by then. */
  z.strictObject({ ...selection, kind: z.literal('late'), ms: milliseconds }),
  /** The connection stays open without an answer for `ms`, then closes. */
  z.strictObject({ ...selection, kind: z.literal('timeout-before'), ms: milliseconds.default(120_000) }),
  z.strictObject({ ...selection, kind: z.literal('timeout-after'), ms: milliseconds.default(120_000) }),
  /** The connection is reset (TCP RST). */
  z.strictObject({ ...selection, kind: z.literal('reset-before') }),
  z.strictObject({ ...selection, kind: z.literal('reset-after') }),
  /** 500. */
  z.strictObject({ ...selection, kind: z.literal('error-before') }),
  z.strictObject({ ...selection, kind: z.literal('error-after') }),
  /** 429 with `Retry-After`; not processed. */
  z.strictObject({
    ...selection,
    kind: z.literal('rate-limit'),
    retryAfterSeconds: z.int().min(0).max(3_600).default(1),
  }),
  /** Takes effect, then answers 200 with JSON that breaks off. */
  z.strictObject({ ...selection, kind: z.literal('malformed') }),
  /** Not processed; every connection is reset and new ones are refused for `ms`. */
  z.strictObject({ ...selection, kind: z.literal('down'), ms: milliseconds }),
  /**
   * Takes effect, and is answered with a clock that is wrong: `aheadMs` ahead (negative: behind), or, with `backward`,
   * one that ran backward since the plan was set. With `probability`, `skip` and `limit` it jumps. Only what it tells is
   * wrong: expiry and settlement keep to the true time, as where queries are answered by another machine.
   */
  z.strictObject({
    ...selection,
    kind: z.literal('clock'),
    aheadMs: z.int().min(-YEAR_MS).max(YEAR_MS).default(0),
    backward: z.boolean().default(false),
  }),
  /** Takes effect, and is answered with another `field` than was asked for. */
  z.strictObject({
    ...selection,
    kind: z.literal('altered'),
    field: z
      .enum(['transferId', 'endToEndId', 'amount', 'currency', 'beneficiaryDigest', 'payerDigest'])
      .default('amount'),
  }),
  /** Accepted, but queries don't see it for `ms`. */
  z.strictObject({
    ...selection,
    kind: z.literal('lag'),
    on: z.literal('submit'),
    ms: z.int().min(1).max(VISIBLE_WITHIN_MS),
  }),
]);

/** A plan as JSON: `{ "rules": [{ "id": …, "on": …, "kind": …, … }] }`. The first rule that fires wins. */
export const faultPlan = z.strictObject({
  rules: z
    .array(faultRule)
    .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, 'rule ids must differ')
    .default([]),
});

export type FaultPlanInput = z.input<typeof faultPlan>;
export type FaultPlan = z.output<typeof faultPlan>;
export type FaultRule = FaultPlan['rules'][number];

/** A rule that fired, with the id under which the ledger has it. */
export interface Injected {
  readonly rule: FaultRule;
  readonly applied: AppliedFault;
}

/** Picks faults. Counts are kept from one `use` to the next. */
export class FaultPicker {
  readonly #seed: number;
  #plan: FaultPlan = { rules: [] };
  #matched: number[] = [];
  #fired: number[] = [];
  #asked = new Map<string, number>();
  #injected: number;
  /** When the present plan was set, ms since the epoch. */
  since = Date.now();

  /** @param injectedBefore faults already in the ledger, so that ids go on from there. */
  constructor(seed: number, injectedBefore: number) {
    this.#seed = seed;
    this.#injected = injectedBefore;
  }

  get plan(): FaultPlan {
    return this.#plan;
  }

  /** How often each rule of the present plan has fired. */
  get fired(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#plan.rules.map(({ id }, index) => [id, this.#fired[index] ?? 0]));
  }

  use(plan: FaultPlan): void {
    this.#plan = plan;
    this.#matched = plan.rules.map(() => 0);
    this.#fired = plan.rules.map(() => 0);
    this.#asked = new Map();
    this.since = Date.now();
  }

  /** The fault for this request, if any. */
  pick(on: RequestClass, key: string): Injected | null {
    if (this.#plan.rules.length === 0) return null;
    const counter = `${on} ${key}`;
    const time = (this.#asked.get(counter) ?? 0) + 1;
    this.#asked.set(counter, time);
    let injected: Injected | null = null;
    for (const [index, rule] of this.#plan.rules.entries()) {
      if (rule.on !== on || (rule.keyPrefix !== undefined && !key.startsWith(rule.keyPrefix))) continue;
      // Counted for every rule that matches, so that `skip` means the same wherever a rule stands.
      const matched = (this.#matched[index] ?? 0) + 1;
      this.#matched[index] = matched;
      const fired = this.#fired[index] ?? 0;
      if (injected || matched <= rule.skip || (rule.limit !== undefined && fired >= rule.limit)) continue;
      if (draw(`${this.#seed} ${rule.id} ${counter} ${time}`) >= rule.probability) continue;
      this.#fired[index] = fired + 1;
      injected = { rule, applied: { id: `fault-${++this.#injected}`, rule: rule.id, kind: rule.kind } };
    }
    return injected;
  }
}

/** What a wrong clock tells at the true time `now`; `since` is when the plan was set. Both ms since the epoch. */
export function wrongTime(rule: Extract<FaultRule, { kind: 'clock' }>, now: number, since: number): number {
  return (rule.backward ? since - (now - since) : now) + rule.aheadMs;
}

/** A number in [0, 1) that depends on `text` alone: FNV-1a, then the finisher of MurmurHash3 for even bits. */
export function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
