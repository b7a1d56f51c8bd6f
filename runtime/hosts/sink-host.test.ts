import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { sealed } from '../../ports/seals.ts';
import type { ReceivedFrom } from '../../processors/contract.ts';
import { consumers } from '../../processors/topology.ts';
import type { Sink, WriteReport } from '../../sinks/contract.ts';
import { dispatched, heldAtScreening } from '../../test/kit/events.ts';
import { append, input } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { CrashedError, type CrashPlan, MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';
import { testRings } from '../../test/kit/rings.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { HEADER } from '../../topics/headers.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { supervise } from '../process/supervisor.ts';
import { type AnySink, createSinkHost, type SinkHostOptions } from './sink-host.ts';

const cases = consumers['sink-cases'];
type Held = ReceivedFrom<typeof cases.reads>;
const ids = (count: number) => Array.from({ length: count }, (_, i) => `transfer-${String(i).padStart(4, '0')}`);
const idOf = ({ value }: Held) => value.envelope.transferId;

/** A store that survives its sink: how often each id was written. */
function storing(write?: (batch: readonly Held[]) => Partial<WriteReport> | undefined) {
  const stored = new Map<string, number>();
  const calls: number[] = [];
  const sink: Sink<typeof cases.reads> = {
    name: 'sink-cases',
    reads: cases.reads,
    async write(batch) {
      calls.push(batch.length);
      const report = write?.(batch);
      const failed = new Set(report?.failed?.map(({ index }) => index));
      batch.forEach((received, i) => {
        if (!failed.has(i)) stored.set(idOf(received), (stored.get(idOf(received)) ?? 0) + 1);
      });
      return { written: batch.length - failed.size, stale: 0, failed: [], ...report };
    },
  };
  return { sink, stored, calls };
}

interface Options {
  readonly count?: number;
  readonly crash?: CrashPlan;
  readonly maxBatchRecords?: number;
  readonly retry?: readonly number[];
  /** Instead of a new one. */
  readonly world?: ReturnType<typeof emptyWorld>;
  readonly host?: Partial<SinkHostOptions>;
}

function emptyWorld() {
  const clock = new ManualClock();
  const codec = memoryCodec();
  return { clock, codec, log: new MemoryLog({ clock, manual: true }) };
}

async function run(sink: AnySink, options: Options = {}) {
  const { count = 20, crash, maxBatchRecords = 6, retry = [2, 0], world = emptyWorld(), host: more } = options;
  const { clock, codec, log } = world;
  log.crash = crash;
  for (const transferId of ids(count)) {
    append(log, codec, input('transfer.held', heldAtScreening({ transferId })));
    append(log, codec, input('payout.requested', dispatched({ transferId })));
  }
  for (let crashes = 0; ; crashes++) {
    const host = createSinkHost({
      sink,
      app: 'corridor',
      log,
      codec,
      rings: testRings,
      clock,
      logger: silentLogger,
      metrics: createMetrics(),
      chainPartitions: 4,
      maxBatchRecords,
      lingerMs: 0,
      retry,
      ...more,
    });
    await host.start();
    const consumer = log.consumers.at(-1)!;
    await consumer.untilIdle(clock, clock.now() + 600_000);
    await host.stop(0);
    if (!(consumer.failure instanceof CrashedError)) return { log, codec, crashes, failure: consumer.failure };
  }
}

const lettersOf = (log: MemoryLog, name = 'sink-cases') => log.all(`${name}.dlq`);

describe('a hosted sink', () => {
  it('gets every record, and commits offsets', async () => {
    const { sink, stored } = storing();
    const { log } = await run(sink);
    expect([...stored.keys()].sort()).toEqual(ids(20));
    expect([...stored.values()].every((times) => times === 1)).toBe(true);
    const ends = [0, 1, 2, 3].map((partition) => log.records('transfer.held', partition).length);
    const committed = [0, 1, 2, 3].map((p) => log.committed('corridor.sink-cases', 'transfer.held', p) ?? 0);
    expect(committed).toEqual(ends);
  });

  it('is handed records again after a crash before the commit: at least once', async () => {
    const { sink, stored } = storing();
    let crashes = 3;
    const ran = await run(sink, {
      crash: (point) => (point === 'before-commit' && crashes-- > 0 ? 'crash' : undefined),
    });
    expect(ran.crashes).toBe(3);
    expect([...stored.keys()].sort()).toEqual(ids(20));
    expect([...stored.values()].some((times) => times > 1)).toBe(true);
  });

  it('puts aside what it reports as failed, and only that', async () => {
    const { sink, stored } = storing((batch) => ({
      failed: batch.flatMap((received, index) =>
        idOf(received) === 'transfer-0007'
          ? [
              {
                index,
                disposition: { kind: 'dead-letter' as const, cause: { code: 'ID_CONFLICT' as const, detail: 'taken' } },
              },
            ]
          : [],
      ),
    }));
    const { log } = await run(sink);
    expect([...stored.keys()].sort()).toEqual(ids(20).filter((id) => id !== 'transfer-0007'));
    expect(lettersOf(log).map(({ headers }) => String(headers['dlq-error-code']))).toEqual(['ID_CONFLICT']);
    expect(log.all('transfer.lifecycle')).toEqual([]);
  });

  it('retries through its own tier', async () => {
    let failures = 2;
    const { sink, stored } = storing((batch) => {
      const index = batch.findIndex((received) => idOf(received) === 'transfer-0003');
      if (index === -1 || failures-- <= 0) return undefined;
      return { failed: [{ index, disposition: { kind: 'retry', cause: { code: 'RATE_STALE', detail: 'busy' } } }] };
    });
    const { log } = await run(sink);
    expect(stored.get('transfer-0003')).toBe(1);
    expect(log.all('sink-cases.retry.5s')).toHaveLength(2);
    expect(lettersOf(log)).toEqual([]);
  });

  it('isolates the record that breaks a write', async () => {
    const { sink, stored } = storing((batch) => {
      if (batch.some((received) => idOf(received) === 'transfer-0011')) throw new TypeError('breaks');
      return undefined;
    });
    const { log } = await run(sink);
    expect([...stored.keys()].sort()).toEqual(ids(20).filter((id) => id !== 'transfer-0011'));
    expect(lettersOf(log).map(({ headers }) => String(headers['dlq-class']))).toEqual(['poison']);
  });

  it('writes a dead letter once, however often it crashes before the commit', async () => {
    const { sink } = storing((batch) => {
      if (batch.some((received) => idOf(received) === 'transfer-0002')) throw new TypeError('breaks');
      return undefined;
    });
    let crashes = 2;
    const { log } = await run(sink, {
      crash: (point, { records }) =>
        point === 'before-commit' && records.some(({ key }) => String(key) === 'transfer-0002') && crashes-- > 0
          ? 'crash'
          : undefined,
    });
    expect(crashes).toBeLessThan(0);
    expect(lettersOf(log)).toHaveLength(1);
  });

  it('waits for a store that is away', async () => {
    let away = 5;
    const { sink, stored } = storing(() => {
      if (away-- > 0) {
        throw new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency', dependency: 'mongo' });
      }
      return undefined;
    });
    const { log } = await run(sink);
    expect(stored.size).toBe(20);
    expect(lettersOf(log)).toEqual([]);
  });

  it('marks the transfer when its dead letters stop transfers', async () => {
    const { reads } = consumers['payout-executor'];
    const executor: Sink<typeof reads> = {
      name: 'payout-executor',
      reads,
      statusMarkStage: 'PAYOUT_DISPATCH',
      write: async (batch) => {
        if (batch.some(({ value }) => value.envelope.transferId === 'transfer-0001')) throw new TypeError('breaks');
        return { written: batch.length, stale: 0, failed: [] };
      },
    };
    const { log, codec } = await run(executor, { count: 3 });
    const [mark, ...others] = await codec.decode(
      'transfer.lifecycle',
      log.all('transfer.lifecycle').map(({ value }) => value),
    );
    expect(others).toEqual([]);
    expect(mark).toMatchObject({
      ok: true,
      value: { transferId: 'transfer-0001', state: 'DEAD_LETTERED', stage: 'PAYOUT_DISPATCH', sequence: 5 },
    });
  });

  it('stops when it reports nonsense', async () => {
    const { sink } = storing(() => ({
      failed: [{ index: 99, disposition: { kind: 'stop', cause: { code: 'STATUS_UNKNOWN', detail: '' } } }],
    }));
    const { failure } = await run(sink);
    expect(failure).toMatchObject({ code: 'REPORT_OUT_OF_RANGE' });
  });

  it.each(['while it starts', 'while it runs'])('stands when what it needs beside its log fails %s', async (when) => {
    const { sink } = storing();
    const { log, codec, clock } = emptyWorld();
    const opened = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<never>();
    const open = () => (when === 'while it starts' ? opened.promise : Promise.resolve());
    let closed = 0;
    const resources = { open, failed: failed.promise, close: async () => void closed++ };
    const common = { app: 'corridor', log, codec, rings: testRings, logger: silentLogger, metrics: createMetrics() };
    const sizes = { chainPartitions: 4, maxBatchRecords: 6, lingerMs: 0, retry: [2, 0] };
    const make = async () => ({
      hosts: [createSinkHost({ ...common, ...sizes, clock, sink, resources })],
      resources: [],
    });
    const part = { name: sink.name, consumes: true, make };
    const supervisor = supervise({ part, logger: silentLogger, metrics: common.metrics, clock, onStopped: () => {} });
    const started = supervisor.start();
    if (when === 'while it runs') await started;
    failed.reject(new CodedError('ATTEMPT_CLAIMS_UNREADABLE', 'a hole', { faultClass: 'fatal' }));
    await Promise.resolve().then(opened.resolve);
    await expect.poll(() => supervisor.standing()?.code).toBe('ATTEMPT_CLAIMS_UNREADABLE');
    expect(supervisor.standing()).toMatchObject({ toDo: expect.stringContaining('payout.attempts'), restarts: 0 });
    expect(supervisor.healths()).toMatchObject([{ name: sink.name, state: 'failed' }]);
    await expect.poll(() => closed).toBe(1);
    const text = await common.metrics.registry.metrics();
    expect(text).toContain('corridor_host_stops_total{consumer="sink-cases",code="ATTEMPT_CLAIMS_UNREADABLE"} 1');
    await supervisor.stop(0);
  });
});

/** A sink like the payout executor, over a log with these requests, each made from another record. */
function executing(count: number) {
  const { reads } = consumers['payout-executor'];
  const world = emptyWorld();
  const { log, codec } = world;
  const handed: string[] = [];
  const refused = new Set<string>();
  const sink: Sink<typeof reads> = {
    name: 'payout-executor',
    reads,
    statusMarkStage: 'PAYOUT_DISPATCH',
    write: async (batch) => {
      const ids = batch.map(({ value }) => value.envelope.transferId);
      const failed = ids.flatMap((id, index) =>
        refused.has(id)
          ? [
              {
                index,
                disposition: {
                  kind: 'dead-letter' as const,
                  cause: { code: 'ID_CONFLICT' as const, detail: 'for a test' },
                },
              },
            ]
          : [],
      );
      handed.push(...ids.filter((id) => !refused.has(id)));
      return { written: ids.length - failed.length, stale: 0, failed };
    },
  };
  const request = (transferId: string, offset: number) => {
    const value = dispatched({ transferId });
    const { eventId, homePartition } = value.envelope;
    const cause = { source: sourceOf('payout-dispatch', 'T'), partition: homePartition, offset, nth: 0 };
    const record = {
      topic: 'payout.requested',
      partition: homePartition,
      key: transferId,
      value: codec.encode('payout.requested', value),
      headers: { [HEADER.eventId]: eventId },
    };
    return sealed(testRings, record, formatCause(cause));
  };
  log.append(ids(count).map(request));
  const replayClaims = memoryReplayClaims();
  const go = (more: Options = {}) =>
    run(sink, { count: 0, world, host: { refusesRepeats: true, replayClaims }, ...more });
  const letters = () => lettersOf(log, 'payout-executor');
  const codes = () => letters().map(({ headers }) => String(headers['dlq-error-code']));
  return { log, handed, refused, go, letters, codes, request };
}

describe('a sink that refuses repeats', () => {
  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    'is handed again what met a crash %s, and nothing of it is a dead letter',
    async (point) => {
      const { handed, go, codes, log } = executing(20);
      let crashes = 3;
      const ran = await go({ crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined) });
      expect(ran.crashes).toBe(3);
      expect([...new Set(handed)].sort()).toEqual(ids(20));
      expect(codes()).toEqual([]);
      expect(log.all('transfer.lifecycle')).toEqual([]);
    },
  );

  it('puts copies aside after a restart, and goes on with what is new', async () => {
    const { log, handed, go, codes, request } = executing(8);
    await go();
    log.append(log.all('payout.requested').map(copyOf));
    log.append([request('transfer-new', 100)]);
    await go();
    expect(handed.toSorted()).toEqual([...ids(8), 'transfer-new']);
    expect(codes()).toEqual(Array(8).fill('EVENT_REPEATED'));
    expect(log.all('transfer.lifecycle')).toEqual([]);
  });

  it('decides a dead letter that is replayed twice, or copied, once', async () => {
    const { log, handed, refused, go, letters } = executing(3);
    refused.add('transfer-0001');
    await go();
    const [letter, ...others] = letters();
    expect(others).toEqual([]);
    refused.clear();
    const replay = (replayId: string) => replayOf(letter!, { owner: 'payout-executor', replayId });
    log.append([replay('r-1')]);
    await go();
    log.append([replay('r-1'), replay('r-2')]);
    await go();
    expect(handed.filter((id) => id === 'transfer-0001')).toHaveLength(1);
    expect(letters()).toHaveLength(1);
  });
});
