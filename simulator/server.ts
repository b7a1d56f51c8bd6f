/** The provider simulator as a server; see docs/simulator.md. `main.ts` runs it as a process of its own. */
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { API_PREFIX, executionsQuery, IDEMPOTENCY_KEY_HEADER, idempotencyKey, REPLAYED_HEADER } from './api.ts';
import { Doorman, type RequiredAuth } from './auth.ts';
import { Book } from './book.ts';
import type { Answer } from './decide.ts';
import { exportLines } from './export.ts';
import { FaultPicker, type FaultPlanInput, faultPlan, type Injected, wrongTime } from './injected-faults.ts';
import { altered, answerMalformed, comesBefore, neverAnswer, reset, resetSocket } from './injected-http-faults.ts';
import type { LedgerWriteError } from './ledger-writer.ts';
import type { Payout } from './payout.ts';
import type { LedgerRecord, RequestClass } from './records.ts';
import { failure, type HttpAnswer, identify, parseSubmit, toHttp, viewOf } from './requests.ts';
import { type WebhookOptions, Webhooks } from './webhooks.ts';

const MAX_BODY_BYTES = 64 * 1_024;
const MAX_KEY_IN_PATH = 400;

export interface SimulatorOptions {
  /** The ledger; made when it is not there, replayed when it is. One process at a time. */
  readonly ledgerFile: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Of the fault plan and the webhooks. Default 1. */
  readonly seed?: number;
  /** Off: a second submit with a key executes again. Default on. */
  readonly duplicateProtection?: boolean;
  /** From acceptance to settlement, in milliseconds; 0 settles in the answer. Default 200. */
  readonly delayMs?: number;
  /** From payment to return, where the account's ending asks for one, in milliseconds. Default: as `delayMs`. */
  readonly returnDelayMs?: number;
  readonly faults?: FaultPlanInput;
  /** Default: no webhooks. */
  readonly webhook?: WebhookOptions;
  /** Asked of every request about payouts; default: nothing. */
  readonly auth?: RequiredAuth;
  /** PEM texts: HTTPS instead of HTTP; with `clientCa`, only for clients with a certificate of it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Called once when the ledger can't be written; every answer is 503 from then on. */
  readonly onFailure?: (error: LedgerWriteError) => void;
}

export interface SimulatorStats {
  readonly now: string;
  readonly duplicateProtection: boolean;
  readonly payouts: number;
  /** Requests since this process started. */
  readonly requests: Readonly<Record<RequestClass, number>>;
  /** Ledger records by kind, and submits, cancels and faults in detail, since the ledger began. */
  readonly records: Readonly<Record<string, number>>;
  readonly ledger: { lastSeq: number; durableSeq: number; bytes: number; flushes: number };
  readonly faultsFired: Readonly<Record<string, number>>;
  readonly webhooks: { delivered: number; givenUp: number } | null;
}

export interface Simulator {
  /** Such as `http://127.0.0.1:4711`; paths start with `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly ledgerFile: string;
  /** Replaces the fault plan; counts start again. @throws ZodError when the plan is wrong. */
  setFaults(plan: FaultPlanInput): void;
  /** Refuses connections for `ms`, then listens again on the same port; resolves then. */
  goDown(ms: number): Promise<void>;
  stats(): SimulatorStats;
  /** The payouts by key, as they stand in memory. */
  payouts(): ReadonlyMap<string, Payout>;
  /** Answers what is under way, writes the ledger, closes. */
  stop(): Promise<void>;
  /** Resets all connections and drops what is not on disk: as near to `kill -9` as a process comes to itself. */
  kill(): Promise<void>;
}

/** @throws LedgerError when the ledger is damaged, ZodError when the fault plan is wrong. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const server = await SimulatorServer.create(options);
  await server.listen();
  return server;
}

class SimulatorServer implements Simulator {
  readonly ledgerFile: string;
  readonly #options: SimulatorOptions;
  readonly #book: Book;
  readonly #faults: FaultPicker;
  readonly #webhooks: Webhooks | null;
  readonly #app: FastifyInstance;
  readonly #sockets = new Set<Socket>();
  readonly #requests: Record<RequestClass, number> = { submit: 0, query: 0, cancel: 0 };
  readonly #stopped = new AbortController();
  readonly #host: string;
  #port: number;
  #down: Promise<void> | null = null;

  private constructor(options: SimulatorOptions, book: Book, webhooks: Webhooks | null) {
    this.#options = options;
    this.#book = book;
    this.#webhooks = webhooks;
    this.ledgerFile = options.ledgerFile;
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.#faults = new FaultPicker(options.seed ?? 1, book.counts.get('faults') ?? 0);
    this.#faults.use(faultPlan.parse(options.faults ?? {}));
    this.#app = this.#routes();
  }

  static async create(options: SimulatorOptions): Promise<SimulatorServer> {
    faultPlan.parse(options.faults ?? {});
    const delayMs = options.delayMs ?? 200;
    const webhooks = options.webhook ? new Webhooks(options.webhook, options.seed ?? 1) : null;
    const book: Book = await Book.open({
      ledgerFile: options.ledgerFile,
      duplicateProtection: options.duplicateProtection ?? true,
      delayMs,
      returnDelayMs: options.returnDelayMs ?? delayMs,
      onRecord: (record, payout) => webhooks && payout && announce(webhooks, book, record, payout),
      onFailure: (error) => options.onFailure?.(error),
    });
    return new SimulatorServer(options, book, webhooks);
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.#host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    try {
      await this.#app.listen({ port: this.#port, host: this.#host });
    } catch (error) {
      await this.#book.close('flush');
      throw error;
    }
    this.#port = (this.#app.server.address() as AddressInfo).port;
  }

  setFaults(plan: FaultPlanInput): void {
    this.#faults.use(faultPlan.parse(plan));
  }

  goDown(ms: number): Promise<void> {
    this.#down ??= this.#closePort(ms).finally(() => {
      this.#down = null;
    });
    return this.#down;
  }

  stats(): SimulatorStats {
    return {
      now: new Date(this.#book.now()).toISOString(),
      duplicateProtection: this.#options.duplicateProtection ?? true,
      payouts: this.#book.payouts.size,
      requests: { ...this.#requests },
      records: Object.fromEntries(this.#book.counts),
      ledger: this.#book.writer.stats,
      faultsFired: this.#faults.fired,
      webhooks: this.#webhooks?.stats ?? null,
    };
  }

  payouts(): ReadonlyMap<string, Payout> {
    return this.#book.payouts;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#down;
    await this.#app.close();
    await this.#webhooks?.stop();
    await this.#book.close('flush');
  }

  async kill(): Promise<void> {
    this.#stopped.abort();
    this.#resetConnections();
    await this.#book.close('abandon');
    await this.#down;
    await this.#app.close();
    await this.#webhooks?.stop();
  }

  #routes(): FastifyInstance {
    const { tls, auth } = this.#options;
    const clientAuth = tls?.clientCa && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true };
    const app: FastifyInstance = Fastify({
      ...(tls && { https: { cert: tls.cert, key: tls.key, ...clientAuth } }),
      bodyLimit: MAX_BODY_BYTES,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: MAX_KEY_IN_PATH },
    });
    app.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // The handlers parse: what is no JSON is a submit that was received as well.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error: { statusCode?: number; message?: string }, _request, reply) => {
      const now = this.#book.now();
      const theirs = (error.statusCode ?? 500) < 500;
      const answer = failure(theirs ? 'INVALID_REQUEST' : 'UNAVAILABLE', error.message ?? 'unknown', now);
      return reply.code(theirs ? (error.statusCode ?? 400) : 503).send(answer.body);
    });
    app.setNotFoundHandler((request, reply) => {
      const message = `no route ${request.method} ${request.url}; see docs/simulator.md`;
      // Not NOT_FOUND, which speaks of a payout.
      return this.#send(reply, { ...failure('INVALID_REQUEST', message, this.#book.now()), status: 404 });
    });

    if (auth) app.addHook('preHandler', this.#doorman(auth));
    app.post(`${API_PREFIX}/payouts`, (request, reply) => this.#submit(request, reply));
    app.get<KeyRoute>(`${API_PREFIX}/payouts/:key`, (request, reply) => this.#query(request, reply));
    app.post<KeyRoute>(`${API_PREFIX}/payouts/:key/cancel`, (request, reply) => this.#cancel(request, reply));
    app.get(`${API_PREFIX}/executions`, (request, reply) => this.#executions(request, reply));
    app.get('/health', () => ({ status: 'ok', asOf: new Date(this.#book.now()).toISOString() }));
    app.get(`${API_PREFIX}/admin/stats`, () => this.stats());
    app.get(`${API_PREFIX}/admin/faults`, () => this.#faults.plan);
    app.put(`${API_PREFIX}/admin/faults`, (request, reply) => this.#putFaults(request, reply));
    app.delete(`${API_PREFIX}/admin/faults`, () => {
      this.#faults.use({ rules: [] });
      return this.#faults.plan;
    });
    return app;
  }

  /** Lets nobody near payouts who does not show who they are. */
  #doorman(auth: RequiredAuth) {
    const doorman = new Doorman(auth);
    return async (request: FastifyRequest, reply: FastifyReply) => {
      if (!request.url.startsWith(`${API_PREFIX}/payouts`)) return undefined;
      const now = this.#book.now();
      const header = (name: string) => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      const body = typeof request.body === 'string' ? request.body : '';
      const why = doorman.refuses({ method: request.method, path: request.url, body, header }, now);
      return why === undefined ? undefined : this.#send(reply, failure('UNAUTHORIZED', why, now));
    };
  }

  async #submit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.#requests.submit++;
    const header = idempotencyKey.safeParse(request.headers[IDEMPOTENCY_KEY_HEADER]);
    if (!header.success) return this.#badKey(reply, `${IDEMPOTENCY_KEY_HEADER} header`);
    const key = header.data;
    const parsed = parseSubmit(typeof request.body === 'string' ? request.body : '');
    const injected = this.#faults.pick('submit', key);
    if (injected && comesBefore(injected.rule.kind)) {
      this.#book.handle(key, { type: 'submit-dropped', ...identify(parsed), fault: injected.applied });
      return this.#drop(injected, request, reply);
    }
    if (injected?.rule.kind === 'late') await this.#wait(injected.rule.ms);
    const fault = injected && { fault: injected.applied };
    if (!parsed.ok) {
      const { transferId, problems } = parsed;
      const answer = this.#book.handle(key, { type: 'submit-invalid', transferId, ...fault });
      return this.#answer(answer, injected, request, reply, problems);
    }
    const lagMs = injected?.rule.kind === 'lag' ? injected.rule.ms : 0;
    const { instruction } = parsed;
    const answer = this.#book.handle(key, { type: 'submit', instruction, lagMs, ...fault });
    return this.#answer(answer, injected, request, reply);
  }

  async #query(request: FastifyRequest<KeyRoute>, reply: FastifyReply): Promise<FastifyReply> {
    this.#requests.query++;
    const key = idempotencyKey.safeParse(request.params.key);
    if (!key.success) return this.#badKey(reply, 'key in the path');
    const injected = this.#faults.pick('query', key.data);
    if (injected) this.#book.handle(key.data, { type: 'fault', on: 'query', fault: injected.applied });
    if (injected && comesBefore(injected.rule.kind)) return this.#drop(injected, request, reply);
    if (injected?.rule.kind === 'late') await this.#wait(injected.rule.ms);
    return this.#answer(this.#book.handle(key.data, { type: 'query' }), injected, request, reply);
  }

  async #cancel(request: FastifyRequest<KeyRoute>, reply: FastifyReply): Promise<FastifyReply> {
    this.#requests.cancel++;
    const key = idempotencyKey.safeParse(request.params.key);
    if (!key.success) return this.#badKey(reply, 'key in the path');
    const injected = this.#faults.pick('cancel', key.data);
    if (injected && comesBefore(injected.rule.kind)) {
      this.#book.handle(key.data, { type: 'fault', on: 'cancel', fault: injected.applied });
      return this.#drop(injected, request, reply);
    }
    if (injected?.rule.kind === 'late') await this.#wait(injected.rule.ms);
    const answer = this.#book.handle(key.data, { type: 'cancel', ...(injected && { fault: injected.applied }) });
    return this.#answer(answer, injected, request, reply);
  }

  async #executions(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = executionsQuery.safeParse(request.query);
    if (!query.success) {
      return this.#send(reply, failure('INVALID_REQUEST', z.prettifyError(query.error), this.#book.now(), true));
    }
    await this.#book.writer.durable();
    const { durableSeq } = this.#book.writer.stats;
    reply.header('content-type', 'application/x-ndjson').header('x-last-seq', String(durableSeq));
    return reply.send(exportLines(this.#book.writer, query.data));
  }

  async #putFaults(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    let json: unknown;
    try {
      json = JSON.parse(String(request.body));
    } catch {
      json = undefined;
    }
    const plan = faultPlan.safeParse(json);
    if (!plan.success) {
      return this.#send(reply, failure('INVALID_REQUEST', z.prettifyError(plan.error), this.#book.now(), true));
    }
    this.#faults.use(plan.data);
    return reply.send(this.#faults.plan);
  }

  /** Answers a request that took effect, once what it did is on disk, in the way the fault allows. */
  async #answer(
    answer: Answer,
    injected: Injected | null,
    request: FastifyRequest,
    reply: FastifyReply,
    problems?: string,
  ): Promise<FastifyReply> {
    const rule = injected?.rule;
    const at = this.#book.now();
    const now = rule?.kind === 'clock' ? wrongTime(rule, at, this.#faults.since) : at;
    await this.#book.writer.durable();
    const http = toHttp(answer, now, problems);
    switch (injected?.rule.kind) {
      case 'latency':
        await this.#wait(injected.rule.ms);
        break;
      case 'timeout-after':
        neverAnswer(request, reply, injected.rule.ms);
        return reply;
      case 'reset-after':
        reset(request, reply);
        return reply;
      case 'error-after':
        return this.#send(reply, failure('INTERNAL', 'unexpected error; query the payout', now));
      case 'altered':
        return this.#send(reply, { ...http, body: altered(http.body, injected.rule.field) });
      case 'malformed':
        answerMalformed(reply, http.body);
        return reply;
    }
    return this.#send(reply, http);
  }

  /** Ends a request that was not processed, once the ledger says so. */
  async #drop({ rule }: Injected, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.#book.writer.durable();
    const now = this.#book.now();
    switch (rule.kind) {
      case 'timeout-before':
        neverAnswer(request, reply, rule.ms);
        return reply;
      case 'rate-limit':
        reply.header('retry-after', String(rule.retryAfterSeconds));
        return this.#send(reply, failure('RATE_LIMITED', 'too many requests; wait for Retry-After seconds', now));
      case 'error-before':
        return this.#send(reply, failure('INTERNAL', 'unexpected error; query the payout', now));
      case 'down':
        reset(request, reply);
        void this.goDown(rule.ms);
        return reply;
      default:
        reset(request, reply);
        return reply;
    }
  }

  #badKey(reply: FastifyReply, what: string): FastifyReply {
    const message = `${what}: expected 1 to 128 characters out of A-Z a-z 0-9 : . _ -`;
    return this.#send(reply, failure('INVALID_REQUEST', message, this.#book.now(), true));
  }

  #send(reply: FastifyReply, { status, body, replayed }: HttpAnswer): FastifyReply {
    if (replayed) reply.header(REPLAYED_HEADER, 'true');
    return reply.code(status).type('application/json').send(JSON.stringify(body));
  }

  async #closePort(ms: number): Promise<void> {
    const { server } = this.#app;
    const closed = new Promise((resolve) => server.close(resolve));
    this.#resetConnections();
    await closed;
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => {});
    if (this.#stopped.signal.aborted) return;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.#port, host: this.#host }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }

  #resetConnections(): void {
    for (const socket of this.#sockets) resetSocket(socket);
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal });
  }
}

interface KeyRoute {
  Params: { key: string };
}

/** Tells of a change of state, once it is on disk. */
function announce(webhooks: Webhooks, book: Book, record: LedgerRecord, payout: Payout): void {
  const changes = record.kind === 'cancel' ? record.outcome === 'cancelled' : STATE_CHANGES.has(record.kind);
  if (!changes) return;
  const event = { eventId: `${record.key}#${record.seq}`, payout: viewOf(payout, record.at) };
  book.writer.durable().then(
    () => webhooks.send(event),
    () => {},
  );
}

const STATE_CHANGES: ReadonlySet<string> = new Set(['execution', 'failure', 'expiry', 'return']);
