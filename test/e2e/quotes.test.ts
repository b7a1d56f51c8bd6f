// A price before the transfer, over the whole pipeline: the transfer that names the quote has its price though the rate has moved,
// no second one has it, and after it has expired none has. Verification finds each price as it was quoted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sealIntent } from '../../domain/producers/intent-seal.ts';
import { DEFAULT_DISPATCH_RULES } from '../../processors/payout-dispatch/decide.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { TransferPriced, TransferRejected, TransferRequested } from '../../schemas/types.generated.ts';
import { HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { corridorsFile } from '../kit/corridors-file.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const POLLING = { timeout: 400_000, interval: 500 };
const GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const PRODUCER = 'acme';
/** Long enough for a busy machine, and short enough to be waited for. */
const PRICE_MS = 180_000;
const servers = useOwnStack('quotes', { ephemeral: true });
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-quotes-'));
let pipeline: TestPipeline;
/** An intent that the pipeline takes, to be told again under other ids. */
let sample: TransferRequested;

const run = async (...args: readonly string[]) => {
  const ended = await runCorridor(args, pipeline.env);
  expect(ended.code, ended.stderr).toBe(0);
  return ended;
};
interface Shown {
  readonly requestId: string;
  readonly quoteId: string;
  readonly state: string;
  readonly usedBy: string | null;
  readonly price: { readonly validUntil: string; readonly credit: { readonly minor: string } } | null;
}
/** By the id of the request, or of the quote. */
const show = async (id: string) => JSON.parse((await run('quotes', 'show', id, '--json')).stdout) as Shown;

/** A quote of the sample's amount, with its price. */
async function quoted(key: string): Promise<Shown> {
  const { instructedAmount: amount, sourceCurrency, targetCurrency, chargeBearer, kycTier, funding } = sample;
  const ended = await run(
    ...['quotes', 'request', '--producer', PRODUCER, '--key', key, '--json'],
    ...[
      '--amount',
      amount.minor.toString(),
      '--currency',
      amount.currency,
      '--from',
      sourceCurrency,
      '--to',
      targetCurrency,
    ],
    ...[
      '--bearer',
      chargeBearer,
      ...(kycTier ? ['--tier', kycTier] : []),
      ...(funding ? ['--funding', funding.method] : []),
    ],
  );
  const { requestId } = JSON.parse(ended.stdout) as Shown;
  return vi.waitFor(async () => {
    const quote = await show(requestId);
    expect(quote).toMatchObject({ state: 'PRICED' });
    return quote;
  }, POLLING);
}

/** An intent under the producer's seal. */
async function send(transferId: string, quoteId: string | null): Promise<void> {
  const { log, codec, config } = pipeline.connections;
  const value = codec.encode('transfer.requested', { ...sample, transferId, requestedAt: Date.now(), quoteId });
  const writer = await log.writer(`send-${transferId}`);
  await writer.send([
    {
      ...{ topic: 'transfer.requested', key: transferId, value },
      partition: homePartition(transferId, config.kafka.chainPartitions),
      headers: {
        [HEADER.producer]: PRODUCER,
        [HEADER.producerSeal]: sealIntent(config.producers.intentKeys!, PRODUCER, value),
      },
    },
  ]);
  await writer.close();
}

/** What became of a transfer at pricing. */
async function outcome(transferId: string): Promise<{ priced?: TransferPriced; codes?: string }> {
  const { log, codec } = pipeline.connections;
  await codec.load(['transfer.priced', 'transfer.rejected']);
  return vi.waitFor(async () => {
    for (const topic of ['transfer.priced', 'transfer.rejected'] as const) {
      const records = await readTopic(log, topic);
      for (const result of await codec.decode(
        topic,
        records.map(({ value }) => value),
      )) {
        if (!result.ok || result.value.envelope.transferId !== transferId) continue;
        if (topic === 'transfer.priced') return { priced: result.value as TransferPriced };
        return { codes: (result.value as TransferRejected).reasons.map(({ code }) => code).join() };
      }
    }
    throw new Error(`nothing became of ${transferId} yet`);
  }, POLLING);
}

beforeAll(async () => {
  pipeline = await TestPipeline.create({
    urls: servers.urls,
    env: {
      CORRIDOR_CORRIDORS_FILE: corridorsFile(folder, (corridor) => ({ ...corridor, priceTtlMs: PRICE_MS })),
      CORRIDOR_INTENT_KEYS: 'api:an-intent-key-of-the-quotes-test-0001',
    },
  });
  await pipeline.start();
  const { codec } = pipeline.connections;
  const records = await pipeline.feed(12, 20261201, { mix: GOOD });
  const [first] = await codec.decode(
    'transfer.requested',
    records.slice(0, 1).map(({ value }) => value!),
  );
  if (!first?.ok) throw new Error('no sample');
  sample = first.value;
}, 600_000);
afterAll(async () => {
  await pipeline?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('a transfer has the price of its quote though the rate moved, no second one has it, and none when it has expired', async () => {
  const [used, late] = [await quoted('order-0001'), await quoted('order-0002')];
  // The rate moves, by less than what a person has to look at.
  const before = await outcome((await marketPriced('market-0001')) && 'market-0001');
  const [leg] = before.priced!.price.legs;
  const rate = (Number(leg!.rate) * 0.995).toFixed(6);
  const file = path.join(folder, 'rates.ndjson');
  const line = { base: leg!.base, quote: leg!.quote, rate, observedAt: new Date().toISOString() };
  writeFileSync(file, `${JSON.stringify(line)}\n`);
  await run('rates', 'import', file, '--format', 'ndjson', '--source', leg!.source);
  let n = 1;
  await vi.waitFor(async () => {
    const id = `market-1${String(n++).padStart(3, '0')}`;
    await marketPriced(id);
    expect((await outcome(id)).priced!.price.legs[0]!.rate).toBe(rate);
  }, POLLING);

  await send('quoted-0001', used.quoteId);
  const { priced } = await outcome('quoted-0001');
  expect(priced!.price.credit.minor.toString()).toBe(used.price!.credit.minor);
  expect(priced!.price.expiresAt - Date.parse(used.price!.validUntil)).toBe(DEFAULT_DISPATCH_RULES.minRemainingMs);
  expect(priced!.price.legs[0]!.rate).not.toBe(rate);
  expect(await show(used.quoteId)).toMatchObject({ state: 'USED', usedBy: 'quoted-0001' });

  await send('quoted-0002', used.quoteId);
  expect(await outcome('quoted-0002')).toEqual({ codes: 'QUSD' });

  await vi.waitFor(async () => expect(await show(late.quoteId)).toMatchObject({ state: 'EXPIRED' }), POLLING);
  await send('quoted-0003', late.quoteId);
  expect(await outcome('quoted-0003')).toEqual({ codes: 'QEXP' });
  expect(await show(late.quoteId)).toMatchObject({ state: 'EXPIRED', usedBy: null });
}, 900_000);

const marketPriced = async (transferId: string) => {
  await send(transferId, null);
  return transferId;
};

it('verification finds nothing, and finds the claim that somebody has deleted', async () => {
  await pipeline.settled(240_000);
  const verified = await runCorridor(['verify', '--wait-quiet', '3', '--json'], pipeline.env);
  expect(verified.code, verified.stdout.slice(0, 4_000) + verified.stderr).toBe(0);
  const db = await pipeline.connections.db();
  expect((await db.collection('quote_claims').deleteMany({})).deletedCount).toBe(1);
  const spoilt = await runCorridor(['verify', '--wait-quiet', '3', '--json'], pipeline.env);
  expect(spoilt.code).toBe(1);
  const { findings } = JSON.parse(spoilt.stdout) as { findings: { code: string }[] };
  expect(findings.map(({ code }) => code)).toEqual(['QUOTE_NOT_CLAIMED']);
}, 900_000);
