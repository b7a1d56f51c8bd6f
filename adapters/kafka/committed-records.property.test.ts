// Aborted records never get through, whatever the order of transactions, markers and the broker's list.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { committedRecords, withoutAborted } from './committed-records.ts';
import type { AbortedTransaction, FetchedMessage } from './kafkajs/internals.ts';

vi.setConfig({ testTimeout: 120_000 }); // thousands of cases, on a machine that others use too

/** What producers do, in the order of the log. */
type Step = { readonly producer: number; readonly does: 'write' | 'commit' | 'abort' | 'plain' };

const ABORT_KEY = Buffer.from([0, 0, 0, 0]);
const COMMIT_KEY = Buffer.from([0, 0, 0, 1]);

interface History {
  readonly messages: readonly FetchedMessage[];
  readonly aborted: readonly AbortedTransaction[];
  /** Offsets that a read_committed reader may see. */
  readonly visible: readonly number[];
}

/** Plays the steps: each producer has one transaction at a time; those left open at the end are aborted. */
function play(steps: readonly Step[]): History {
  const messages: FetchedMessage[] = [];
  const aborted: AbortedTransaction[] = [];
  const visible: number[] = [];
  const open = new Map<number, number[]>();
  const append = (producer: number, inTransaction: boolean, isControlRecord: boolean, key: Buffer) => {
    const offset = messages.length;
    messages.push({
      offset,
      timestamp: 0,
      key,
      value: null,
      headers: {},
      isControlRecord,
      batchContext: {
        firstOffset: offset,
        lastOffsetDelta: 0,
        producerId: String(producer),
        inTransaction,
        isControlBatch: isControlRecord,
      },
    });
    return offset;
  };
  const end = (producer: number, commit: boolean) => {
    const written = open.get(producer);
    if (written === undefined) return;
    open.delete(producer);
    append(producer, true, true, commit ? COMMIT_KEY : ABORT_KEY);
    if (commit) visible.push(...written);
    else aborted.push({ producerId: String(producer), firstOffset: String(written[0]) });
  };
  for (const { producer, does } of steps) {
    if (does === 'commit' || does === 'abort') end(producer, does === 'commit');
    // A data key that looks like an abort marker is data.
    else if (does === 'plain') visible.push(append(100, false, false, ABORT_KEY));
    else open.set(producer, [...(open.get(producer) ?? []), append(producer, true, false, ABORT_KEY)]);
  }
  for (const producer of [...open.keys()]) end(producer, false);
  return { messages, aborted, visible: visible.sort((one, other) => one - other) };
}

const steps = fc.array(
  fc.record({
    producer: fc.nat(3),
    does: fc.constantFrom<Step['does']>('write', 'write', 'write', 'commit', 'abort', 'plain'),
  }),
  { maxLength: 60 },
);

describe('committed records', () => {
  test('are those of committed transactions, from wherever a fetch begins', () => {
    fc.assert(
      fc.property(steps, fc.nat(60), fc.infiniteStream(fc.nat()), (given, start, randoms) => {
        const { messages, aborted, visible } = play(given);
        const from = Math.min(start, messages.length);
        // The broker lists the aborted transactions that reach into what it returns, in no promised order.
        const listed = aborted
          .filter(({ producerId, firstOffset }) => endOf(messages, producerId, Number(firstOffset)) >= from)
          .map((transaction) => ({ transaction, order: randoms.next().value as number }))
          .sort((one, other) => one.order - other.order)
          .map(({ transaction }) => transaction);
        const { records, nextOffset } = committedRecords('t', from, {
          partition: 0,
          errorCode: 0,
          highWatermark: '0',
          lastStableOffset: '0',
          abortedTransactions: listed,
          messages: messages.slice(from),
        });
        expect(records.map(({ offset }) => offset)).toEqual(visible.filter((offset) => offset >= from));
        expect(nextOffset).toBe(Math.max(from, messages.length === from ? from : messages.length));
      }),
      { numRuns: times(1_000) },
    );
  });

  test('agree with kafkajs where transactions do not overlap and no key looks like a marker', () => {
    const shipped = createRequire(import.meta.url)('kafkajs/src/consumer/filterAbortedMessages') as (input: {
      messages: readonly FetchedMessage[];
      abortedTransactions: readonly AbortedTransaction[];
    }) => FetchedMessage[];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { maxLength: 10 }),
        (transactions) => {
          const sequence = transactions.flatMap(([writes, commit]) => [
            ...Array.from({ length: writes }, (): Step => ({ producer: 1, does: 'write' })),
            { producer: 1, does: commit ? 'commit' : 'abort' } as Step,
          ]);
          const { messages, aborted } = play(sequence);
          const plain = messages.map((message) => (message.isControlRecord ? message : { ...message, key: null }));
          expect(withoutAborted(plain, aborted)).toEqual(shipped({ messages: plain, abortedTransactions: aborted }));
        },
      ),
    );
  });
});

/** Offset of the marker that ends a producer's transaction. */
function endOf(messages: readonly FetchedMessage[], producerId: string, firstOffset: number): number {
  return messages.findIndex(
    ({ offset, isControlRecord, batchContext }) =>
      Number(offset) > firstOffset && isControlRecord && batchContext.producerId === producerId,
  );
}
