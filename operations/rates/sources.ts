// The sources of rates that are asked for them, as a file says: strictly, so that nothing in it goes unread.
import { z } from 'zod';
import { DomainError } from '../../domain/fault.ts';
import { JsonRefused, strictJson, strictText } from '../../domain/text/strict-json.ts';
import { networks } from '../../domain/webhooks/addresses.ts';
import { CodedError } from '../../ports/fault.ts';
import { checkSource } from './import.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_SOURCES = 32;
const MAX_PAIRS = 500;

/** RFC 6901. */
const pointer = z
  .string()
  .max(200)
  .regex(/^(\/([^/~]|~[01])*)*$/, 'a JSON pointer, such as /data/rates');
const code = z.string().regex(/^[A-Z]{3}$/, 'a currency of three letters');

/** Where a text of a quotation is found: at a pointer within it, as its key, or always the same. */
const place = z.union([
  z.strictObject({ at: pointer }),
  z.strictObject({ key: z.literal(true) }),
  z.strictObject({ is: code }),
]);
export type Place = z.output<typeof place>;

const mapping = z.strictObject({
  /** Where the quotations stand: a list, or an object by name. */
  items: pointer.default(''),
  pair: z.union([
    z.strictObject({ base: place, quote: place }),
    z.strictObject({ symbol: place, separator: z.string().max(3).default('') }),
  ]),
  /** Within the quotation; '' is itself. */
  rate: pointer.default(''),
  observedAt: z.strictObject({
    at: pointer,
    in: z.enum(['quotation', 'answer']).default('quotation'),
    as: z.enum(['iso', 'seconds', 'milliseconds']).default('iso'),
  }),
});
export type RateMapping = z.output<typeof mapping>;

const common = {
  source: z.string(),
  url: z.string().max(1_000),
  everyMs: z.int().min(SECOND_MS).max(DAY_MS),
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
  maxBytes: z
    .int()
    .min(1)
    .max(MAX_BYTES)
    .default(4 * 1024 * 1024),
  /** Networks that are not public, and may be reached all the same. */
  networks: z.array(z.string()).max(32).default([]),
  /** Sent with each request; `env` names a variable that holds a secret. */
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
      z.union([z.string().max(1_000), z.strictObject({ env: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/) })]),
    )
    .default({}),
};
const asked = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ecb'), ...common }),
  z.strictObject({
    kind: z.literal('json'),
    ...common,
    /** Those that are taken, as the source quotes them; each must be in every answer. */
    pairs: z
      .array(z.string().regex(/^[A-Z]{3}\/[A-Z]{3}$/, 'a pair, such as GBP/INR'))
      .min(1)
      .max(MAX_PAIRS),
    mapping,
  }),
]);
export type RateSource = z.output<typeof asked>;
export type JsonSource = Extract<RateSource, { readonly kind: 'json' }>;

const file = z.strictObject({ sources: z.array(asked).min(1).max(MAX_SOURCES) });

/** @throws CodedError RATE_SOURCES_INVALID, which says where */
export function rateSourcesOf(bytes: Uint8Array): readonly RateSource[] {
  const { sources } = parsed(bytes);
  const known = new Set<string>();
  for (const { source, networks: allowed, ...rest } of sources) {
    try {
      checkSource(source);
      networks(allowed);
    } catch (error) {
      if (!(error instanceof CodedError || error instanceof DomainError)) throw error;
      throw invalid(`${source}: ${error.message}`);
    }
    if (known.has(source)) throw invalid(`${source} is there twice`);
    known.add(source);
    if (rest.kind === 'json' && new Set(rest.pairs).size !== rest.pairs.length)
      throw invalid(`${source}: a pair is there twice`);
  }
  return sources;
}

function parsed(bytes: Uint8Array): z.output<typeof file> {
  try {
    return file.parse(strictJson(strictText(bytes)));
  } catch (error) {
    if (error instanceof z.ZodError) throw invalid(z.prettifyError(error).replaceAll('\n', ' '));
    if (error instanceof JsonRefused) throw invalid(error.message);
    throw error;
  }
}

const invalid = (why: string) =>
  new CodedError('RATE_SOURCES_INVALID', `the file of sources cannot be used: ${why}`, { faultClass: 'fatal' });
