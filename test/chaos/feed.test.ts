import { expect, it } from 'vitest';
import { recordType } from '../../schemas/avro-types.ts';
import { type ChaosRecord, chaosFeed, decisionOf, isMalformed, recordsFor } from './feed.ts';
import { isForeign } from './members/foreign-batches.ts';
import { CASE_TAMPERINGS, isTampering } from './members/tampered-cases.ts';
import { PROFILES } from './profile.ts';

const type = recordType('TransferRequested');
const encode = (value: unknown) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer(value)]);

function feedOf(seed: number): ChaosRecord[] {
  const options = {
    profile: PROFILES.full,
    seed,
    runId: 'run',
    now: () => 1_790_000_000_000,
    listedNames: ['A B'],
    encode,
  };
  return [...chaosFeed(options)];
}

const records = feedOf(11);

it('is the same for the same seed', () => {
  const again = feedOf(11);
  expect([again.length, records.length]).toEqual([recordsFor(PROFILES.full), recordsFor(PROFILES.full)]);
  expect(again.every((record, i) => record.key === records[i]!.key && record.expected === records[i]!.expected)).toBe(
    true,
  );
});

it('holds what the full profile promises', () => {
  const count = (matches: (record: ChaosRecord) => boolean) => records.filter(matches).length;
  const transfers = count(({ expected }) => !['DUPLICATE', 'INTENT_REJECTED', 'UNDECODABLE'].includes(expected));
  expect(transfers).toBeGreaterThanOrEqual(20_000);
  expect(count(({ kind }) => kind === 'duplicate')).toBeGreaterThanOrEqual(0.1 * transfers);
  expect(count(({ late }) => late)).toBeGreaterThanOrEqual(0.05 * transfers);
  expect(count(isMalformed)).toBeGreaterThanOrEqual(0.1 * transfers);
  expect(count(isForeign)).toBeGreaterThanOrEqual(PROFILES.full.least['foreign']!);
  const held = records.filter(({ kind }) => kind.startsWith('listed-') || kind === 'over-review-limit');
  const tampered = held.filter(({ account }) => isTampering(decisionOf(account)));
  expect(tampered.length).toBeGreaterThanOrEqual(PROFILES.full.least['casesTampered']!);
  expect(tampered.every(({ expected }) => expected === 'HELD')).toBe(true);
  expect(new Set(tampered.map(({ account }) => decisionOf(account)))).toEqual(new Set(CASE_TAMPERINGS));
  expect(new Set(records.filter(isMalformed).map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(25);
});

it('lets no other payload of an id overtake the first one', () => {
  for (const seed of [11, 12, 13]) {
    const first = new Map<string, string>();
    for (const { account, kind } of seed === 11 ? records : feedOf(seed)) {
      if (kind !== 'duplicate' && !first.has(account)) first.set(account, kind);
    }
    expect([...first.values()].filter((kind) => kind === 'other-payload')).toEqual([]);
  }
});

it('gives each input of an account an end of its own, so that the books can balance', () => {
  const accounts = new Map<string, ChaosRecord[]>();
  for (const record of records) accounts.set(record.account, [...(accounts.get(record.account) ?? []), record]);
  const firsts = [...accounts.values()].map((inputs) =>
    inputs.filter(({ expected }) => expected !== 'DUPLICATE' && expected !== 'INTENT_REJECTED'),
  );
  expect(firsts.every((inputs) => inputs.length <= 1)).toBe(true);
  // What is repeated is there too, however late.
  const repeats = [...accounts.values()].filter((inputs) => inputs.some(({ kind }) => kind === 'duplicate'));
  expect(repeats.every((inputs) => inputs.some(({ kind }) => kind !== 'duplicate'))).toBe(true);
  const repeatedBefore = [...accounts.values()].filter(
    (inputs) => inputs.length > 1 && inputs[0]!.expected === 'DUPLICATE',
  );
  expect(repeatedBefore.length).toBeGreaterThan(0);
});
