/** What the provider requires of those who ask: a bearer token, a signature of each request. docs/simulator.md has the form. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface RequiredAuth {
  readonly token?: string;
  readonly signing?: { readonly id: string; readonly secret: string };
}

export interface AskedWith {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** A signature is good for this long before and after its date, ms; a nonce is taken once within. */
const FRESH_MS = 300_000;
const SIGNATURE = /^keyId=([\w.-]{1,64}), date=([0-9TZ:.-]{20,30}), nonce=([\w-]{16,64}), mac=([0-9a-f]{64})$/;

export class Doorman {
  readonly #required: RequiredAuth;
  /** Nonces seen, and until when they count; the oldest first. */
  readonly #nonces = new Map<string, number>();

  constructor(required: RequiredAuth) {
    this.#required = required;
  }

  /** Why this request is not let in; undefined: it is. */
  refuses(asked: AskedWith, now: number): string | undefined {
    const { token, signing } = this.#required;
    if (token !== undefined && !same(asked.header('authorization') ?? '', `Bearer ${token}`)) {
      return 'the bearer token is missing or wrong';
    }
    return signing && this.#refusesSignature(asked, signing, now);
  }

  #refusesSignature(asked: AskedWith, { id, secret }: { id: string; secret: string }, now: number): string | undefined {
    const [, keyId, date, nonce, mac] = SIGNATURE.exec(asked.header('request-signature') ?? '') ?? [];
    if (keyId !== id || !date || !nonce || !mac) return 'Request-Signature is missing, malformed or of an unknown key';
    const digest = createHash('sha256').update(asked.body).digest('hex');
    const key = asked.header('idempotency-key') ?? '';
    const lines = ['v1', asked.method, asked.path, date, nonce, key, digest].join('\n');
    if (!same(mac, createHmac('sha256', secret).update(lines).digest('hex'))) return 'Request-Signature does not fit';
    if (!(Math.abs(now - Date.parse(date)) <= FRESH_MS)) return 'the date of Request-Signature is too far from now';
    for (const [seen, until] of this.#nonces) {
      if (until >= now) break;
      this.#nonces.delete(seen);
    }
    if (this.#nonces.has(nonce)) return 'this Request-Signature was used before';
    this.#nonces.set(nonce, now + 2 * FRESH_MS);
    return undefined;
  }
}

function same(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one!, other!);
}
