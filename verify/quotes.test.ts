// Transfers that name quotes, held against what was quoted and to whom it was given.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KeyRing } from '../domain/seals/seal.ts';
import { memoryQuotes } from '../operations/quotes/testing/memory-quotes.ts';
import { priceableOf } from '../processors/fx-pricing/price.ts';
import type { QuoteClaim, QuoteRequest } from '../processors/fx-pricing/quote.ts';
import { sealClaim, sealQuote } from '../processors/fx-pricing/quote-seals.ts';
import { DEFAULT_DISPATCH_RULES } from '../processors/payout-dispatch/decide.ts';
import type { Instruction, Price } from '../schemas/types.generated.ts';
import { AT } from '../test/kit/builders.ts';
import { KEYS } from '../test/kit/keys.ts';
import { CheckpointWriter, readCheckpoint } from './checkpoint.ts';
import { keptQuotes } from './checks/quotes.ts';
import { QuoteUses } from './quote-uses.ts';
import type { Ending } from './testing/history.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

interface NamingValue {
  envelope: { transferId: string; attempt: number; occurredAt: number };
  instruction: Instruction & { quoteId: string | null; producerId: string | null };
}
interface PricedValue extends NamingValue {
  price: Price;
}
type World = ReturnType<typeof worldOf>;

/** Transfers of one quote, and what the stores have of it. */
function worldOf(endings: readonly Ending[] = ['completed']) {
  const history = new History();
  for (const ending of endings) history.tell(ending);
  const of = (topic: string) => history.entries.filter((entry) => entry.topic === topic).map(({ value }) => value);
  const priced = of('transfer.priced') as PricedValue[];
  const screened = of('transfer.screened') as NamingValue[];
  const [{ instruction, price }] = priced as [PricedValue];
  const request: QuoteRequest = {
    ...{ requestId: 'request-1', producerId: 'acme', kind: 'GUARANTEED' },
    ...priceableOf(instruction, 'SOURCE'),
  };
  const world = { history, priced, screened, quotes: memoryQuotes(), request, quoteId: '' };
  quote(world, price);
  claim(world, {});
  return world;
}

/** The quote of the first transfer, with this price; each transfer names it. */
function quote(world: World, price: Price, over: Partial<QuoteRequest> = {}, ring: KeyRing = KEYS.stages): void {
  const sealed = sealQuote(ring, { request: { ...world.request, ...over }, price });
  world.quoteId = sealed.quoteId;
  world.quotes.answers.set('request-1', { kind: 'priced', at: 1, sealed });
  for (const { instruction } of [...world.priced, ...world.screened])
    Object.assign(instruction, { quoteId: sealed.quoteId, producerId: 'acme' });
}

/** The claim of the first transfer. */
function claim(
  { priced: [first], quotes, quoteId }: World,
  over: Partial<QuoteClaim>,
  ring: KeyRing = KEYS.stages,
): void {
  const { envelope, instruction } = first!;
  const { originPosition } = instruction;
  const made = { quoteId, transferId: envelope.transferId, originPosition, claimedAt: envelope.occurredAt, ...over };
  quotes.claims.clear();
  quotes.claims.set(quoteId, sealClaim(ring, made));
}

async function found(change: (world: World) => void, endings?: readonly Ending[]): Promise<readonly string[]> {
  const world = worldOf(endings);
  change(world);
  world.history.fillStores();
  const sources = { ...world.history.sources(), quotes: keptQuotes(world.quotes, KEYS.stages) };
  const { findings } = await verify(sources, AT_ONCE);
  return findings.map(({ code }) => code).filter((code) => code.startsWith('QUOTE_') || code.startsWith('PRICE_'));
}

describe('a transfer that names a quote', () => {
  it('is right with the price that was quoted', async () => {
    expect(await found(() => undefined)).toEqual([]);
  });

  it.each<[string, readonly string[], (world: World) => void]>([
    [
      'with another price',
      ['QUOTE_DIFFERS'],
      (world) => {
        quote(world, { ...world.priced[0]!.price, expiresAt: world.priced[0]!.price.expiresAt + 1 });
        claim(world, {});
      },
    ],
    [
      'that asks for something else',
      ['QUOTE_DIFFERS'],
      (world) => {
        quote(world, world.priced[0]!.price, { kycTier: 'TIER_3' });
        claim(world, {});
      },
    ],
    [
      'of another producer',
      ['QUOTE_DIFFERS'],
      (world) => {
        quote(world, world.priced[0]!.price, { producerId: 'zenith' });
        claim(world, {});
      },
    ],
    [
      'that is indicative',
      ['QUOTE_DIFFERS'],
      (world) => {
        quote(world, world.priced[0]!.price, { kind: 'INDICATIVE' });
        claim(world, {});
      },
    ],
    ['that was priced at another time', ['QUOTE_DIFFERS'], (world) => claim(world, { claimedAt: AT + 5 * 60_000 })],
    [
      'that operators have sealed',
      ['QUOTE_NOT_SEALED'],
      (world) => {
        quote(world, world.priced[0]!.price, {}, KEYS.operators);
        claim(world, {});
      },
    ],
    ['that was never given', ['QUOTE_NOT_SEALED'], ({ quotes }) => quotes.answers.clear()],
    ['that nobody has claimed', ['QUOTE_NOT_CLAIMED'], ({ quotes }) => quotes.claims.clear()],
    ['that another has claimed', ['QUOTE_NOT_CLAIMED'], (world) => claim(world, { transferId: 'transfer-000099' })],
    ['whose claim no stage has sealed', ['QUOTE_NOT_CLAIMED'], (world) => claim(world, {}, KEYS.operators)],
  ])('is found %s', async (_what, codes, change) => {
    expect(await found(change)).toEqual(codes);
  });

  it('is found as the second of one quote, and when it was priced again', async () => {
    expect(await found(() => undefined, ['completed', 'completed'])).toEqual(['QUOTE_USED_TWICE', 'QUOTE_NOT_CLAIMED']);
    expect(await found(() => undefined, ['requoted'])).toEqual(['QUOTE_REPRICED']);
  });

  it('is found when it had expired, by the clocks of the log and of the stage', async () => {
    const until = ({ priced: [first] }: World) => first!.price.expiresAt - DEFAULT_DISPATCH_RULES.minRemainingMs;
    const late = (world: World, by: { log: number; stage: number }) => {
      world.priced[0]!.envelope.occurredAt = until(world) + by.stage;
      const { transferId } = world.priced[0]!.envelope;
      for (const entry of world.history.entries)
        if (entry.topic === 'transfer.screened' && entry.key === transferId)
          Object.assign(entry, { timestamp: until(world) + by.log });
      claim(world, {});
    };
    expect(await found((world) => late(world, { log: 0, stage: 0 }))).toContain('QUOTE_DIFFERS');
    expect(await found((world) => late(world, { log: -1, stage: 0 }))).not.toContain('QUOTE_DIFFERS');
    expect(await found((world) => late(world, { log: 0, stage: -1 }))).not.toContain('QUOTE_DIFFERS');
  });

  it('counts the time to take it back from its use', async () => {
    const codes = await found((world) => {
      const { price, envelope } = world.priced[0]!;
      quote(world, { ...price, cancelUntil: price.lockedAt + 60_000 });
      claim(world, {});
      world.priced[0]!.price = { ...price, cancelUntil: envelope.occurredAt + 60_001 };
    });
    expect(codes).toContain('QUOTE_DIFFERS');
  });

  it('is found as the second of one quote also where the first was verified before', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'corridor-quote-uses-'));
    try {
      const checkpoint = path.join(folder, 'checkpoint');
      const run = new QuoteUses();
      expect(run.add({ quoteId: 'q-1', transferId: 't-1', expiresAt: AT })).toBeUndefined();
      run.add({ quoteId: 'q-2', transferId: 't-2', expiresAt: AT - 2 * 86_400_000 });
      const writer = new CheckpointWriter(checkpoint);
      for (const use of run.stored(AT)) await writer.add({ t: 'quote', v: use });
      await writer.commit({
        ...{ app: 'corridor', takenAt: AT, offsets: {}, storeOffsets: {}, totals: {}, documents: {} },
        ...{ providerSeq: 0, previous: null },
      });
      const next = new QuoteUses((await readCheckpoint(checkpoint)).quotes);
      expect(next.add({ quoteId: 'q-1', transferId: 't-1', expiresAt: AT })).toBeUndefined();
      expect(next.add({ quoteId: 'q-1', transferId: 't-9', expiresAt: AT })).toBe('t-1');
      // What expired so long ago that nobody may use it any more is not carried on.
      expect(next.add({ quoteId: 'q-2', transferId: 't-9', expiresAt: AT })).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
