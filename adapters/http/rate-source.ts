// Asks a source of rates over HTTP. Bounded in time and bytes, and nothing is followed: where a source has moved, a person looks
// first. The addresses of its name are looked at as those of webhooks are.
import { Agent, request } from 'undici';
import { literalOf, mayReach, networks, urlFlaw } from '../../domain/webhooks/addresses.ts';
import type { RateSource } from '../../operations/rates/sources.ts';
import type { SourceAnswer, Validators, WatchPorts } from '../../operations/rates/watch.ts';
import { foreignCodeOf } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { boundedBody } from './bounded-body.ts';
import { guardedLookup, type Resolve, systemResolve } from './guarded-lookup.ts';

const MAX_HEADERS_BYTES = 16_384;
const MAX_VALIDATOR_CHARACTERS = 256;

export interface RateSourceOptions {
  /** In clear: for trials alone. */
  readonly takesHttp: boolean;
  /** Values of headers that hold secrets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For tests: every address of a name. */
  readonly resolve?: Resolve;
}

export interface RateSourceClient {
  readonly ask: WatchPorts['ask'];
  close(): Promise<void>;
}

/**
 * A client of these sources; connects when first asked.
 * @throws CodedError RATE_SOURCES_INVALID for a URL that may not be asked, or a variable that is not set
 */
export function rateSourceClient(sources: readonly RateSource[], options: RateSourceOptions): RateSourceClient {
  const { resolve = systemResolve } = options;
  const agents = new Map<string, Agent>();
  const headers = new Map<string, Readonly<Record<string, string>>>();
  for (const source of sources) {
    const allowed = networks(source.networks);
    const flaw = urlFlaw(source.url, { takesHttp: options.takesHttp, allowed });
    if (flaw !== undefined) throw invalid(`the URL of ${source.source} cannot be asked: ${flaw}`);
    headers.set(source.source, headersOf(source, options.env));
    const connect = { timeout: source.timeoutMs, lookup: guardedLookup(resolve, allowed) };
    const bounds = { connections: 1, pipelining: 1, allowH2: false, maxHeaderSize: MAX_HEADERS_BYTES };
    agents.set(source.source, new Agent({ ...bounds, connect, keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 }));
  }
  return {
    ask: async (source, known) => {
      const literal = literalOf(new URL(source.url).hostname);
      if (literal !== undefined && !mayReach(literal, networks(source.networks)))
        throw wrong(source, 'its address may not be reached');
      return asked(source, { agent: agents.get(source.source)!, headers: headers.get(source.source)!, known });
    },
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}

function headersOf({ source, headers }: RateSource, env: RateSourceOptions['env']): Readonly<Record<string, string>> {
  const values = Object.entries(headers).map(([name, value]) => {
    if (typeof value === 'string') return [name, value] as const;
    const secret = env[value.env];
    if (secret === undefined || secret === '') throw invalid(`${value.env}, a header of ${source}, is not set`);
    return [name, secret] as const;
  });
  return Object.fromEntries(values);
}

interface Asking {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly known: Validators;
}

async function asked(source: RateSource, { agent, headers, known }: Asking): Promise<SourceAnswer> {
  const cutOff = AbortSignal.timeout(source.timeoutMs);
  try {
    const answer = await request(source.url, {
      ...{ method: 'GET', dispatcher: agent, signal: cutOff, headersTimeout: 0, bodyTimeout: 0 },
      headers: {
        'user-agent': 'Corridor-Rates',
        // What unpacks to more than it weighs is not asked for.
        'accept-encoding': 'identity',
        ...headers,
        ...(known.etag === undefined ? {} : { 'if-none-match': known.etag }),
        ...(known.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
      },
    });
    return await answerOf(source, answer);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (cutOff.aborted) throw down(source, `it gave no whole answer within ${source.timeoutMs} ms`);
    throw down(source, `it cannot be asked (${foreignCodeOf(error) ?? 'HTTP_ERROR'})`);
  }
}

async function answerOf(
  source: RateSource,
  { statusCode, headers, body }: Awaited<ReturnType<typeof request>>,
): Promise<SourceAnswer> {
  const give = (error: CodedError): never => {
    // The rest is not read: the connection is given up.
    body.on('error', () => undefined).destroy();
    throw error;
  };
  if (statusCode === 304) {
    await body.dump();
    return { kind: 'unchanged' };
  }
  if (statusCode >= 300 && statusCode < 400)
    return give(wrong(source, `it sends elsewhere (${statusCode}): look where, and change its URL`));
  if (statusCode !== 200) return give(down(source, `it answers ${statusCode}`));
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    return give(wrong(source, 'its answer is packed, though that was not asked for'));
  const bytes = await boundedBody(body, source.maxBytes);
  if (bytes === undefined) return give(wrong(source, `its answer has more than ${source.maxBytes} bytes`));
  return { kind: 'answered', bytes, validators: validatorsOf(headers) };
}

function validatorsOf(headers: Readonly<Record<string, string | string[] | undefined>>): Validators {
  const etag = plain(headers['etag']);
  const lastModified = plain(headers['last-modified']);
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

/** What is sent back to it: one line of plain characters. */
const plain = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' && value.length <= MAX_VALIDATOR_CHARACTERS && /^[\x20-\x7e]+$/.test(value)
    ? value
    : undefined;

const faultOf = (code: 'RATE_SOURCE_DOWN' | 'RATE_SOURCE_WRONG', { source }: RateSource, why: string) =>
  new CodedError(code, `${source}: ${why}`, { faultClass: 'transient-dependency', dependency: source });
const down = (source: RateSource, why: string) => faultOf('RATE_SOURCE_DOWN', source, why);
const wrong = (source: RateSource, why: string) => faultOf('RATE_SOURCE_WRONG', source, why);
const invalid = (why: string) => new CodedError('RATE_SOURCES_INVALID', why, { faultClass: 'fatal' });
