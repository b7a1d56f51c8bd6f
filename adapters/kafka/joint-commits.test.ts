// Which batches share a transaction, and what each partition is told of one that failed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { type Batch, type Carrier, JointCommits } from './joint-commits.ts';

const outputOf = (bytes: number): OutputRecord => ({
  topic: 'out',
  partition: 0,
  key: null,
  value: Buffer.alloc(bytes),
  headers: {},
});

function batchOf(partition: number, offset = 1, bytes = 10): Batch {
  return { outputs: [outputOf(bytes)], position: { topic: 'in', partition, offset } };
}

interface Transaction {
  readonly carrier: number;
  readonly partitions: readonly number[];
  end(error?: unknown): void;
}

/** Carriers by number whose transactions end when the test says so. */
function carriers(count: number) {
  const transactions: Transaction[] = [];
  const all = Array.from(
    { length: count },
    (_, carrier): Carrier => ({
      commit: (batches) =>
        new Promise((resolve, reject) => {
          const partitions = batches.map(({ position }) => position.partition);
          const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
          transactions.push({ carrier, partitions, end });
        }),
    }),
  );
  return { all, transactions };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const refused = new CodedError('RECORD_TOO_LARGE', 'too large', { faultClass: 'poison' });
const away = new CodedError('KAFKA_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });
const codeOf = (error: unknown) => (error as CodedError).code;

describe('joint commits', () => {
  test('what is ready at once goes together; what comes while two are under way waits and goes together', async () => {
    const { all, transactions } = carriers(5);
    const joint = new JointCommits(true);
    const commits = [0, 1].map((n) => joint.commit(all[n]!, batchOf(n)));
    await settle();
    commits.push(joint.commit(all[2]!, batchOf(2)));
    await settle();
    commits.push(joint.commit(all[3]!, batchOf(3)), joint.commit(all[4]!, batchOf(4)));
    await settle();
    expect(transactions.map(({ partitions }) => partitions)).toEqual([[0, 1], [2]]);
    transactions[1]!.end();
    await settle();
    expect(transactions[2]).toMatchObject({ carrier: 3, partitions: [3, 4] });
    for (const { end } of transactions) end();
    expect(await Promise.all(commits)).toEqual([2, 2, 1, 2, 2]);
  });

  test('an id rests for as long as others can carry', async () => {
    const { all, transactions } = carriers(3);
    const joint = new JointCommits(true);
    for (let round = 0; round < 6; round++) {
      const commits = [0, 1, 2].map((n) => joint.commit(all[n]!, batchOf(n)));
      await settle();
      transactions.at(-1)!.end();
      await Promise.all(commits);
    }
    expect(transactions.map(({ carrier }) => carrier)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('what would make a request too large goes into the next transaction, and one batch always goes', async () => {
    const { all, transactions } = carriers(4);
    const joint = new JointCommits(true);
    const large = 9 * 1_048_576;
    const commits = [0, 1, 2, 3].map((n) => joint.commit(all[n]!, batchOf(n, 1, n === 3 ? 3 * large : large)));
    for (let n = 0; n < 4; n++) {
      await settle();
      transactions[n]!.end();
    }
    await Promise.all(commits);
    expect(transactions.map(({ partitions }) => partitions)).toEqual([[0], [1], [2], [3]]);
  });

  test('a refusal is blamed on nobody: each is tried alone, side by side, and is told its own', async () => {
    const { all, transactions } = carriers(2);
    const joint = new JointCommits(true);
    const commits = [0, 1].map((n) => joint.commit(all[n]!, batchOf(n)).catch(codeOf));
    await settle();
    transactions[0]!.end(refused);
    expect(await Promise.all(commits)).toEqual(['JOINT_COMMIT_REFUSED', 'JOINT_COMMIT_REFUSED']);
    const alone = [0, 1].map((n) => joint.commit(all[n]!, batchOf(n)).catch(codeOf));
    await settle();
    expect(transactions.slice(1)).toMatchObject([
      { carrier: 0, partitions: [0] },
      { carrier: 1, partitions: [1] },
    ]);
    transactions[1]!.end(refused);
    transactions[2]!.end();
    expect(await Promise.all(alone)).toEqual(['RECORD_TOO_LARGE', 1]);
  });

  test('a partition that failed holds nobody up: it goes alone for a while, and then with the others again', async () => {
    const { all, transactions } = carriers(2);
    const joint = new JointCommits(true);
    const failing = joint.commit(all[0]!, batchOf(0)).catch(codeOf);
    await settle();
    transactions[0]!.end(away);
    expect(await failing).toBe('KAFKA_UNAVAILABLE');
    const both = () => [0, 1].map((n) => joint.commit(all[n]!, batchOf(n)));
    for (let round = 0; round < 20; round++) {
      const commits = both();
      await settle();
      expect(transactions.slice(-2).map(({ partitions }) => partitions)).toEqual([[0], [1]]);
      for (const { end } of transactions) end();
      expect(await Promise.all(commits)).toEqual([1, 1]);
    }
    const commits = both();
    await settle();
    transactions.at(-1)!.end();
    expect(await Promise.all(commits)).toEqual([2, 2]);
  });

  test('switched off, every partition commits by itself', async () => {
    const { all, transactions } = carriers(2);
    const joint = new JointCommits(false);
    const commits = [0, 1].map((n) => joint.commit(all[n]!, batchOf(n)));
    await settle();
    expect(transactions.map(({ partitions }) => partitions)).toEqual([[0], [1]]);
    for (const { end } of transactions) end();
    expect(await Promise.all(commits)).toEqual([1, 1]);
  });

  test('property: each batch is in one transaction that ended as it was told, and partitions keep their order', async () => {
    const outcomes = fc.array(fc.constantFrom(undefined, undefined, undefined, away, refused), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        outcomes,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 8 }),
        async (ends, count, batches) => {
          const committed: Batch[] = [];
          let at = 0;
          const commit: Carrier['commit'] = async (joined) => {
            await settle();
            const error = ends[at++];
            if (error !== undefined) throw error;
            committed.push(...joined);
          };
          const joint = new JointCommits(true);
          const run = async (partition: number) => {
            const carrier: Carrier = { commit };
            for (let offset = 1; offset <= batches; ) {
              const batch = batchOf(partition, offset);
              const done = await joint.commit(carrier, batch).then(
                () => true,
                () => false,
              );
              expect(committed.includes(batch)).toBe(done);
              if (done) offset++;
            }
          };
          await Promise.all(Array.from({ length: count }, (_, partition) => run(partition)));
          for (let partition = 0; partition < count; partition++) {
            const own = committed.filter(({ position }) => position.partition === partition);
            expect(own.map(({ position }) => position.offset)).toEqual(
              Array.from({ length: batches }, (_, n) => n + 1),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
