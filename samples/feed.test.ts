import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordType } from '../schemas/avro-types.ts';
import type { TransferLifecycle, TransferState } from '../schemas/types.generated.ts';
import { Books } from './books.ts';
import type { FedRecord } from './fed-record.ts';
import { INVALID_INTENTS } from './intents.ts';
import { sampleRates } from './rates.ts';
import { sampleFeed } from './sample.ts';
import { UNDECODABLE } from './undecodable.ts';

const type = recordType('TransferRequested');
const encode = (value: unknown) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer(value)]);
const feedOf = (count: number, seed: number, runId = 'run') => [
  ...sampleFeed({ count, seed, runId, now: 1_790_000_000_000, listedNames: ['Ivan Listed'], encode }),
];
const lifecycle = (transferId: string, sequence: number, state: TransferState) =>
  ({ transferId, sequence, state }) as TransferLifecycle;

describe('the sample feed', () => {
  it('is the same for the same seed and run, and shares no id with another run', () => {
    expect(feedOf(300, 7)).toEqual(feedOf(300, 7));
    const ids = new Set(feedOf(300, 7).map(({ key }) => key));
    expect(feedOf(300, 7, 'another').some(({ key }) => ids.has(key))).toBe(false);
  });

  it('holds every kind of input once it is long enough', () => {
    const kinds = new Set(feedOf(4_000, 1).map(({ kind }) => kind));
    for (const kind of [...Object.keys(INVALID_INTENTS), ...Object.keys(UNDECODABLE)]) expect(kinds).toContain(kind);
    expect(Object.keys(INVALID_INTENTS).length + Object.keys(UNDECODABLE).length).toBeGreaterThanOrEqual(25);
  });

  it('calls undecodable only what the schema cannot read, and invalid only what it can', () => {
    for (const { value, expected, kind } of feedOf(4_000, 2)) {
      const readable = () => {
        if (value?.[0] !== 0 || value.length < 5 || value.readInt32BE(1) !== 1) throw new Error('no id');
        type.fromBuffer(value.subarray(5));
      };
      if (expected === 'UNDECODABLE') expect(readable, kind).toThrow();
      else expect(readable, kind).not.toThrow();
    }
  });

  it('publishes rates in the digits of the data set, for every sample corridor', () => {
    const rates = sampleRates(5);
    expect(rates.every(({ rate }) => /^\d+(\.\d+)?$/.test(rate) && Number(rate) > 0)).toBe(true);
    expect(rates.map(({ base, quote }) => base + quote)).toEqual(
      expect.arrayContaining(['GBPINR', 'EURINR', 'USDINR', 'AEDINR', 'INRGBP']),
    );
  });
});

describe('the books', () => {
  const record = (account: string, expected: FedRecord['expected']): FedRecord => ({
    key: account,
    account,
    value: null,
    expected,
    kind: expected,
  });

  it('balance only when every input is where it was expected', () => {
    const books = new Books();
    books.fed(record('a', 'COMPLETED'));
    books.fed(record('a', 'DUPLICATE'));
    books.fed(record('b', 'UNDECODABLE'));
    expect(books.balance()).toMatchObject({ transfers: 3, unaccounted: 3, unexpected: 3 });
    books.lifecycle(lifecycle('a', 5, 'COMPLETED'));
    books.intentDuplicated('a');
    books.undecodable('b');
    expect(books.balance()).toMatchObject({ transfers: 3, unaccounted: 0, unexpected: 0, mismatches: [] });
  });

  it('find an input that ended twice, and one that ended elsewhere', () => {
    const books = new Books();
    books.fed(record('a', 'COMPLETED'));
    books.lifecycle(lifecycle('a', 5, 'COMPLETED'));
    books.intentRejected('a');
    expect(books.balance()).toMatchObject({ unexpected: 1, unaccounted: 0 });
    books.fed(record('b', 'COMPLETED'));
    books.lifecycle(lifecycle('b', 3, 'REJECTED'));
    expect(books.balance().unexpected).toBe(2);
    expect(books.balance().mismatches.map(({ account }) => account)).toEqual(['a', 'b']);
  });

  it('do not depend on the order in which the topics are read', () => {
    const events: TransferState[] = [
      'ACCEPTED',
      'SCREENED',
      'PRICED',
      'RESERVED',
      'DISPATCHED',
      'COMPLETED',
      'RETURNED',
    ];
    const order = fc.shuffledSubarray([...events.keys()], { minLength: events.length });
    fc.assert(
      fc.property(order, (indexes) => {
        const books = new Books();
        books.fed(record('a', 'RETURNED'));
        for (const index of indexes) books.lifecycle(lifecycle('a', index + 1, events[index]!));
        expect(books.balance()).toMatchObject({ unexpected: 0, unaccounted: 0 });
      }),
    );
  });
});
