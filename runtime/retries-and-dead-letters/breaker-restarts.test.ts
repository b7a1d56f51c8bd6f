// A breaker outlives the restarts of its processor: restarts by themselves move next to nothing aside.
import { describe, expect, it } from 'vitest';
import type { Processor } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { DEFAULT_BREAKER, keptBreakers } from './breaker.ts';

/** Clears everybody, but breaks on those that it is told to. */
function rejecting(breaksOn: (transferId: string) => boolean): Processor<Topology['screening'], undefined> {
  return {
    name: 'screening',
    edges: topology.screening,
    prepare: async (batch) => batch.map(() => undefined),
    decide(received) {
      const before = received.topic === 'transfer.accepted' ? received.value : received.value.held;
      if (breaksOn(before.envelope.transferId)) throw new Error('a bug in the last release');
      const { instruction, parties } = before;
      const envelope = { ...following(before.envelope, 'transfer.screened'), causationId: received.causationId };
      return [{ to: 'transfer.screened', value: { instruction, parties, envelope, screening: evidence() } }];
    },
  };
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => `transfer-${String(i).padStart(4, '0')}`);
const inOne = (transferIds: readonly string[]) => ({
  inputs: transferIds.map((transferId) => input('transfer.accepted', accepted({ transferId, partitions: 1 }))),
  partitions: 1,
});

describe('restarts of a processor that its breaker stopped', () => {
  const broken = (when: (id: string) => boolean) => rejecting(when);
  const start = (inputs: Parameters<typeof runProcessor>[1]) => ({
    ...inputs,
    breakerOf: keptBreakers(DEFAULT_BREAKER),
  });

  it.each([1, 26, 500])('move nothing aside while all is broken, in batches of %i', async (maxBatchRecords) => {
    const options = { ...start(inOne(ids(100))), maxBatchRecords };
    const first = await runProcessor(
      broken(() => true),
      options,
    );
    expect(first.stopped?.code).toBe('DLQ_BREAKER_OPEN');
    const again = { ...options, inputs: [], log: first.log, codec: first.codec, clock: first.clock };
    for (let restart = 0; restart < 6; restart++) {
      const run = await runProcessor(
        broken(() => true),
        again,
      );
      expect(run.stopped?.code).toBe('DLQ_BREAKER_OPEN');
      expect(run.deadLetters).toHaveLength(first.deadLetters.length);
    }
    const mended = await runProcessor(
      broken(() => false),
      again,
    );
    expect(mended.stopped).toBeUndefined();
    expect(mended.outputs('transfer.screened')).toHaveLength(100 - first.deadLetters.length);
  });

  it('move few aside while every second record is broken, and go on by themselves when that is over', async () => {
    const even = (id: string) => Number(id.slice(-1)) % 2 === 0;
    const storm = (id: string) => even(id) && id < 'transfer-0400';
    const options = { ...start(inOne(ids(600))), maxBatchRecords: 50 };
    let run = await runProcessor(broken(storm), options);
    const before = run.deadLetters.length;
    const again = { ...options, inputs: [], log: run.log, codec: run.codec, clock: run.clock };
    for (let restart = 1; run.stopped; restart++) {
      run = await runProcessor(broken(storm), again);
      expect(run.deadLetters.length - before).toBeLessThanOrEqual(10 * restart);
      expect(restart).toBeLessThan(1_000);
    }
    expect(run.outputs('transfer.screened').length + run.deadLetters.length).toBe(600);
  });

  it('let a record that alone is broken go aside once its neighbours go through', async () => {
    const options = start(inOne(ids(300)));
    const first = await runProcessor(
      broken((id) => id < 'transfer-0100'),
      options,
    );
    expect(first.stopped?.code).toBe('DLQ_BREAKER_OPEN');
    const again = { ...options, inputs: [], log: first.log, codec: first.codec, clock: first.clock };
    const run = await runProcessor(
      broken((id) => id === 'transfer-0000'),
      again,
    );
    expect(run.stopped).toBeUndefined();
    expect(run.deadLetters).toHaveLength(1);
    expect(run.outputs('transfer.screened')).toHaveLength(299);
  });
});
