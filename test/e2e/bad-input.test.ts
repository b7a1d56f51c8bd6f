// Bad input of every kind, between good records: what decodes becomes intent.rejected with reason codes, what does not
// becomes a dead letter with the raw bytes and a code, and the good records around it go through.
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { DEAD_LETTERS, deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { letterGroups } from '../../operations/dead-letters/groups.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { INVALID_INTENTS } from '../../samples/intents.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { UNDECODABLE } from '../../samples/undecodable.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

/** A state is waited for; this ends a run in which it never comes. */
const WAIT = { timeout: 120_000, interval: 200 };
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const HALF_BAD: Mix = { ...NOTHING, invalid: 250, undecodable: 250 };

let pipeline: TestPipeline;
let before: ReadonlyMap<string, number>;
let fed: readonly FedRecord[];

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  const ranges = await pipeline.connections.log.reader().offsets(['intent.rejected', 'intake.dlq']);
  before = new Map(ranges.map(({ topic, partition, to }) => [`${topic}/${partition}`, to]));
  await pipeline.start();
  fed = await pipeline.feed(400, 11, { mix: HALF_BAD });
  await pipeline.settled();
}, 240_000);
afterAll(async () => {
  await pipeline?.close();
});

const byKey = (records: readonly LogRecord[]) => new Map(records.map((record) => [record.key?.toString(), record]));
const kinds = (expected: FedRecord['expected']) =>
  new Set(fed.filter((r) => r.expected === expected).map((r) => r.kind));

it('holds every kind, and the good records around them completed', () => {
  expect(kinds('INTENT_REJECTED')).toEqual(new Set(Object.keys(INVALID_INTENTS)));
  expect(kinds('UNDECODABLE')).toEqual(new Set(Object.keys(UNDECODABLE)));
  const { byState, unexpected } = pipeline.books.balance();
  expect(byState.COMPLETED).toBeGreaterThan(100);
  expect(unexpected).toBe(0);
});

it('rejects what decodes, with a reason for each kind', async () => {
  const { log, codec } = pipeline.connections;
  await codec.load(['intent.rejected']);
  const rejected = byKey(await readTopic(log, 'intent.rejected', before));
  const reasons: Record<string, string[]> = {};
  for (const { account, kind } of fed.filter(({ expected }) => expected === 'INTENT_REJECTED')) {
    const [decoded] = await codec.decode('intent.rejected', [rejected.get(account)!.value]);
    if (!decoded?.ok) throw new Error(`the rejection of ${kind} does not decode`);
    reasons[kind] = decoded.value.reasons.map(({ code }) => code);
    expect(decoded.value.originPosition).toMatch(/:\d+:\d+$/);
  }
  for (const [kind, codes] of Object.entries(reasons)) {
    expect(codes.length, kind).toBeGreaterThan(0);
    for (const code of codes) expect(code, kind).toMatch(/^[A-Z0-9]{4}$/);
  }
  expect(reasons['negative-amount']).toContain('AM12');
  expect(reasons['unknown-source-currency']).toContain('AM03');
});

it('dead-letters what does not, with the raw bytes and a code', async () => {
  const letters = byKey(await readTopic(pipeline.connections.log, 'intake.dlq', before));
  const undecodable = fed.filter(({ expected }) => expected === 'UNDECODABLE');
  expect(letters.size).toBe(undecodable.length);
  for (const { key, value, kind } of undecodable) {
    const letter = letters.get(key)!;
    expect(letter.value === null ? null : Buffer.compare(letter.value, value!), kind).toBe(value === null ? null : 0);
    expect(letter.headers['dlq-error-code']?.toString(), kind).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(letter.headers['source-topic']?.toString()).toBe('transfer.requested');
    expect(letter.headers['dlq-class']?.toString()).toBe('undecodable');
  }
});

it('indexes each dead letter, in groups by cause, and none of the bytes of a producer', async () => {
  const undecodable = fed.filter(({ expected }) => expected === 'UNDECODABLE');
  const letters = (await pipeline.connections.db()).collection<DeadLetterDocument>(DEAD_LETTERS);
  await vi.waitUntil(async () => (await letters.countDocuments({ owner: 'intake' })) >= undecodable.length, WAIT);
  const indexed = await letters.find({ owner: 'intake' }).toArray();
  expect(indexed).toHaveLength(undecodable.length);
  for (const letter of indexed) {
    expect(letter).toMatchObject({ proven: true, state: 'PARKED', class: 'undecodable', amountMinor: null });
    expect(letter._id).toBe(letter.letterId);
  }
  const store = deadLetters(await pipeline.connections.db());
  const { groups } = await vi.waitUntil(async () => {
    const found = await letterGroups(store, { now: Date.now() });
    return found.complete && found;
  }, WAIT);
  const ofIntake = groups.filter(({ owner }) => owner === 'intake');
  expect(ofIntake.reduce((total, group) => total + group.letters, 0)).toBe(undecodable.length);
  expect(ofIntake.length).toBeLessThan(undecodable.length);
});
