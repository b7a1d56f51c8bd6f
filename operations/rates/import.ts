// Rates of a file or a pipe, on their way into the log. What is not newer than what the log has of the same source is left out,
// so the same file again writes nothing.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { inFrankfurt } from '../../domain/calendars/days.ts';
import { parseDecimal } from '../../domain/money/decimals.ts';
import { strictJson, strictText } from '../../domain/text/strict-json.ts';
import { isPlainText, safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { fxRates } from '../../topics/boundary.ts';
import { ecbDays } from './ecb.ts';

/** Clocks of sources may be ahead of ours by so much, ms. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** Rates of the ECB are agreed on by then. */
const ECB_OBSERVED_MINUTE = 14 * 60 + 15;
const MAX_SOURCE_CHARACTERS = 32;

export interface RatesRead {
  readonly rates: readonly FxRate[];
  /** SHA-256 of the bytes, hexadecimal. */
  readonly rawHash: string;
}

export interface ReadTerms {
  readonly source: string;
  /** ms since 1970 */
  readonly now: number;
}

/**
 * The latest day of a file of the ECB.
 * @throws CodedError RATE_FILE_WRONG, also where that day has not come yet
 */
export function ratesOfEcb(file: Uint8Array, { source, now }: ReadTerms): RatesRead {
  checkSource(source);
  const [latest] = ecbDays(file);
  const { day, rates } = latest!;
  const observedAt = inFrankfurt(day, ECB_OBSERVED_MINUTE);
  if (observedAt > now + MAX_AHEAD_MS) throw wrong(`its latest day, ${day}, has not come yet`);
  const rawHash = hash('sha256', file, 'hex');
  return {
    rawHash,
    rates: [...rates].map(([quote, rate]) => {
      return { ...{ source, base: 'EUR', quote, rate, observedAt }, publishedAt: now, rawHash };
    }),
  };
}

const line = z.strictObject({
  base: z.string().regex(/^[A-Z]{3}$/),
  quote: z.string().regex(/^[A-Z]{3}$/),
  rate: z.string().max(24),
  observedAt: z.iso.datetime({ offset: true }),
});

/**
 * One rate of a line of JSON: `{"base":"GBP","quote":"INR","rate":"125.2579","observedAt":"2026-10-30T15:00:00Z"}`. The rate is
 * text: a number of JSON is a double.
 * @throws CodedError RATE_FILE_WRONG
 */
export function rateOfLine(bytes: Uint8Array, { source, now }: ReadTerms): FxRate {
  checkSource(source);
  const { base, quote, rate, observedAt: at } = parsed(bytes);
  const decimal = parseDecimal(rate);
  if (decimal === undefined || decimal.coef <= 0n) throw wrong(`"${safeText(rate, 30)}" is no rate`);
  if (base === quote) throw wrong('base and quote are the same');
  const observedAt = Date.parse(at);
  if (observedAt > now + MAX_AHEAD_MS) throw wrong('it was observed at a time that has not come yet');
  if (observedAt < 0) throw wrong('it was observed before there were such rates');
  return { ...{ source, base, quote, rate, observedAt }, publishedAt: now, rawHash: hash('sha256', bytes, 'hex') };
}

function parsed(bytes: Uint8Array): z.output<typeof line> {
  try {
    return line.parse(strictJson(strictText(bytes)));
  } catch (error) {
    throw wrong(error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : (error as Error).message);
  }
}

/** The slash parts the key of a record, the at sign the id of a key. */
export function checkSource(source: string): void {
  const isName = /^[A-Za-z0-9_-]+$/.test(source) && source.length <= MAX_SOURCE_CHARACTERS && isPlainText(source);
  if (!isName) throw wrong('name the source with letters, digits, _ and -, 32 at most');
}

/** What is newer than what the log has; of two of one pair the later. Pure. */
export function newerThan(known: (key: string) => FxRate | undefined, rates: readonly FxRate[]): readonly FxRate[] {
  const latest = new Map<string, FxRate>();
  for (const rate of rates) {
    const key = fxRates.keyOf(rate);
    const before = latest.get(key) ?? known(key);
    if (before === undefined || rate.observedAt > before.observedAt) latest.set(key, rate);
  }
  return [...latest.values()];
}

const wrong = (why: string) => new CodedError('RATE_FILE_WRONG', why);
