// A host that is stopped before it has started leaves nothing behind, and waits for nothing that cannot come any more.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BatchResult } from '../../ports/log.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { type ConsumerHostOptions, createConsumerHost } from './consumer-host.ts';
import { createObserver } from './observer.ts';
import type { Table } from './table.ts';

function setUp(over: Partial<ConsumerHostOptions> = {}) {
  const clock = new ManualClock();
  const log = new MemoryLog({ partitions: 1, clock });
  const metrics = createMetrics();
  const host = createConsumerHost({
    name: 'limits',
    log,
    codec: memoryCodec(),
    clock,
    logger: silentLogger,
    metrics,
    observer: createObserver({ name: 'limits', logger: silentLogger, metrics, clock }),
    schemas: [],
    inputs: ['transfer.priced'],
    delivery: 'exactly-once',
    maxBatchRecords: 10,
    lingerMs: 0,
    handler: async (): Promise<BatchResult> => {
      throw new Error('nothing is to be handled');
    },
    ...over,
  });
  return { clock, log, host };
}

/** Resources that open when a test lets them. */
function slowResources() {
  const opened = Promise.withResolvers<void>();
  const calls: string[] = [];
  const resources = {
    async open() {
      calls.push('open');
      await opened.promise;
      calls.push('opened');
    },
    async close(deadlineMs: number) {
      calls.push(`close ${deadlineMs}`);
    },
  };
  return { resources, calls, open: () => opened.resolve() };
}

describe('a host that is stopped while it starts', () => {
  it('ends what its start makes after there was no more time to wait for it', async () => {
    const { resources, calls, open } = slowResources();
    const { clock, log, host } = setUp({ resources });
    const starting = host.start();
    await turn();
    const stopping = host.stop(5_000);
    await turn();
    clock.advance(5_000);
    await stopping;
    expect(calls).toEqual(['open', 'close 5000']);
    open();
    await starting;
    expect(calls).toEqual(['open', 'close 5000', 'opened', 'close 0']);
    expect(log.consumers).toEqual([]);
  });

  it('is given back once when its start ends in time', async () => {
    const { resources, calls, open } = slowResources();
    const { log, host } = setUp({ resources });
    const starting = host.start();
    await turn();
    const stopping = host.stop(5_000);
    open();
    await Promise.all([starting, stopping]);
    expect(calls).toEqual(['open', 'opened', 'close 5000']);
    expect(log.consumers).toEqual([]);
  });

  it('does not wait for a table that can never be full', async () => {
    const never = Promise.withResolvers<void>();
    let stops = 0;
    const table = {
      failed: new Promise<never>(() => undefined),
      start: () => never.promise,
      async stop() {
        stops++;
        never.reject(new Error('no longer followed'));
      },
    } as unknown as Table<unknown>;
    const { host, log } = setUp({ tables: [table] });
    const starting = host.start();
    await turn();
    // Without a clock that goes on: no deadline is waited for.
    await Promise.all([host.stop(60_000), starting]);
    expect(stops).toBeGreaterThan(0);
    expect(log.consumers).toEqual([]);
  });
});
