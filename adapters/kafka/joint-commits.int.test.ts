// Transactions that several partitions share, against a real broker.
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BatchHandler, BatchResult, ConsumerFault, Log, LogCommit, LogConsumer } from '../../ports/log.ts';
import { createLog } from './log.ts';
import { caughtUp, compareCopy } from './testing/copiers.ts';
import { numbered, provision, unique } from './testing/topics.ts';

const brokers = inject('stack').kafkaBrokers;
const APP = 'joint-test';
const PARTITIONS = 4;
let log: Log;
const consumers: LogConsumer[] = [];

beforeAll(() => {
  log = createLog({ brokers, appName: APP, clientId: 'joint-test', sessionTimeoutMs: 3_000 });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(5_000)));
});
afterAll(() => log.close());

/** A copier over topics of its own, with what it told. */
async function copier(handler: (output: string) => BatchHandler) {
  const name = unique('joint');
  const [input, output] = [`${name}.in`, `${name}.out`];
  await provision(log, `${APP}.${name}`, [input], [output], PARTITIONS);
  const commits: LogCommit[] = [];
  const faults: ConsumerFault[] = [];
  const start = async () => {
    const consumer = await log.consume({
      name,
      topics: [input],
      delivery: 'exactly-once',
      maxBatchRecords: 50,
      lingerMs: 5,
      handler: handler(output),
      onFault: (fault) => faults.push(fault),
      onCommit: (commit) => commits.push(commit),
    });
    consumers.push(consumer);
  };
  const write = async (count: number) => {
    const writer = await log.writer('test');
    await writer.send(numbered(input, count, { partitions: PARTITIONS }));
    await writer.close();
  };
  const compared = async () => {
    await caughtUp(log, `${APP}.${name}`, [input]);
    return compareCopy(log, [input], output);
  };
  return { start, write, compared, commits, faults };
}

const copy =
  (output: string, bytes?: (key: string, failed: string | undefined) => number | undefined): BatchHandler =>
  async ({ topic, records, failed }): Promise<BatchResult> => ({
    doneThrough: records.at(-1)!.offset,
    outputs: records.map(({ partition, key, value }) => {
      const size = bytes?.(String(key), failed?.code);
      return {
        topic: output,
        partition,
        key,
        value: size === undefined ? value : Buffer.alloc(size),
        headers: { from: topic },
      };
    }),
    // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
    then: { do: 'continue' },
  });

describe('partitions of one member', () => {
  test('share transactions, and each record is copied once, in order', async () => {
    const { start, write, compared, commits, faults } = await copier((output) => copy(output));
    await write(4_000);
    await start();
    expect(await compared()).toEqual({ records: 4_000, lost: 0, doubled: 0, disordered: 0 });
    expect(Math.max(...commits.map(({ joined }) => joined))).toBeGreaterThan(1);
    const transactions = commits.reduce((sum, { joined }) => sum + 1 / joined, 0);
    expect(transactions).toBeLessThan(commits.length);
    expect(faults).toEqual([]);
  });

  test('do not pay for a record of one of them that the broker refuses', async () => {
    const guilty = 'k801';
    const refusedWith: string[] = [];
    const handler = (output: string) =>
      copy(output, (key, failed) => {
        if (key !== guilty) {
          if (failed === 'RECORD_TOO_LARGE') refusedWith.push(key);
          return undefined;
        }
        return failed === 'RECORD_TOO_LARGE' ? 10 : 3_000_000;
      });
    const { start, write, compared, faults } = await copier(handler);
    await write(2_000);
    await start();
    expect(await compared()).toEqual({ records: 2_000, lost: 0, doubled: 0, disordered: 0 });
    expect(faults.map(({ code }) => code)).toContain('RECORD_TOO_LARGE');
    const codes = new Set(faults.map(({ code }) => code));
    codes.delete('JOINT_COMMIT_REFUSED'); // told when the record met others, which is a matter of moments
    expect([...codes]).toEqual(['RECORD_TOO_LARGE']);
    // Only the partition of the record was told that its records may be at fault.
    expect(new Set(refusedWith.map((key) => Number(key.slice(1)) % PARTITIONS))).toEqual(new Set([1]));
  });
});
