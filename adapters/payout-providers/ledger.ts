// The provider's own ledger: newline-delimited JSON, from a file or from its API (GET /v1/executions).
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { request } from 'undici';
import { z } from 'zod';
import { CodedError, dependencyDown, isCoded, thrownText } from '../../ports/fault.ts';
import type { ProviderLedger, ProviderRecord } from '../../verify/ports.ts';

const KINDS = ['submit', 'execution', 'return'] as const;
const PAGE = 50_000;
const NEWLINE = 0x0a;
/** Longest line, bytes: a record takes some 500. */
const MAX_LINE_BYTES = 65_536;
const utf8 = new TextDecoder('utf-8', { fatal: true });

const money = z.object({ minor: z.string().regex(/^\d{1,18}$/), currency: z.string().length(3) });
const line = z.object({
  seq: z.number().int().positive(),
  kind: z.enum(KINDS),
  key: z.string(),
  transferId: z.string().nullable(),
  amount: money.nullable().optional(),
});

/** @param source path of a file, or the URL of the provider (such as http://127.0.0.1:8090). */
export function providerLedger(source: string): ProviderLedger {
  const isUrl = /^https?:\/\//.test(source);
  return { read: (after) => (isUrl ? fromApi(source, after) : fromFile(source, after)) };
}

async function* fromFile(file: string, after: number): AsyncGenerator<ProviderRecord, void> {
  const stream = createReadStream(file, { highWaterMark: 1 << 20 });
  try {
    for await (const bytes of linesOf(stream, file)) {
      const record = parsed(bytes, file);
      if (record && record.seq > after) yield record;
    }
  } catch (error) {
    if (isCoded(error)) throw error;
    throw new CodedError('PROVIDER_LEDGER_UNREADABLE', `${file} cannot be read: ${thrownText(error)}`, {
      faultClass: 'fatal',
      cause: error,
    });
  }
}

async function* fromApi(base: string, after: number): AsyncGenerator<ProviderRecord, void> {
  for (let last = after; ; ) {
    const url = new URL('/v1/executions', base);
    url.searchParams.set('after', String(last));
    url.searchParams.set('kinds', KINDS.join(','));
    url.searchParams.set('limit', String(PAGE));
    let records = 0;
    for await (const bytes of answered(url)) {
      const record = parsed(bytes, url.href);
      if (record === undefined) continue;
      // One that did not rise would be asked for what comes after it again, for ever.
      if (record.seq <= last) throw damaged(url.href, `record ${record.seq} stands after ${last}`);
      records++;
      last = record.seq;
      yield record;
    }
    if (records < PAGE) return;
  }
}

/** The lines of an answer. @throws CodedError PROVIDER_UNAVAILABLE, also when it breaks off */
async function* answered(url: URL): AsyncGenerator<Buffer, void> {
  try {
    const { statusCode, body } = await request(url);
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`it answers ${statusCode}`);
    }
    yield* linesOf(body, url.href);
  } catch (error) {
    throw isCoded(error) ? error : dependencyDown('provider', 'PROVIDER_UNAVAILABLE', error);
  }
}

/** Whole lines; a last one without its end is what a killed process leaves, and was never answered for. */
async function* linesOf(stream: Readable, source: string): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (end - start > MAX_LINE_BYTES) throw tooLong(source);
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw tooLong(source);
  }
}

/** A record of a kind that matters, or undefined. @throws CodedError PROVIDER_LEDGER_DAMAGED */
function parsed(bytes: Buffer, source: string): ProviderRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch {
    throw damaged(source, 'a line is no JSON in UTF-8');
  }
  const { kind } = (json ?? {}) as { kind?: unknown };
  if (!KINDS.some((known) => known === kind)) return undefined;
  const checked = line.safeParse(json);
  if (!checked.success) throw damaged(source, 'a line is no record of a ledger');
  const { amount, ...record } = checked.data;
  return { ...record, amount: amount ? { minor: BigInt(amount.minor), currency: amount.currency } : null };
}

const tooLong = (source: string) => damaged(source, `a line is longer than ${MAX_LINE_BYTES} bytes`);

function damaged(source: string, why: string): CodedError {
  return new CodedError(
    'PROVIDER_LEDGER_DAMAGED',
    `${source}: ${why}; it is the witness of what was paid: restore it`,
    {
      faultClass: 'fatal',
    },
  );
}
