// The index of dead letters over the log in memory: real dead letters of a real host, and whatever else may stand there.
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { CodedError } from '../../ports/fault.ts';
import { consumers } from '../../processors/topology.ts';
import { contentOf, type DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import type { WriteCounts } from '../../sinks/idempotent-writes.ts';
import { dispatched, partiesOf } from '../../test/kit/events.ts';
import { append, input } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { CrashedError, type CrashPlan, MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { createSinkHost } from '../hosts/sink-host.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { createDeadLetterIndex } from './dead-letter-index.ts';

const { reads } = consumers['payout-executor'];
const book = corridorBook(CORRIDORS);

function emptyWorld() {
  const clock = new ManualClock();
  return { clock, codec: memoryCodec(), log: new MemoryLog({ clock, manual: true }) };
}
type World = ReturnType<typeof emptyWorld>;

const runtimeOf = ({ clock, codec, log }: World) => ({
  app: 'corridor',
  log,
  codec,
  rings: testRings,
  clock,
  logger: silentLogger,
  metrics: createMetrics(),
  chainPartitions: 4,
  maxBatchRecords: 7,
  lingerMs: 0,
  retry: [0, 0],
});

/** Has the executor put each of these transfers aside. */
async function putAside(world: World, transferIds: readonly string[]): Promise<void> {
  const { log, codec } = world;
  for (const transferId of transferIds) append(log, codec, input('payout.requested', dispatched({ transferId })));
  const sink = {
    name: 'payout-executor',
    reads,
    statusMarkStage: 'PAYOUT_DISPATCH' as const,
    write: async (batch: readonly unknown[]) => ({
      written: 0,
      stale: 0,
      failed: batch.map((_, index) => ({
        index,
        disposition: {
          kind: 'dead-letter' as const,
          cause: { code: 'PAYOUT_FORGED' as const, detail: `payout ${index} of 17 is not ours` },
        },
      })),
    }),
  };
  await run(
    world,
    createSinkHost({
      ...runtimeOf(world),
      sink,
      refusesRepeats: true,
      breaker: { window: 1_000, maxRun: 1_000, maxRatio: 1, maxOutsideRatio: 1 },
    }),
  );
}

async function run({ log, clock }: World, host: { start(): Promise<void>; stop(deadlineMs: number): Promise<void> }) {
  await host.start();
  const consumer = log.consumers.at(-1)!;
  await consumer.untilIdle(clock);
  await host.stop(0);
  return consumer.failure;
}

const noCounts = { touch: async () => undefined, recount: async () => 0 };

/** A store that outlives the index, and fails as often as it is told to. */
function memoryStore(faults: unknown[] = []) {
  const documents = new Map<string, DeadLetterDocument>();
  return {
    documents,
    async insertOnly(batch: readonly DeadLetterDocument[]): Promise<WriteCounts> {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      const conflicting: string[] = [];
      let written = 0;
      for (const document of batch) {
        const known = documents.get(document._id);
        if (!known) written++;
        else if (JSON.stringify(contentOf(known), text) !== JSON.stringify(contentOf(document), text))
          conflicting.push(document._id);
        if (!known) documents.set(document._id, document);
      }
      return { written, stale: batch.length - written - conflicting.length, conflicting };
    },
  };
}
const text = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

async function index(world: World, store = memoryStore(), crash?: CrashPlan) {
  world.log.crash = crash;
  for (let crashes = 0; ; crashes++) {
    const host = createDeadLetterIndex({
      ...runtimeOf(world),
      store,
      counts: noCounts,
      corridorOf: (source, target) => book.between(source, target)?.id,
    });
    const failure = await run(world, host);
    if (!(failure instanceof CrashedError)) return { store, failure, crashes };
  }
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => `transfer-${String(i).padStart(4, '0')}`);

describe('the index of dead letters', () => {
  it('says of each letter why it is there, of which transfer, corridor and instructed amount', async () => {
    const world = emptyWorld();
    await putAside(world, ['transfer-0001']);
    const { store } = await index(world);
    const { instruction } = dispatched({ transferId: 'transfer-0001' });
    const [letter] = [...store.documents.values()];
    expect(letter).toMatchObject({
      proven: true,
      owner: 'payout-executor',
      code: 'PAYOUT_FORGED',
      class: 'refused',
      detail: 'payout 0 of 17 is not ours',
      cause: 'payout # of # is not ours',
      transferId: 'transfer-0001',
      corridor: book.between(instruction.sourceCurrency, instruction.targetCurrency)!.id,
      amountMinor: instruction.instructedAmount.minor,
      currency: instruction.instructedAmount.currency,
      source: { topic: 'payout.requested', partition: letter!.place.partition },
      tries: 1,
      replayCount: 0,
      state: 'PARKED',
    });
    expect(letter!._id).toBe(letter!.letterId);
  });

  it('holds no personal data: neither key, value nor anything decoded but ids and the amount', async () => {
    const world = emptyWorld();
    await putAside(world, ids(1));
    const { store } = await index(world);
    const written = JSON.stringify([...store.documents.values()], text);
    const { debtor } = partiesOf()['corridor.Parties'];
    expect(debtor.name.length).toBeGreaterThan(3);
    expect(written).not.toContain(debtor.name);
  });

  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    'has each letter once, and one group for one cause, though its process dies %s',
    async (where) => {
      const world = emptyWorld();
      await putAside(world, ids(40));
      let left = 5;
      const { store, crashes } = await index(world, memoryStore(), (point) =>
        point === where && left-- > 0 ? 'crash' : undefined,
      );
      expect(crashes).toBe(5);
      expect(store.documents.size).toBe(40);
      expect(new Set([...store.documents.values()].map(({ group }) => group)).size).toBe(1);
    },
  );

  it('does not believe a letter without the seal of its stage, nor let it take the id of a true one', async () => {
    const world = emptyWorld();
    await putAside(world, ids(1));
    const topic = deadLetterTopic('payout-executor');
    const [letter] = world.log.all(topic);
    const copied = Object.fromEntries(Object.entries(letter!.headers).map(([name, value]) => [name, value ?? '']));
    const steering = '\u001b[31mX'.repeat(99);
    world.log.append([
      {
        topic,
        partition: 0,
        key: letter!.key,
        value: letter!.value,
        headers: { ...copied, 'detour-seal': 'k1.forged' },
      },
      { topic, partition: 1, key: null, value: null, headers: {} },
      {
        topic,
        partition: 1,
        key: Buffer.from([0xff]),
        value: Buffer.from('garbage'),
        headers: { 'dlq-error-code': steering, 'first-failed-at': '999999999999999' },
      },
    ]);
    const { store, failure } = await index(world);
    expect(failure).toBeUndefined();
    const all = [...store.documents.values()];
    expect(all.filter(({ proven }) => proven)).toHaveLength(1);
    for (const { _id, transferId, amountMinor, code } of all.filter(({ proven }) => !proven)) {
      expect(_id).toMatch(/:\d+:\d+$/);
      expect({ transferId, amountMinor }).toEqual({ transferId: null, amountMinor: null });
      expect(code.length).toBeLessThanOrEqual(60);
      expect(code).not.toContain('\u001b');
    }
    expect(all).toHaveLength(4);
  });

  it('waits for a database that is away, also by an error that nobody coded, and leaves nothing out', async () => {
    const world = emptyWorld();
    await putAside(world, ids(9));
    const away = new CodedError('MONGO_UNAVAILABLE', 'away', {
      faultClass: 'transient-dependency',
      dependency: 'mongo',
    });
    const { store, failure } = await index(world, memoryStore([away, new TypeError('odd'), away]));
    expect(failure).toBeUndefined();
    expect(store.documents.size).toBe(9);
  });
});
