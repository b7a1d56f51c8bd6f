// What the host makes of a batch that nobody can read: one dead letter with its range, and an alarm where no producer can
// have done it.
import { describe, expect, it } from 'vitest';
import type { LogRecord, UnreadableBatch } from '../../ports/log.ts';
import type { Processor } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { transferRequested } from '../../test/kit/builders.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { append, input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { healthOf } from '../health/health.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';

const intake: Processor<Topology['intake'], undefined> = {
  name: 'intake',
  edges: topology.intake,
  prepare: async (batch) => batch.map(() => undefined),
  decide: ({ value }) => [
    { to: 'transfer.accepted', value: accepted({ transferId: value.transferId, partitions: 1 }) },
  ],
};
const screening: Processor<Topology['screening'], undefined> = {
  name: 'screening',
  edges: topology.screening,
  prepare: async (batch) => batch.map(() => undefined),
  decide: ({ topic, value }) => {
    if (topic !== 'transfer.accepted') throw new Error('not in this test');
    const { instruction, parties, envelope } = value;
    return [
      {
        to: 'transfer.screened',
        value: { instruction, parties, envelope: following(envelope, 'transfer.screened'), screening: evidence() },
      },
    ];
  },
};

const bytes = Buffer.from('as the broker gave it');
const codec = memoryCodec();

/** A log of four records on one partition, of which the second stands for a batch that cannot be read. */
function logWith(topic: 'transfer.requested' | 'transfer.accepted') {
  const log = new MemoryLog({ partitions: 1, clock: new ManualClock(), manual: true });
  const ids = ['before', 'unreadable', 'after', 'last'].map((name) => `transfer-${name}`);
  for (const transferId of ids) {
    const each =
      topic === 'transfer.requested'
        ? input(topic, transferRequested({ transferId }))
        : input(topic, accepted({ transferId, partitions: 1 }));
    append(log, codec, each);
  }
  const unreadable: UnreadableBatch = {
    code: 'BATCH_CORRUPT',
    detail: 'the record batch fails its checksum',
    firstOffset: 1,
    lastOffset: 1,
    bytes,
  };
  const gone: Partial<LogRecord> = { unreadable, key: null, value: null, headers: {} };
  Object.assign(log.records(topic, 0)[1]!, gone);
  return log;
}

const run = (topic: 'transfer.requested' | 'transfer.accepted') =>
  runProcessor(topic === 'transfer.requested' ? intake : screening, { log: logWith(topic), inputs: [], codec });

describe.each([
  ['transfer.requested', 'transfer.accepted', false],
  ['transfer.accepted', 'transfer.screened', true],
] as const)('on %s', (topic, output, isAlarm) => {
  it('is one dead letter with its bytes, its neighbours go through', async () => {
    const { deadLetters, outputs } = await run(topic);
    expect(outputs(output)).toHaveLength(3);
    expect(deadLetters).toMatchObject([
      {
        code: 'BATCH_CORRUPT',
        class: 'undecodable',
        headers: { 'source-topic': topic, 'source-offset': '1', 'source-last-offset': '1' },
        record: { value: bytes, key: null },
      },
    ]);
  });

  it(`is ${isAlarm ? 'an alarm' : 'none'} in health`, async () => {
    const { health } = await run(topic);
    const host = { name: health.name, health: () => health } as never;
    const options = { hosts: [host], liveness: { stallAfterMs: 1, exitAfterMs: 2 }, metrics: createMetrics() };
    const { body } = healthOf({ options, supervisors: [], areMade: true }).all();
    expect(body).toMatchObject({ degraded: isAlarm });
    const place = { topic, partition: 0, firstOffset: 1, lastOffset: 1, count: 1 };
    const alarm = {
      ...place,
      code: 'INNER_BATCH_UNREADABLE',
      detail: expect.stringContaining(`offsets 1 to 1 of ${topic}/0 went to ${health.name}.dlq`),
      toDo: expect.stringContaining('compare the replicas'),
    };
    expect((body as { alarms: unknown }).alarms).toMatchObject(isAlarm ? [alarm] : []);
  });
});
