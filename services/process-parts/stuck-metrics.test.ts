// Money and age as metrics: what a board says, with labels that are bounded; and how long transfers take.
import { describe, expect, it } from 'vitest';
import type { StuckBoard, StuckLine } from '../../operations/stuck/board.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { transferViewSink } from '../../sinks/transfer-view/sink.ts';
import { report } from './stuck-metrics.ts';
import { timed } from './transfer-times.ts';

const NOW = 1_000_000;
const line = (over: Partial<StuckLine>): StuckLine => ({
  ...{ kind: 'HOLD', owner: 'screening', code: 'MATCH', since: NOW - 60_000, next: '' },
  ...{ count: 2, money: [{ minor: 500n, currency: 'GBP' }], withoutAmount: 0 },
  ...over,
});
const board = (lines: readonly StuckLine[], over: Partial<StuckBoard> = {}): StuckBoard => ({
  ...{ lines, total: { count: 0, money: [], withoutAmount: 0 }, unknownWithoutCase: 0, complete: true, missing: [] },
  isProven: true,
  ...over,
});
const valuesOf = async (gauge: { get(): Promise<{ values: { labels: object; value: number }[] }> }) =>
  (await gauge.get()).values.map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`.trim());

describe('metrics of what is stuck', () => {
  it('have count, value by currency and the longest, of one place however many reasons it has', async () => {
    const metrics = createMetrics();
    report(
      board([
        line({}),
        line({ code: 'OTHER', since: NOW - 90_000, money: [{ minor: 7n, currency: 'GBP' }] }),
        line({ kind: 'PAYOUT_UNKNOWN', owner: 'payout-executor', since: null, count: 1, money: [] }),
      ]),
      NOW,
      metrics,
    );
    expect(await valuesOf(metrics.stuckTransfers)).toEqual(['HOLD screening 4', 'PAYOUT_UNKNOWN payout-executor 1']);
    expect(await valuesOf(metrics.stuckValue)).toEqual(['HOLD screening GBP 507']);
    expect(await valuesOf(metrics.stuckOldest)).toEqual(['HOLD screening 90']);
    expect(await valuesOf(metrics.stuckIncomplete)).toEqual(['0']);
  });

  it('forget what is stuck no more, and have no labels that others could make up', async () => {
    const metrics = createMetrics();
    report(board([line({})]), NOW, metrics);
    const made = line({ owner: 'x'.repeat(9_000), money: [{ minor: 1n, currency: 'ZZZ' }] });
    report(board([made], { complete: false, unknownWithoutCase: 5 }), NOW, metrics);
    expect(await valuesOf(metrics.stuckTransfers)).toEqual(['HOLD other 2']);
    expect(await valuesOf(metrics.stuckValue)).toEqual(['HOLD other other 1']);
    expect(await valuesOf(metrics.stuckIncomplete)).toEqual(['1']);
    expect(await valuesOf(metrics.unknownPayoutsWithoutCase)).toEqual(['5']);
  });
});

describe('the time that transfers take', () => {
  it('is counted once they end, and is never below zero', async () => {
    const metrics = createMetrics();
    const store = { replaceGuarded: async () => ({ written: 3, stale: 0, conflicting: [] }) };
    const sink = timed(transferViewSink(store as never), metrics);
    const of = (state: string, requestedAt: number) => ({
      value: { transferId: state, sequence: 1, state, occurredAt: 9_000, requestedAt } as unknown as TransferLifecycle,
    });
    await sink.write([of('COMPLETED', 2_000), of('HELD', 2_000), of('REJECTED', 99_000)] as never);
    const { values } = await metrics.transferSeconds.get();
    const sums = values.filter(({ metricName }) => metricName === 'corridor_transfer_seconds_sum');
    expect(sums.map(({ labels, value }) => [labels.end, value])).toEqual([
      ['completed', 7],
      ['rejected', 0],
    ]);
  });
});
