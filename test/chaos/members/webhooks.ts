// Member: producers who are told what becomes of their transfers, by endpoints that take a message, fail, hang, hang up and are
// away, while senders, sinks and API die. Each producer seals a share of the intents, chosen by transfer.
//
// What must come of it: each row of the lifecycle of a producer was delivered to its endpoint at least once, under a signature
// that a library of others verifies, with its sequence in the body; and nothing else was. How the judge knows: by the rows of
// the log, and by what each endpoint took.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { localIssuer } from '../../../adapters/auth/local-issuer.ts';
import { sealIntent } from '../../../domain/producers/intent-seal.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { sealFlaw } from '../../../ports/seals.ts';
import { type Random, seeded } from '../../../samples/random.ts';
import type { TransferLifecycle } from '../../../schemas/types.generated.ts';
import type { Connections } from '../../../services/connections.ts';
import { EVENT_TYPES, eventTypeOf } from '../../../sinks/webhooks/event-types.ts';
import { deliveryIdOf } from '../../../sinks/webhooks/to-write.ts';
import { HEADER } from '../../../topics/headers.ts';
import type { ChaosRecord } from '../feed.ts';
import type { Slot } from '../slot.ts';
import { isForeign } from './foreign-batches.ts';

const LIFECYCLE = 'transfer.lifecycle';
/** Producers with an endpoint. Every third transfer is of nobody that can be told. */
export const PRODUCERS = ['acme', 'zenith'] as const;
type ProducerId = (typeof PRODUCERS)[number];

/** Who seals the inputs of this transfer; those in foreign batches bear no headers. */
export function producerOf(record: ChaosRecord): ProducerId | undefined {
  if (isForeign(record)) return undefined;
  return PRODUCERS[createHash('sha256').update(`producer ${record.account}`).digest()[0]! % (PRODUCERS.length + 1)];
}

/** The headers by which intake knows who an intent is from. */
export const intentHeaders =
  (ring: KeyRing) =>
  (record: ChaosRecord): Readonly<Record<string, string>> => {
    const producer = producerOf(record);
    if (producer === undefined || record.value === null) return {};
    return { [HEADER.producer]: producer, [HEADER.producerSeal]: sealIntent(ring, producer, record.value) };
  };

/** What a message says of itself, as far as it is compared. */
export interface Message {
  readonly type: string;
  readonly data: Pick<TransferLifecycle, 'eventId' | 'transferId' | 'state'> & { readonly sequence: unknown };
}

/** What came to the endpoint of one producer. */
export interface Hearing {
  readonly producerId: string;
  readonly endpointId: string;
  /** Taken with 2xx, by `webhook-id`; what came again says the same. */
  readonly taken: ReadonlyMap<string, Message>;
  /** Messages that no signature proves, that are not well formed, or that came again and say something else. */
  readonly wrong: readonly string[];
}

type Row = Pick<TransferLifecycle, 'eventId' | 'transferId' | 'state' | 'sequence' | 'producerId'>;

/** What is wrong with what endpoints heard, by the rows of the log. Pure. */
export function misheard(
  rows: readonly Row[],
  hearings: readonly Hearing[],
): readonly { readonly subject: string; readonly detail: string }[] {
  return hearings.flatMap(({ producerId, endpointId, taken, wrong }) => {
    const own = rows.filter((row) => row.producerId === producerId);
    const owed = new Map(own.map((row) => [deliveryIdOf(endpointId, row.eventId), row]));
    const lost = [...owed].flatMap(([id, row]) => {
      const message = taken.get(id);
      if (message === undefined)
        return [{ subject: row.transferId, detail: `${producerId} never heard of ${row.state}` }];
      return isOf(row, message)
        ? []
        : [{ subject: row.transferId, detail: `${producerId} heard something else: ${id}` }];
    });
    const strange = [...taken].filter(([id]) => !owed.has(id));
    return [
      ...lost,
      ...strange.map(([id, { data }]) => ({
        subject: String(data?.transferId ?? id),
        detail: `is not ${producerId}'s`,
      })),
      ...wrong.map((detail) => ({ subject: producerId, detail })),
    ];
  });
}

const isOf = ({ eventId, transferId, state, sequence }: Row, { type, data }: Message): boolean =>
  type === eventTypeOf(state) &&
  data.eventId === eventId &&
  data.transferId === transferId &&
  data.state === state &&
  data.sequence === sequence;

/** How an endpoint meets a message. HEARD_HANGS: it has it, and the sender does not hear of that. */
type Way = 'TAKES' | 'FAILS' | 'HANGS' | 'HANGS_UP' | 'HEARD_HANGS';
const WAYS: readonly Way[] = [
  ...Array.from({ length: 14 }, (): Way => 'TAKES'),
  ...(['FAILS', 'FAILS', 'HANGS', 'HANGS_UP', 'HANGS_UP', 'HEARD_HANGS'] as const),
];

/** An endpoint of one producer. */
class Endpoint implements Hearing {
  readonly producerId: string;
  readonly taken = new Map<string, Message>();
  readonly wrong: string[] = [];
  /** Messages that it did not take, by how. */
  readonly refused: Record<string, number> = {};
  endpointId = '';
  secret = '';
  isCalm = false;
  #server: Server | undefined;
  #port = 0;
  readonly #random: Random;

  constructor(producerId: string, random: Random) {
    this.producerId = producerId;
    this.#random = random;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.producerId}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response).catch(() => undefined));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Nobody listens any more. */
  async die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const way = this.isCalm ? 'TAKES' : this.#random.pick(WAYS);
    if (way !== 'TAKES') this.refused[way] = (this.refused[way] ?? 0) + 1;
    if (way === 'FAILS') return void response.writeHead(500).end();
    if (way === 'HANGS_UP') return void request.socket.destroy();
    if (way === 'HANGS') return;
    this.#hear(request.headers as Record<string, string>, Buffer.concat(chunks).toString());
    if (way === 'TAKES') response.writeHead(204).end();
  }

  #hear(headers: Record<string, string>, body: string): void {
    const id = headers['webhook-id'] ?? '';
    try {
      const message = new Webhook(this.secret).verify(body, headers) as Message;
      const before = this.taken.get(id);
      if (before && JSON.stringify(before) !== JSON.stringify(message)) this.wrong.push(`${id} came again, as another`);
      this.taken.set(id, message);
    } catch (error) {
      this.wrong.push(`${id} is not proven: ${String(error)}`);
    }
  }
}

const AWAY_EVERY_MS = 9_000;
const AWAY_MS = 2_500;
const LOOK_EVERY_MS = 1_000;
/** Each time all that waits is written anew: while some is still heard, that only holds it up. */
const RESEND_AFTER_QUIET_MS = 8_000;
const TOKEN_SECONDS = 600;
const ANSWER_WITHIN_MS = 20_000;
const DAY_MS = 86_400_000;

export interface WebhooksOptions {
  /** The API of producers. */
  readonly slot: Slot;
  /** Of the issuer that it believes. */
  readonly keyFile: string;
  readonly connections: Connections;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #endpoints: readonly Endpoint[];
  #ending = false;
  #troubling: Promise<void> = Promise.resolve();

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const random = seeded(options.seed ^ 0x3eb);
    this.#endpoints = PRODUCERS.map((id) => new Endpoint(id, random));
  }

  get hearings(): readonly Hearing[] {
    return this.#endpoints;
  }

  /** How many messages were taken, and how many met an endpoint that did not take them. */
  counts(): { readonly webhooksTaken: number; readonly webhooksRefused: number } {
    const sum = (of: (one: Endpoint) => number) => this.#endpoints.reduce((all, one) => all + of(one), 0);
    return {
      webhooksTaken: sum(({ taken }) => taken.size),
      webhooksRefused: sum(({ refused }) => Object.values(refused).reduce((all, one) => all + one, 0)),
    };
  }

  /** Registers an endpoint of each producer, over HTTP; from then on they are in trouble now and then. */
  async start(): Promise<void> {
    for (const endpoint of this.#endpoints) {
      await endpoint.open();
      const made = await this.#ask(endpoint, '/webhook-endpoints', { url: endpoint.url, events: EVENT_TYPES });
      endpoint.endpointId = made.endpoint.endpointId;
      endpoint.secret = made.secret;
    }
    this.#troubling = this.#trouble();
  }

  async #trouble(): Promise<void> {
    for (let turn = 0; !this.#ending; turn++) {
      await sleep(AWAY_EVERY_MS);
      if (this.#ending) return;
      const one = this.#endpoints[turn % this.#endpoints.length]!;
      await one.die();
      await sleep(AWAY_MS);
      await one.open();
    }
  }

  /**
   * When all is drained: endpoints take whatever comes, and producers have sent again what still waits, as after a bad night.
   * Ends when all was told, or when nothing came for `quietMs`.
   */
  async settle(quietMs: number): Promise<void> {
    this.#ending = true;
    await this.#troubling;
    for (const endpoint of this.#endpoints) endpoint.isCalm = true;
    const rows = await ownRows(this.#options.connections);
    let before = -1;
    let movedAt = performance.now();
    let askedAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      const left = misheard(rows, this.hearings).length;
      if (left !== before) movedAt = performance.now();
      const quietSince = Math.max(movedAt, askedAt);
      before = left;
      if (left === 0 || performance.now() - movedAt > quietMs) break;
      if (askedAt === Number.NEGATIVE_INFINITY || performance.now() - quietSince > RESEND_AFTER_QUIET_MS) {
        askedAt = performance.now();
        await this.#resend();
      }
      await sleep(LOOK_EVERY_MS);
    }
    this.#options.say(`Producers heard of ${rows.length} rows; ${before} were misheard`);
  }

  async #resend(): Promise<void> {
    const [from, to] = [Date.now() - DAY_MS, Date.now() + DAY_MS].map((at) => new Date(at).toISOString());
    for (const endpoint of this.#endpoints) {
      const path = `/webhook-endpoints/${endpoint.endpointId}/resend`;
      await this.#ask(endpoint, path, { from, to, states: ['WAITING', 'FAILED'] });
    }
  }

  async close(): Promise<void> {
    this.#ending = true;
    await this.#troubling;
    for (const endpoint of this.#endpoints) await endpoint.die();
  }

  /** Asked again until it is done. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of two routes
  async #ask({ producerId }: Endpoint, path: string, body: object): Promise<any> {
    const { slot, keyFile } = this.#options;
    const key = `chaos-${producerId}-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
    for (;;) {
      const issuer = await localIssuer(keyFile, { CORRIDOR_ENV: 'test' });
      const headers = {
        authorization: `Bearer ${await issuer.token(producerId, ['producer'], TOKEN_SECONDS)}`,
        ...{ 'content-type': 'application/json', 'idempotency-key': key },
      };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      const answer = await fetch(`${slot.url}/v1${path}`, { ...sent, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
        .then(async (response) => [response.status, await response.json()] as const)
        .catch(() => undefined);
      if (answer && answer[0] < 300) return answer[1];
      if (answer && answer[0] < 500) throw new Error(`${path}: ${answer[0]} ${JSON.stringify(answer[1])}`);
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** The rows of these producers, as their stages sealed them. */
export async function ownRows({ log, codec, config }: Connections): Promise<readonly Row[]> {
  await codec.load([LIFECYCLE]);
  const reader = log.reader();
  const rows = new Map<string, Row>();
  await reader.read(await reader.offsets([LIFECYCLE]), async ({ records }) => {
    const sealed = records.filter((record) => !sealFlaw(config.keys, LIFECYCLE, record));
    for (const result of await codec.decode(
      LIFECYCLE,
      sealed.map(({ value }) => value),
    )) {
      if (!result.ok) throw new Error(`${LIFECYCLE}: ${result.detail}`);
      const { eventId, transferId, state, sequence, producerId } = result.value;
      if (producerId !== null) rows.set(eventId, { eventId, transferId, state, sequence, producerId });
    }
  });
  return [...rows.values()];
}
