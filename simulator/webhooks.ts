/**
 * Signed callbacks for each change of a payout's state. At most a few tries each, in no order, sometimes twice: as with a
 * real provider they are a hint, and only a query tells. What is waiting is lost when the process ends.
 */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { WebhookEvent } from './api.ts';
import { draw } from './injected-faults.ts';

export interface WebhookOptions {
  readonly url: string;
  /** Key of the HMAC. */
  readonly secret: string;
  /** Events are held back by up to this, each by its own draw, which mixes their order. Default 0. */
  readonly shuffleMs?: number;
  /** Share of the events that are sent twice. Default 0. */
  readonly duplicateProbability?: number;
}

const TRIES = 4;
const FIRST_BACKOFF_MS = 200;
const TIMEOUT_MS = 5_000;

/** `Provider-Signature: t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`. */
export function sign(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

export class Webhooks {
  readonly #options: WebhookOptions;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #stopped = new AbortController();
  readonly #seed: number;
  #delivered = 0;
  #givenUp = 0;

  constructor(options: WebhookOptions, seed: number) {
    const url = new URL(options.url);
    this.#options = options;
    this.#seed = seed;
    this.#path = url.pathname + url.search;
    this.#pool = new Pool(url.origin, { connections: 8, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  }

  get stats(): { delivered: number; givenUp: number } {
    return { delivered: this.#delivered, givenUp: this.#givenUp };
  }

  /** Sends in the background; never throws. */
  send(event: WebhookEvent): void {
    const { shuffleMs = 0, duplicateProbability = 0 } = this.#options;
    const copies = draw(`${this.#seed} copy ${event.eventId}`) < duplicateProbability ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const holdMs = Math.floor(draw(`${this.#seed} hold ${event.eventId} ${copy}`) * shuffleMs);
      void this.#deliver(JSON.stringify(event), holdMs);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#pool.destroy();
  }

  async #deliver(body: string, holdMs: number): Promise<void> {
    for (let attempt = 0, waitMs = holdMs; attempt < TRIES; attempt++, waitMs = FIRST_BACKOFF_MS * 2 ** attempt) {
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (this.#stopped.signal.aborted) return;
      if (await this.#post(body)) {
        this.#delivered++;
        return;
      }
    }
    this.#givenUp++;
  }

  async #post(body: string): Promise<boolean> {
    const signature = sign(this.#options.secret, Math.floor(Date.now() / 1_000), body);
    const headers = { 'content-type': 'application/json', 'provider-signature': signature };
    try {
      const response = await this.#pool.request({ path: this.#path, method: 'POST', headers, body });
      await response.body.dump();
      return response.statusCode >= 200 && response.statusCode < 300;
    } catch {
      return false;
    }
  }
}
