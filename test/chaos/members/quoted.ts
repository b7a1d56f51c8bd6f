// Member: transfers that name quotes. A producer asks for prices while processes, MongoDB and sources of rates come and go, and
// names them in its intents: alone, the same intent twice, two transfers of one quote at once, one of a quote that another has, and
// of quotes that have expired, that somebody forged, that are another's, that only show a price, or that are of another amount.
//
// What must come of it: who has a quote is paid at exactly that price; of two that name one, one has it; all others are rejected by
// the code of their case, and nothing is priced in another way. How the judge knows: by the ends in the books, and by each price and
// each rejection in the log, held against what was quoted.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUOTES, quotes } from '../../../adapters/mongo/quotes.ts';
import { keyRing } from '../../../domain/seals/seal.ts';
import { askForQuote } from '../../../operations/quotes/ask.ts';
import type { Quote, QuoteKind } from '../../../processors/fx-pricing/quote.ts';
import {
  type SealedQuote,
  sealQuote,
  unsealedQuote,
  validUntilOf,
} from '../../../processors/fx-pricing/quote-seals.ts';
import { goodIntent } from '../../../samples/intents.ts';
import { type Random, seeded } from '../../../samples/random.ts';
import type { TransferPriced, TransferRejected, TransferRequested } from '../../../schemas/types.generated.ts';
import type { Connections } from '../../../services/connections.ts';
import type { ChaosBooks } from '../books.ts';
import type { ChaosRecord } from '../feed.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';
import { FORGERY } from './forgeries.ts';
import { PRODUCERS, producerOf } from './webhooks.ts';

const INTENTS = 'transfer.requested';
/** Between two rounds, ms. */
const ROUND_MS = 4_000;
const LOOK_MS = 300;
/** A request that has no price by then is given up: rates may be away, or the processes. */
const ANSWERED_WITHIN_MS = 70_000;
/** A claim that does not stand by then is not waited for. */
const CLAIMED_WITHIN_MS = 120_000;
const LONG_AGO_MS = 2 * 3_600_000;
/** What a forger would like to have more, minor units. */
const MORE = 100_000n;

/** Why a transfer has no price, by the code of its rejection. */
const BAD = ['QEXP', 'QUNK', 'QDIF', 'QIND', 'OTHERS', 'QPRD'] as const;
type Bad = (typeof BAD)[number];

/** What is to become of a transfer that names a quote. */
export interface Naming {
  readonly quoteId: string;
  /** What was quoted; undefined: no stage has quoted it to this transfer. */
  readonly price: Quote['price'] | undefined;
  /** Of the rejection, where it is one. */
  readonly code: string;
}

export interface QuotedComponents {
  readonly world: World;
  readonly books: ChaosBooks;
  readonly seed: number;
  /** Feeds these beside the others. */
  readonly feed: (records: readonly ChaosRecord[]) => Promise<void>;
}

interface Given extends Quote {
  readonly quoteId: string;
  readonly intent: TransferRequested;
}

export class QuotedTransfers {
  /** By transfer. */
  readonly named = new Map<string, Naming>();
  readonly counts: Record<string, number> = { quotesAsked: 0, quotesUsed: 0, quotesUsedTwice: 0, quotesRefused: 0 };
  readonly failures: string[] = [];
  readonly #parts: QuotedComponents;
  readonly #random: Random;
  readonly #pending: Promise<void>[] = [];
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: QuotedComponents) {
    this.#parts = parts;
    this.#random = seeded(parts.seed ^ 0x900735);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when all that is fed is fed. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#pending);
  }

  async #run(): Promise<void> {
    for (let round = 0; !this.#isOver; round++) {
      try {
        await this.#round(BAD[round % BAD.length]!);
      } catch (error) {
        this.failures.push(`quotes: ${String(error)}`);
      }
      await sleep(ROUND_MS);
    }
  }

  async #round(bad: Bad): Promise<void> {
    const [alone, two, spoilt] = await Promise.all([
      this.#quoted(),
      this.#quoted(),
      this.#quoted(bad === 'QIND' ? 'INDICATIVE' : 'GUARANTEED'),
    ]);
    if (alone) {
      const record = this.#use(alone, alone.intent, 'COMPLETED');
      this.#parts.books.holdsUntil(alone.intent.transferId, validUntilOf(alone.price));
      await this.#parts.feed([record, { ...record, expected: 'DUPLICATE', kind: 'duplicate' }]);
      this.#pending.push(this.#useAgain(alone));
    }
    if (two) {
      const intents = [two.intent, this.#intentOf(two.request.producerId, two.intent)];
      const [first, second] = intents as [TransferRequested, TransferRequested];
      this.#parts.books.oneOf(first.transferId, second.transferId);
      await this.#parts.feed([this.#use(two, first, 'COMPLETED'), this.#use(two, second, 'REJECTED', 'QUSD')]);
      this.#count('quotesUsedTwice');
    }
    if (spoilt) await this.#parts.feed([await this.#misuse(spoilt, bad)]);
  }

  /** A quote with its price, of an intent to come; undefined: none was to be had. */
  async #quoted(kind: QuoteKind = 'GUARANTEED'): Promise<Given | undefined> {
    const producerId = this.#random.pick(PRODUCERS);
    const intent = this.#intentOf(producerId);
    const { amountSide, instructedAmount: amount, sourceCurrency, targetCurrency, chargeBearer, kycTier } = intent;
    const content = {
      ...{ kind, side: amountSide as 'SOURCE', amount, sourceCurrency, targetCurrency, chargeBearer, kycTier },
      ...{ fundingMethod: intent.funding?.method ?? null, declaredTaxes: intent.taxes },
    };
    const { connections } = this.#parts.world;
    const store = quotes(await untilItWorks(() => connections.db()));
    const asking = { producerId, key: intent.transferId, content };
    const asked = await untilItWorks(() => askForQuote(store, asking, Date.now()));
    if (asked.kind !== 'asked') throw new Error(`another quote has the key ${intent.transferId}`);
    this.#count('quotesAsked');
    for (const deadline = performance.now() + ANSWERED_WITHIN_MS; performance.now() < deadline; await sleep(LOOK_MS)) {
      const found = await untilItWorks(() => store.show(asked.quote.request.requestId));
      if (found?.answer === undefined) continue;
      if (found.answer.kind === 'refused') return undefined;
      const { sealed } = found.answer;
      const quote = unsealedQuote(connections.config.keys.stages!, sealed);
      if (quote === undefined) throw new Error(`${sealed.quoteId} is not under the seal of the stages`);
      return { ...quote, quoteId: sealed.quoteId, intent };
    }
    return undefined;
  }

  /** A second transfer, once the claim of the first stands: committed or not, the quote is that one's. */
  async #useAgain(given: Given): Promise<void> {
    const store = quotes(await untilItWorks(() => this.#parts.world.connections.db()));
    for (const deadline = performance.now() + CLAIMED_WITHIN_MS; performance.now() < deadline; await sleep(LOOK_MS)) {
      const { claims } = await untilItWorks(() => store.find([given.quoteId]));
      if (claims.length === 0) continue;
      await this.#parts.feed([
        this.#use(given, this.#intentOf(given.request.producerId, given.intent), 'REJECTED', 'QUSD'),
      ]);
      this.#count('quotesUsedTwice');
      return;
    }
  }

  async #misuse(given: Given, bad: Bad): Promise<ChaosRecord> {
    const { world } = this.#parts;
    this.#count('quotesRefused');
    const { quoteId, request, price } = given;
    const { stages } = world.connections.config.keys;
    const none = { ...given, price: undefined };
    switch (bad) {
      case 'QEXP': {
        const past = { lockedAt: price.lockedAt - LONG_AGO_MS, expiresAt: price.expiresAt - LONG_AGO_MS };
        const sealed = sealQuote(stages!, { request, price: { ...price, ...past } });
        await this.#keep(given, sealed);
        return this.#use({ ...none, quoteId: sealed.quoteId }, given.intent, 'REJECTED', bad);
      }
      case 'QUNK': {
        const dear = { ...price, credit: { ...price.credit, minor: price.credit.minor + MORE } };
        const stranger = keyRing(`${stages!.currentId}:a-secret-of-somebody-else-000000000000000`);
        const sealed = sealQuote(stranger, { request, price: dear });
        await this.#keep(given, sealed);
        return this.#use({ ...none, quoteId: sealed.quoteId }, given.intent, 'REJECTED', bad);
      }
      case 'QDIF': {
        const { instructedAmount: amount } = given.intent;
        const other = { ...given.intent, instructedAmount: { ...amount, minor: amount.minor + 1n } };
        return this.#use(none, other, 'REJECTED', bad);
      }
      case 'QIND':
        return this.#use(none, given.intent, 'REJECTED', bad);
      case 'OTHERS': {
        const other = PRODUCERS.find((each) => each !== request.producerId)!;
        return this.#use({ ...none, quoteId }, this.#intentOf(other, given.intent), 'REJECTED', 'QUNK');
      }
      case 'QPRD':
        return this.#use(none, this.#intentOf(undefined, given.intent), 'REJECTED', bad);
    }
  }

  /** Beside what pricing keeps, as somebody with the database would; of an expired one only the time is not true. */
  async #keep({ request }: Given, { quoteId, content, seal }: SealedQuote): Promise<void> {
    const db = await untilItWorks(() => this.#parts.world.connections.db());
    await untilItWorks(() =>
      db
        .collection<{ _id: string }>(QUOTES)
        .updateOne(
          { _id: quoteId },
          { $set: { producerId: request.producerId, state: 'PRICED', quoteId, content, seal } as never },
          { upsert: true },
        ),
    );
  }

  /** An intent that this producer seals (undefined: that nobody does), of the same amounts as another one, if given. */
  #intentOf(producerId: string | undefined, like?: TransferRequested): TransferRequested {
    const { codec } = this.#parts.world.connections;
    for (;;) {
      const ids = { transferId: randomUUID(), customerId: randomUUID(), beneficiaryId: randomUUID() };
      const made = goodIntent(this.#random, ids, Date.now());
      const { transferId, endToEndId, requestedAt } = made;
      const intent = like ? { ...like, transferId, endToEndId, requestedAt } : made;
      if (producerOf(recordOf(intent, codec.encode(INTENTS, intent), 'COMPLETED')) === producerId) return intent;
    }
  }

  #use(
    { quoteId, price }: { readonly quoteId: string; readonly price: Quote['price'] | undefined },
    intent: TransferRequested,
    expected: 'COMPLETED' | 'REJECTED',
    code = '',
  ): ChaosRecord {
    const { codec } = this.#parts.world.connections;
    this.named.set(intent.transferId, { quoteId, price, code });
    if (expected === 'COMPLETED') this.#count('quotesUsed');
    return recordOf(intent, codec.encode(INTENTS, { ...intent, quoteId }), expected);
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

const recordOf = (
  { transferId }: TransferRequested,
  value: Buffer,
  expected: 'COMPLETED' | 'REJECTED',
): ChaosRecord => ({
  ...{ key: transferId, account: transferId, value, expected, late: false },
  kind: expected === 'COMPLETED' ? 'quoted' : 'quoted-in-vain',
});

interface Wrong {
  readonly subject: string;
  readonly detail: string;
}

type Priced = Pick<TransferPriced, 'envelope' | 'instruction' | 'price'>;
type Rejected = Pick<TransferRejected, 'envelope' | 'instruction' | 'reasons' | 'price'>;

/** What is wrong with prices and rejections of transfers that name quotes. Pure. */
export function misquoted(
  named: ReadonlyMap<string, Naming>,
  { priced, rejected }: { readonly priced: readonly Priced[]; readonly rejected: readonly Rejected[] },
): readonly Wrong[] {
  const usedBy = new Map<string, string>();
  const wrong: Wrong[] = [];
  for (const { envelope, instruction, price } of priced) {
    const { transferId: subject, attempt } = envelope;
    const { quoteId } = instruction;
    const naming = named.get(subject);
    if (quoteId !== (naming?.quoteId ?? null)) wrong.push({ subject, detail: `is priced as if it named ${quoteId}` });
    if (naming === undefined) continue;
    if (naming.price === undefined) wrong.push({ subject, detail: `has a price by ${quoteId}, and was to have none` });
    else if (attempt !== 1 || textOf(price) !== textOf(naming.price))
      wrong.push({ subject, detail: `has another price than ${quoteId} (attempt ${attempt}): ${textOf(price)}` });
    const other = usedBy.get(naming.quoteId);
    if (other !== undefined && other !== subject)
      wrong.push({ subject, detail: `${quoteId} is the price of ${other} too` });
    usedBy.set(naming.quoteId, subject);
  }
  for (const { envelope, reasons, price } of rejected) {
    const naming = named.get(envelope.transferId);
    const codes = reasons.map(({ code }) => code).join();
    if (naming === undefined || codes === naming.code || (naming.price && codes === 'QUSD')) continue;
    // Priced as quoted, and not paid while that held.
    const isOver = naming.price && price && envelope.occurredAt >= validUntilOf(naming.price);
    if (isOver && codes === 'QEXP') continue;
    wrong.push({ subject: envelope.transferId, detail: `is rejected by ${codes} for ${naming.quoteId}` });
  }
  return wrong;
}

/** All that was quoted of a price; the time to take it back counts from its use. */
const textOf = ({
  debit,
  credit,
  principal,
  fees,
  taxes,
  customerRate,
  lockedAt,
  expiresAt,
}: Quote['price']): string => {
  const said = { debit, credit, principal, fees, taxes, customerRate, lockedAt, expiresAt };
  return JSON.stringify(said, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
};

/** The same of the log, without what was forged. */
export async function misquotedInLog(
  { log, codec }: Pick<Connections, 'log' | 'codec'>,
  named: ReadonlyMap<string, Naming>,
): Promise<readonly Wrong[]> {
  const read = async <V>(topic: 'transfer.priced' | 'transfer.rejected'): Promise<readonly V[]> => {
    const values: V[] = [];
    await codec.load([topic]);
    const reader = log.reader();
    await reader.read(await reader.offsets([topic]), async ({ records }) => {
      const own = records.filter(({ headers, unreadable }) => headers[FORGERY] === undefined && !unreadable);
      const bytes = own.map(({ value }) => value);
      for (const result of await codec.decode(topic, bytes)) if (result.ok) values.push(result.value as V);
    });
    return values;
  };
  const [priced, rejected] = [await read<Priced>('transfer.priced'), await read<Rejected>('transfer.rejected')];
  return misquoted(named, { priced, rejected });
}
