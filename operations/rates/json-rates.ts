// Rates in an answer of JSON, by a mapping: an answer is taken whole or not at all. Pure.
import { hash } from 'node:crypto';
import { Pointer } from 'rfc6902';
import { z } from 'zod';
import { parseDecimal } from '../../domain/money/decimals.ts';
import { jsonOfTexts, strictText } from '../../domain/text/strict-json.ts';
import { isLongerThan, safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { MAX_AHEAD_MS, type RatesRead } from './import.ts';
import type { JsonSource, Place, RateMapping } from './sources.ts';

const MAX_QUOTATIONS = 10_000;
const MAX_RATE_CHARACTERS = 24;

/** A quotation within the answer, with its name where they stand in an object. */
interface Quotation {
  readonly key: string | undefined;
  readonly value: unknown;
}

/**
 * The pairs that the source is asked for.
 * @param now ms since 1970
 * @throws CodedError RATE_FILE_WRONG, which says of which pair
 */
export function ratesOfJson(bytes: Uint8Array, { source, pairs, mapping }: JsonSource, now: number): RatesRead {
  const answer = answerOf(bytes);
  const rawHash = hash('sha256', bytes, 'hex');
  const wanted = new Set(pairs);
  const found = new Map<string, FxRate>();
  for (const quotation of quotationsOf(answer, mapping.items)) {
    const [base, quote] = pairOf(quotation, mapping.pair);
    const pair = `${base}/${quote}`;
    if (!wanted.has(pair)) continue;
    if (found.has(pair)) throw wrong(`${pair} is in it twice`);
    const rate = rateAt(quotation, mapping.rate, pair);
    const observedAt = observedAtOf(quotation, answer, mapping.observedAt, pair);
    if (observedAt > now + MAX_AHEAD_MS) throw wrong(`${pair} was observed at a time that has not come yet`);
    if (observedAt < 0) throw wrong(`${pair} was observed before there were such rates`);
    found.set(pair, { ...{ source, base: base!, quote: quote!, rate, observedAt }, publishedAt: now, rawHash });
  }
  const missing = pairs.filter((pair) => !found.has(pair));
  if (missing.length > 0) throw wrong(`it lacks ${missing.slice(0, 5).join(', ')}`);
  return { rates: [...found.values()], rawHash };
}

function answerOf(bytes: Uint8Array): unknown {
  try {
    return jsonOfTexts(strictText(bytes));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : 'it is no JSON');
  }
}

function quotationsOf(answer: unknown, at: string): readonly Quotation[] {
  const items = within(answer, at);
  if (typeof items !== 'object' || items === null) throw wrong('there are no quotations where they should stand');
  const found = Array.isArray(items)
    ? items.map((value): Quotation => ({ key: undefined, value }))
    : Object.entries(items).map(([key, value]): Quotation => ({ key, value }));
  if (found.length > MAX_QUOTATIONS) throw wrong('there are more quotations in it than there are pairs');
  return found;
}

/** What no mapping finds is of no pair. */
function pairOf(
  quotation: Quotation,
  pair: RateMapping['pair'],
): readonly [base: string | undefined, quote: string | undefined] {
  if ('base' in pair) return [textAt(quotation, pair.base), textAt(quotation, pair.quote)];
  const symbol = textAt(quotation, pair.symbol);
  const { length } = pair.separator;
  if (symbol === undefined || symbol.length !== 6 + length || symbol.slice(3, 3 + length) !== pair.separator)
    return [undefined, undefined];
  return [symbol.slice(0, 3), symbol.slice(3 + length)];
}

function textAt({ key, value }: Quotation, place: Place): string | undefined {
  if ('is' in place) return place.is;
  if ('key' in place) return key;
  const found = within(value, place.at);
  return typeof found === 'string' ? found : undefined;
}

function rateAt({ value }: Quotation, at: string, pair: string): string {
  const text = within(value, at);
  const decimal = typeof text === 'string' && !isLongerThan(text, MAX_RATE_CHARACTERS) ? parseDecimal(text) : undefined;
  if (decimal !== undefined && decimal.coef > 0n) return text as string;
  throw wrong(`"${safeText(String(text), 30)}" is no rate of ${pair}`);
}

const instant = z.iso.datetime({ offset: true });

function observedAtOf(
  { value }: Quotation,
  answer: unknown,
  { at, in: from, as }: RateMapping['observedAt'],
  pair: string,
): number {
  const text = within(from === 'answer' ? answer : value, at);
  const observedAt = typeof text === 'string' ? timeOf(text, as) : undefined;
  if (observedAt !== undefined) return observedAt;
  throw wrong(`"${safeText(String(text), 40)}" is no time at which ${pair} was observed`);
}

function timeOf(text: string, as: RateMapping['observedAt']['as']): number | undefined {
  if (as === 'iso') return instant.safeParse(text).success ? Date.parse(text) : undefined;
  if (!/^\d{1,14}(\.\d{1,9})?$/.test(text)) return undefined;
  const number = Number(text);
  return Math.floor(as === 'seconds' ? number * 1_000 : number);
}

/** Undefined: nothing stands there. */
function within(value: unknown, at: string): unknown {
  return Pointer.fromJSON(at).get(value);
}

const wrong = (why: string) => new CodedError('RATE_FILE_WRONG', `the answer cannot be used: ${why}`);
