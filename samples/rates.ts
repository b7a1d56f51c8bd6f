// Market rates for local runs: a real public data set, published as fresh under a source of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Codec } from '../ports/codec.ts';
import type { LogWriter } from '../ports/log.ts';
import { recordMaker } from '../ports/records.ts';
import type { Rings } from '../ports/seals.ts';
import type { FxRate } from '../schemas/types.generated.ts';
import { fxRates } from '../topics/boundary.ts';

export const SAMPLE_SOURCE = 'sample';
const BASES = ['GBP', 'EUR', 'USD', 'AED', 'INR'] as const;

/**
 * Every pair among the currencies of the sample corridors, quoted as the data set has them. The digits are taken from
 * its text, never through a float. `now` (ms) becomes the time of observation: the data set is dated, the demo is not.
 */
export function sampleRates(now: number): readonly FxRate[] {
  const require = createRequire(import.meta.url);
  const rates: FxRate[] = [];
  for (const base of BASES) {
    const file = require.resolve(`@fawazahmed0/currency-api/v1/currencies/${base.toLowerCase()}.json`);
    const text = readFileSync(file, 'utf8');
    for (const quote of BASES) {
      if (quote === base) continue;
      const rate = new RegExp(`"${quote.toLowerCase()}":\\s*([0-9]+(?:\\.[0-9]+)?)[,\\s}]`).exec(text)?.[1];
      if (rate === undefined) throw new Error(`@fawazahmed0/currency-api has no plain rate for ${base}/${quote}`);
      rates.push({ source: SAMPLE_SOURCE, base, quote, rate, observedAt: now, publishedAt: now, rawHash: null });
    }
  }
  return rates;
}

/** Publishes the sample rates as observed now, sealed as a feed's. */
export async function publishSampleRates(writer: LogWriter, codec: Codec, rings: Rings): Promise<void> {
  await codec.load([fxRates.name]);
  const make = recordMaker({ owner: 'sample-rates', writes: [fxRates], codec, rings });
  await writer.send(sampleRates(Date.now()).map((rate) => make(fxRates.name, rate, { partition: 0 })));
}
