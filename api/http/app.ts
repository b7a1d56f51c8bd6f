// The API as a server: every route behind the same door. Whoever asks is known and may do it before a body is read; what is
// refused or fails is told as a problem; nothing waits for ever.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { strictJson, strictText } from '../../domain/text/strict-json.ts';
import type { Authenticator, Principal } from '../../operations/access/principal.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, codeAndDetail, dependencyDown, isCoded } from '../../ports/fault.ts';
import type { Logger } from '../../runtime/logs-and-metrics/logger.ts';
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { ApiComponents } from '../../services/api/components.ts';
import { type Asking, type Auditing, auditing } from './auditing.ts';
import { type Admitted, admit, authenticated } from './authenticate.ts';
import { invalidRequest, PROBLEM_TYPE, type Problem, problemOf } from './problem.ts';
import { type Quota, rateLimiter } from './rate-limit.ts';
import type { Answer, Route } from './route.ts';
import { jsonOrRefused, schemaOf, validatorCompiler } from './schema.ts';
import { traceIdOf } from './trace.ts';

export interface ApiOptions {
  readonly routes: readonly Route[];
  readonly parts: ApiComponents;
  readonly authenticator: Authenticator;
  /** The OpenAPI document, as it is served to everybody at /v1/openapi.json. */
  readonly document: string;
  readonly docsUrl: string;
  readonly requestsPerMinute: number;
  /** Most requests of one address a minute that are refused for who asks; default: REFUSED_PER_MINUTE. */
  readonly refusedPerMinute?: number;
  readonly logger: Pick<Logger, 'error'>;
  readonly metrics: Pick<Metrics, 'apiSeconds'>;
  /** How long a request may take to arrive, and to be answered, ms. */
  readonly arrivalMs?: number;
  readonly answerMs?: number;
}

const MAX_BODY_BYTES = 64 * 1_024;
const MAX_ARRIVAL_MS = 10_000;
const MAX_ANSWER_MS = 15_000;
const JSON_TYPE = 'application/json';
const MAX_IDLE_MS = 60_000;
/** A stream that has not ended by then is cut off. */
const MAX_STREAM_MS = 15 * 60_000;
/** What nobody is let in with is counted by the address that it comes from. */
const REFUSED_PER_MINUTE = 300;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;
const COUNTS_EVERY_MS = 10_000;
/** Connections at once; more are not taken. */
const MAX_CONNECTIONS = 4_000;

/** The same on every answer. */
const SECURITY_FIELDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

declare module 'fastify' {
  interface FastifyRequest {
    admitted: Admitted | null;
    /** What the audit log is told; null while no route was found. */
    asking: Asking | null;
    quota: Quota | null;
  }
}

/** The server, its routes registered; the caller has it listen. */
export function createApi(options: ApiOptions): FastifyInstance {
  const { routes, docsUrl, document, logger, metrics, arrivalMs = MAX_ARRIVAL_MS } = options;
  const problem = { docsUrl, logger };
  const app: FastifyInstance = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: arrivalMs,
    handlerTimeout: options.answerMs ?? MAX_ANSWER_MS,
    keepAliveTimeout: MAX_IDLE_MS,
    forceCloseConnections: 'idle',
    http: { headersTimeout: arrivalMs, connectionsCheckingInterval: Math.min(1_000, arrivalMs) },
    genReqId: ({ headers }) => traceIdOf(headers['traceparent']),
    requestIdHeader: false,
    clientErrorHandler: (error, socket) => refuseConnection(error.code, socket, docsUrl),
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, problem),
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.decorateRequest('admitted', null);
  app.decorateRequest('asking', null);
  app.decorateRequest('quota', null);
  app.setValidatorCompiler(validatorCompiler as never);
  app.setSerializerCompiler(serializerCompiler);
  takeJsonAlone(app);
  const audit = audited(app, options.parts);
  app.setErrorHandler((error, request, reply) => {
    if (request.asking) audit.failed(request.asking, coded(error));
    return sendProblem(error, request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new CodedError('ROUTE_UNKNOWN', 'there is no such path'), request, reply, problem),
  );
  app.addHook('onSend', async (request, reply) => stamp(request, reply));
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    const labels = { method, route: routeOptions.url ?? 'unknown', status: String(statusCode) };
    metrics.apiSeconds.observe(labels, elapsedTime / 1_000);
  });
  // Otherwise those that watch would keep the server from closing.
  app.addHook('preClose', async () => options.parts.operators?.changes.feed.end());
  app.get('/v1/openapi.json', (_request, reply) => reply.type('application/json').send(document));
  const door = doorman(options);
  for (const each of routes) serve(app, each, { parts: options.parts, door, problem, audit });
  refuseOtherMethods(app, routes);
  return app;
}

/** Counts of floods are written while the API runs, and all of them at its end. */
function audited(app: FastifyInstance, { audit, clock }: ApiComponents): Auditing {
  const recorder = auditing(audit, clock);
  const timer = setInterval(() => recorder.flush(clock()), COUNTS_EVERY_MS).unref();
  app.addHook('onClose', async () => {
    clearInterval(timer);
    recorder.flush(Number.POSITIVE_INFINITY);
  });
  return recorder;
}

interface Door {
  enter(route: Route): (request: FastifyRequest) => Promise<void>;
  /** Counts so many requests more of whoever was let in. @throws CodedError RATE_LIMITED */
  charge(request: FastifyRequest, requests: number): void;
}

/** Who asks, whether they may, and how often they have: before anything of the body is read. */
function doorman({ authenticator, requestsPerMinute, refusedPerMinute = REFUSED_PER_MINUTE }: ApiOptions): Door {
  const perSubject = rateLimiter('subject', requestsPerMinute);
  const refused = rateLimiter('refused', refusedPerMinute);
  const count = (request: FastifyRequest, limiter: typeof perSubject, subject: string, requests = 1) => {
    request.quota = limiter.count(subject, requests);
    if (request.quota.isLeft) return;
    throw new CodedError('RATE_LIMITED', `too many requests: the next in ${request.quota.resetS} s`);
  };
  return {
    enter: (route) => async (request) => {
      const [id] = Object.values(request.params as Record<string, string>);
      const asking: Asking = { route, principal: null, requestId: request.id, id, partOf: undefined };
      request.asking = asking;
      let principal: Principal;
      try {
        principal = await authenticated(request.headers.authorization, authenticator);
      } catch (error) {
        count(request, refused, request.ip);
        throw error;
      }
      request.asking = { ...asking, principal };
      count(request, perSubject, principal.subject);
      request.admitted = admit(principal, route.action);
      checkNoBody(request, route);
      checkMedia(request, route);
    },
    charge: (request, requests) => count(request, perSubject, request.admitted!.principal.subject, requests),
  };
}

interface Serving {
  readonly parts: ApiComponents;
  readonly door: Door;
  readonly problem: ProblemTerms;
  readonly audit: Auditing;
}

function serve(app: FastifyInstance, route: Route, { parts, door, problem, audit }: Serving): void {
  const { method, url, media, bodyLimit = MAX_BODY_BYTES } = route;
  app.route({
    method,
    url,
    bodyLimit,
    schema: schemaOf(route),
    onRequest: door.enter(route),
    ...(route.streams ? { handlerTimeout: MAX_STREAM_MS, exposeHeadRoute: false } : {}),
    handler: async (request, reply) => {
      const { principal, condition } = request.admitted!;
      request.asking = { ...request.asking!, partOf: await audit.begin(request.asking!) };
      const answer: Answer = await route.handle({
        path: request.params as never,
        query: request.query as never,
        body: request.body as never,
        principal,
        condition,
        traceId: request.id,
        header: (name) => headerOf(request, name),
        signal: request.signal,
        parts,
        charge: (requests) => door.charge(request, requests),
        problemOf: (thrown) => problemFor(thrown, request, problem),
      });
      audit.done(request.asking, answer.status, answer.audited);
      reply.code(answer.status).headers(answer.headers ?? {});
      // Text of another media type goes out as it is.
      if (media !== undefined) return reply.type(media).send(Buffer.from(answer.body as string));
      // The connection ends with the stream: a server that closes would wait for one that is kept.
      if (route.streams) reply.type(route.streams).headers({ 'x-accel-buffering': 'no', connection: 'close' });
      return answer.body === undefined ? reply.send() : reply.send(answer.body);
    },
  });
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** A path that is there answers other methods with those that it takes. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly Route[]): void {
  for (const [url, own] of Map.groupBy(routes, (route) => route.url)) {
    const listed: readonly string[] = own.map(({ method }) => method);
    const hasHead = own.some(({ method, streams }) => method === 'GET' && !streams);
    const taken = hasHead ? [...listed, 'HEAD'] : listed;
    app.route({
      url,
      method: METHODS.filter((method) => !taken.includes(method)),
      onRequest: async (_request, reply) => {
        reply.header('allow', taken.join(', '));
        throw new CodedError('METHOD_UNKNOWN', `the path takes ${taken.join(', ')}`);
      },
      handler: async () => undefined,
    });
  }
}

/** A path that takes no body is sent none: it would say something that nobody reads. Looked at before it comes. */
function checkNoBody({ headers }: FastifyRequest, { body, method }: Route): void {
  if (body || method === 'GET') return;
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  if (encoding === undefined && Number(length) === 0) return;
  throw invalidRequest([{ in: 'body', pointer: '', detail: 'is not taken here' }]);
}

/** A body is of the media type of its path. */
function checkMedia({ headers }: FastifyRequest, { body, media: own }: Route): void {
  const media: string = own ?? JSON_TYPE;
  const given = headers['content-type'];
  if (!body || given === undefined || given.split(';')[0]!.trim().toLowerCase() === media) return;
  throw new CodedError('MEDIA_TYPE_UNSUPPORTED', `the body is not declared as ${media}`);
}

/** JSON that means one thing, alone or in lines, and nothing else. */
function takeJsonAlone(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const read: Readonly<Record<string, (body: Buffer) => unknown>> = {
    [JSON_TYPE]: (body) => strictJson(strictText(body)),
    // Each line is read by itself.
    'application/x-ndjson': strictText,
  };
  for (const [media, reader] of Object.entries(read)) {
    app.addContentTypeParser(media, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
      jsonOrRefused(() => reader(body), 'the body'),
    );
  }
}

function stamp(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...SECURITY_FIELDS, 'request-id': request.id, ...request.quota?.fields });
}

/** What Fastify itself refuses, by its codes. */
const BY_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_MAX_PARAM_LENGTH: 'ROUTE_UNKNOWN',
};
const IN_OUR_WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BODY_TOO_LARGE: 'the body is larger than this path takes',
  MEDIA_TYPE_UNSUPPORTED: 'the body is not of a media type that this path takes',
  ROUTE_UNKNOWN: 'there is no such path',
  REQUEST_MALFORMED: 'the request cannot be read',
};

/** Coded errors are what they are; those of Fastify get a code; whatever else was thrown is a bug of ours. */
function coded(error: unknown): unknown {
  if (isCoded(error)) return error;
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_HANDLER_TIMEOUT') return dependencyDown('api', 'REQUEST_TIMED_OUT', error);
  const known = BY_FASTIFY[code] ?? (code.startsWith('FST_') && statusCode < 500 ? 'REQUEST_MALFORMED' : undefined);
  return known === undefined ? error : new CodedError(known, IN_OUR_WORDS[known] ?? 'the request cannot be read');
}

interface ProblemTerms {
  readonly docsUrl: string;
  readonly logger: Pick<Logger, 'error'>;
}

/** The problem for anything thrown; what fails on our side is logged. */
function problemFor(thrown: unknown, request: FastifyRequest, { docsUrl, logger }: ProblemTerms): Problem {
  const error = coded(thrown);
  const { problem, isOurs } = problemOf(error, { docsUrl, traceId: request.id });
  if (isOurs) {
    const { code, detail } = codeAndDetail(error);
    logger.error({ code, detail, traceId: request.id, err: error }, 'a request failed');
  }
  return problem;
}

/** When a bound of another kind than the rate may have room again, s. */
const TOO_MANY_AGAIN_S = '60';

function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply, terms: ProblemTerms): FastifyReply {
  const problem = problemFor(thrown, request, terms);
  stamp(request, reply);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="corridor"');
  if (problem.status === 503) reply.header('retry-after', '1');
  // The rate limit says better.
  if (problem.status === 429 && !reply.hasHeader('retry-after')) reply.header('retry-after', TOO_MANY_AGAIN_S);
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** What is no request at all, or never became one. */
function refuseConnection(code: string | undefined, socket: Socket, docsUrl: string): void {
  if (code === 'ECONNRESET' || socket.destroyed) return;
  const isSlow = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const refusal = isSlow
    ? new CodedError('REQUEST_TOO_SLOW', 'the request did not arrive in time')
    : new CodedError('REQUEST_MALFORMED', 'this is no HTTP request that can be read');
  const { problem } = problemOf(refusal, { docsUrl, traceId: traceIdOf(undefined) });
  const body = JSON.stringify(problem);
  const fields = { ...SECURITY_FIELDS, 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body) };
  const head = Object.entries({ ...fields, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`;
  if (socket.writable) socket.write([status, ...head, '', body].join('\r\n'));
  socket.destroySoon();
}
