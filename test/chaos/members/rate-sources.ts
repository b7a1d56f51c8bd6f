// Member: three sources quote every pair, and one or two of them fail. They lie by ten, die, or repeat what is of another day.
//
// What must come of it: no transfer is priced by what one source alone says. Where two still agree the pair goes on by them; where
// none do, its transfers wait, and none of them is declined for it. The judge looks at each leg of each price.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogWriter } from '../../../ports/log.ts';
import { type RecordMaker, recordMaker } from '../../../ports/records.ts';
import type { Random } from '../../../samples/random.ts';
import { sampleRates } from '../../../samples/rates.ts';
import type { FxRate, TransferPriced } from '../../../schemas/types.generated.ts';
import type { Connections } from '../../../services/connections.ts';
import { fxRates } from '../../../topics/boundary.ts';
import { transferPriced } from '../../../topics/chain.ts';
import type { Done } from '../injected.ts';
import { MAX_RATE_AGE_MS, RATE_SOURCES, type RateSource } from '../law.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';
import { FORGERY } from './forgeries.ts';

type Failure = 'lies' | 'dies' | 'repeats';

export interface RatesFault {
  readonly kind: 'rates';
  readonly how: Failure;
  /** The second one lies the other way. */
  readonly sources: readonly RateSource[];
  readonly forMs: number;
}

const EVERY_MS = 3_000;
const DAY_MS = 86_400_000;
/** So far apart are those that tell the truth, of a million. */
const APART = [0n, 300n, -400n] as const;
const MILLION = 1_000_000n;

/** In turn of every kind, of two sources first. */
export function ratesFault(index: number, random: Random): RatesFault {
  const how = (['lies', 'dies', 'repeats'] as const)[index % 3]!;
  const first = random.below(RATE_SOURCES.length);
  const two = Math.floor(index / 3) % 2 === 0;
  const sources = [first, ...(two ? [first + 1] : [])].map((at) => RATE_SOURCES[at % RATE_SOURCES.length]!);
  // What died goes on to count until it is too old.
  const forMs = how === 'dies' ? MAX_RATE_AGE_MS + 5_000 + random.below(5_000) : 4_000 + random.below(6_000);
  return { kind: 'rates', how, sources, forMs };
}

/** What a source says of a pair: `rate` times ten to the power of `tens`, and `parts` of a million more. */
export function said(rate: string, parts: bigint, tens: -1 | 0 | 1): string {
  const [whole, fraction = ''] = rate.split('.');
  const digits = BigInt(whole + fraction) * (MILLION + parts);
  const scale = fraction.length + 6 - tens;
  const text = digits.toString().padStart(scale + 1, '0');
  return `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

export class RateSources {
  /** Resolves when each has said what it says for the first time. */
  readonly first: Promise<void>;
  readonly #world: World;
  readonly #failing = new Map<RateSource, { readonly how: Failure; readonly tens: -1 | 1 }>();
  readonly #timer: NodeJS.Timeout;
  #turn: Promise<unknown> = Promise.resolve();
  #tools: { readonly writer: LogWriter; readonly make: RecordMaker } | undefined;

  constructor(world: World) {
    this.#world = world;
    this.first = untilItWorks(() => this.#say());
    this.#timer = setInterval(() => void this.#say().catch(() => undefined), EVERY_MS);
  }

  async fail({ how, sources, forMs }: RatesFault): Promise<Done> {
    // What two repeat they agree on: it is its age that must tell.
    for (const [index, source] of sources.entries())
      this.#failing.set(source, { how, tens: index === 0 || how === 'repeats' ? 1 : -1 });
    await untilItWorks(() => this.#say());
    await sleep(forMs);
    for (const source of sources) this.#failing.delete(source);
    await untilItWorks(() => this.#say());
    return { outcome: 'it is over', counts: ['ratesFaults', `rates.${how}.${sources.length}`] };
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn.catch(() => undefined);
    await this.#tools?.writer.close();
  }

  #say(): Promise<void> {
    const turn = this.#turn.catch(() => undefined).then(() => this.#publish());
    this.#turn = turn;
    return turn;
  }

  async #publish(): Promise<void> {
    const { log, codec, config } = this.#world.connections;
    try {
      if (this.#tools === undefined) {
        await codec.load([fxRates.name]);
        const make = recordMaker({ owner: 'chaos-rates', writes: [fxRates], codec, rings: config.keys });
        this.#tools = { writer: await log.writer('chaos-rates'), make };
      }
      const { writer, make } = this.#tools;
      const now = Date.now();
      const right = sampleRates(now);
      const rates = RATE_SOURCES.flatMap((source) => this.#saidBy(source, right, now));
      if (rates.length > 0) await writer.send(rates.map((rate) => make(fxRates.name, rate, { partition: 0 })));
    } catch (error) {
      const writer = this.#tools?.writer;
      this.#tools = undefined;
      await writer?.close().catch(() => undefined);
      throw error;
    }
  }

  #saidBy(source: RateSource, right: readonly FxRate[], now: number): readonly FxRate[] {
    const failing = this.#failing.get(source);
    if (failing?.how === 'dies') return [];
    const observedAt = failing?.how === 'repeats' ? now - DAY_MS : now;
    const parts = APART[RATE_SOURCES.indexOf(source)]!;
    const tens = failing?.tens ?? 0;
    return right.map((rate) => ({ ...rate, source, observedAt, rate: said(rate.rate, parts, tens) }));
  }
}

/** Farther than this from the truth no leg of a price may be, of a million. */
const TOLERANCE = 500n;

/** Prices in the log, without what was forged, that are not what two sources said. */
export async function wrongPrices({ log, codec }: Pick<Connections, 'log' | 'codec'>) {
  const truth = rightRates();
  const wrong: { readonly subject: string; readonly detail: string }[] = [];
  await codec.load([transferPriced.name]);
  const reader = log.reader();
  await reader.read(await reader.offsets([transferPriced.name]), async ({ records }) => {
    const own = records.filter(({ headers, unreadable }) => headers[FORGERY] === undefined && !unreadable);
    const results = await codec.decode(
      transferPriced.name,
      own.map(({ value }) => value),
    );
    for (const [index, result] of results.entries()) {
      const subject = own[index]!.key?.toString() ?? '';
      const legs = result.ok ? wrongLegs(result.value as TransferPriced, truth) : [`unreadable: ${result.detail}`];
      wrong.push(...legs.map((leg) => ({ subject, detail: `priced by ${leg}` })));
    }
  });
  return wrong;
}

/** Legs of a price that are not what two sources said. */
export function wrongLegs({ price }: Pick<TransferPriced, 'price'>, truth: ReadonlyMap<string, string>): string[] {
  return price.legs.flatMap(({ base, quote, rate, source, agreement }) => {
    const name = `${base}/${quote} at ${rate} of ${source}`;
    const right = truth.get(`${base}/${quote}`);
    if (right === undefined || !isNear(rate, right)) return [`${name}; the rate is ${right}`];
    return (agreement?.sources.length ?? 0) >= 2 ? [] : [`${name}, which no other source agreed with`];
  });
}

/** The right rates, by pair. */
export const rightRates = (): ReadonlyMap<string, string> =>
  new Map(sampleRates(0).map(({ base, quote, rate }) => [`${base}/${quote}`, rate]));

function isNear(one: string, other: string): boolean {
  const places = Math.max(...[one, other].map((text) => text.split('.')[1]?.length ?? 0));
  const [a, b] = [one, other].map((text) => {
    const [whole, fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(places, '0'));
  }) as [bigint, bigint];
  return (a > b ? a - b : b - a) * MILLION <= b * TOLERANCE;
}
