// The status of an installation: what does not answer is a line of it, and its exit code tells scripts.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { BatchResult } from '../../ports/log.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { consumerLags } from './lags.ts';
import type { HealthReport } from './ports.ts';
import { exitCodeOf, problemsOf, type StatusSources, statusOf } from './status.ts';

const NOW = 1_000_000;
const well: HealthReport = {
  live: true,
  ready: true,
  standing: [],
  parts: [{ name: 'limits', state: 'running', lag: 0, troubles: [], paused: [] }],
};
const unreachable = new CodedError('PROCESS_UNREACHABLE', 'it does not answer');
const kafkaAway = new CodedError('KAFKA_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });
const empty = { count: 0, money: [], withoutAmount: 0 };
const board = { lines: [], total: empty, unknownWithoutCase: 0, isProven: true, complete: true, missing: [] };

const sources = (over: Partial<StatusSources> = {}): StatusSources => ({
  health: { of: async () => well },
  lags: async () => [],
  stuck: async () => board,
  cases: async () => ({ ...empty, firstDueAt: null, complete: true }),
  ...over,
});
const status = (over: Partial<StatusSources> = {}, processes = ['http://a', 'http://b']) =>
  statusOf(sources(over), { processes, now: NOW });

/** The first record of a partition was handled. */
const CONTINUE: BatchResult['then'] = { do: 'continue' };
const DONE = batchResult(0, CONTINUE);

function batchResult(doneThrough: number, then: BatchResult['then']): BatchResult {
  return { doneThrough, outputs: [], then };
}

describe('the status', () => {
  it('is well, with exit code 0, where everything runs; what waits for people changes nothing', async () => {
    const found = await status({ cases: async () => ({ ...empty, count: 9, firstDueAt: 1, complete: true }) });
    expect(found).toMatchObject({ problems: [], complete: true, cases: { count: 9 } });
    expect(exitCodeOf(found)).toBe(0);
  });

  it('has a line for a process that does not answer, and all that the others say', async () => {
    const of = async (url: string) => (url === 'http://a' ? Promise.reject(unreachable) : well);
    const found = await status({ health: { of } });
    expect(found.processes).toMatchObject([
      { url: 'http://a', report: null, fault: { code: 'PROCESS_UNREACHABLE' } },
      { url: 'http://b', report: well, fault: null },
    ]);
    expect(found.problems).toMatchObject([{ what: 'http://a', code: 'PROCESS_UNREACHABLE' }]);
    expect(exitCodeOf(found)).toBe(2);
  });

  it('says what could not be asked, and shows the rest', async () => {
    const found = await status({
      lags: async () => Promise.reject(kafkaAway),
      stuck: async () => Promise.reject(kafkaAway),
      checkpoint: async () => ({ file: 'today', takenAt: 5 }),
    });
    expect(found.missing.map(({ source, code }) => `${source} ${code}`)).toEqual([
      'CONSUMERS KAFKA_UNAVAILABLE',
      'STUCK KAFKA_UNAVAILABLE',
    ]);
    expect(found).toMatchObject({ complete: false, stuck: null, checkpoint: { takenAt: 5 } });
    expect(exitCodeOf(found)).toBe(2);
  });

  it('names each part that stands, each dependency that is away once, and what is only not ready', () => {
    const trouble = { dependency: 'mongo', code: 'MONGO_UNAVAILABLE', detail: 'x', since: 7 };
    const report: HealthReport = {
      live: true,
      ready: false,
      standing: [{ name: 'intake', code: 'DLQ_BREAKER_OPEN', detail: 'all fail', toDo: 'mend', since: 3, restarts: 2 }],
      parts: [
        { name: 'limits', state: 'running', lag: 5, troubles: [trouble, { ...trouble, since: 4 }], paused: [] },
        { name: 'intake', state: 'failed', lag: 0, troubles: [], paused: [] },
      ],
    };
    expect(problemsOf({ url: 'u', report, fault: null })).toEqual([
      { what: 'intake', code: 'DLQ_BREAKER_OPEN', detail: 'all fail; mend', since: 3 },
      { what: 'limits waits for mongo', code: 'MONGO_UNAVAILABLE', detail: 'x', since: 4 },
    ]);
    const starting = { ...well, ready: false };
    expect(problemsOf({ url: 'u', report: starting, fault: null })).toMatchObject([{ code: 'PROCESS_NOT_READY' }]);
  });
});

describe('lags', () => {
  const record = (topic: string) => ({ topic, partition: 0, key: 'k', value: Buffer.from('x'), headers: {} });

  it('are counted by the position of each group, with the oldest record that it has not handled', async () => {
    const log = new MemoryLog({ partitions: 1, manual: true });
    log.append([record('transfer.held')], 100);
    log.append([record('transfer.held'), record('limits.retry.5s')], 200);
    const batch = { topic: 'transfer.held', partition: 0, records: log.records('transfer.held', 0) };
    log.commit('sink-cases', DONE, batch);
    const lags = new Map((await consumerLags(log, 'corridor')).map((lag) => [lag.consumer, lag]));
    expect(lags.get('sink-cases')).toMatchObject({
      ...{ records: 1, isAtMost: false, oldestAt: 200, oldestIn: 'transfer.held/0' },
    });
    expect(lags.get('limits')).toMatchObject({ records: 1, oldestIn: 'limits.retry.5s/0' });
    expect(lags.get('settlement')).toMatchObject({ records: 0, oldestAt: null, oldestIn: null });
  });

  it('are an upper bound where there are many', async () => {
    const log = new MemoryLog({ partitions: 1, manual: true });
    log.append(
      Array.from({ length: 40 }, () => record('transfer.priced')),
      300,
    );
    const [limits] = (await consumerLags(log, 'corridor')).filter(({ consumer }) => consumer === 'limits');
    expect(limits).toMatchObject({ records: 40, isAtMost: true, oldestAt: 300 });
  });
});
