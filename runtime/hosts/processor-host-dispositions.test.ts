// What becomes of a record that its stage does not answer with events, and of one that is replayed.
import { describe, expect, it } from 'vitest';
import { runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { clearing, type In, idOf, ids, inOne, sorted } from './testing/clearing.ts';

describe('dispositions of one record', () => {
  const cause = { code: 'RATE_MISSING', detail: 'not there' } as const;

  it('retry: through both tiers by time, then dead letter, with origin and append time kept', async () => {
    const seen: { at: number; appendedAt: number; origin: string }[] = [];
    const clock = new ManualClock();
    const processor = clearing({
      decide: (received) => {
        if (idOf(received) !== 'transfer-0001') return undefined;
        seen.push({ at: clock.now(), appendedAt: received.appendedAt, origin: received.originPosition });
        return { kind: 'retry', cause };
      },
    });
    const startedAt = clock.now();
    const run = await runProcessor(processor, { ...inOne(ids(3)), clock, retry: [2, 2] });
    expect(seen.map(({ at }) => at - startedAt)).toEqual([0, 5_000, 10_000, 70_000, 130_000]);
    expect(new Set(seen.map(({ appendedAt }) => appendedAt))).toEqual(new Set([startedAt]));
    expect(new Set(seen.map(({ origin }) => origin)).size).toBe(1);
    expect([run.retries('5s').length, run.retries('60s').length]).toEqual([2, 2]);
    expect(run.deadLetters).toMatchObject([
      { code: 'RATE_MISSING', class: 'exhausted', headers: { attempts: '5', 'first-failed-at': String(startedAt) } },
    ]);
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0002']);
  });

  it('retry: headers do not grow from one attempt to the next', async () => {
    const processor = clearing({ decide: () => ({ kind: 'retry', cause }) });
    const run = await runProcessor(processor, { ...inOne(ids(1)), retry: [3, 3] });
    const sizes = [...run.retries('5s'), ...run.retries('60s')].map((record) => Object.keys(record.headers).length);
    expect(new Set(sizes).size).toBe(1);
  });

  it('wait: comes back until it is answered, and uses up no attempt', async () => {
    const clock = new ManualClock();
    const openAt = clock.now() + 300_000;
    const attempts: number[] = [];
    const processor = clearing({
      decide: () => {
        attempts.push(clock.now());
        return clock.now() < openAt ? { kind: 'wait', untilMs: openAt, cause } : undefined;
      },
    });
    const run = await runProcessor(processor, { ...inOne(ids(1)), clock, retry: [1, 1] });
    expect(attempts.length).toBeGreaterThan(3);
    expect(run.outputs('transfer.screened')).toHaveLength(1);
    expect(run.deadLetters).toEqual([]);
    expect(
      [...run.retries('60s'), ...run.retries('5s')].every(({ headers }) => String(headers['attempts']) === '0'),
    ).toBe(true);
  });

  it('wait: no longer than asked for', async () => {
    const clock = new ManualClock();
    const startedAt = clock.now();
    const seen: number[] = [];
    const processor = clearing({
      decide: () => {
        seen.push(clock.now() - startedAt);
        return seen.length === 1 ? { kind: 'wait', untilMs: startedAt + 1_500, cause } : undefined;
      },
    });
    await runProcessor(processor, { ...inOne(ids(1)), clock });
    expect(seen).toEqual([0, 1_500]);
  });

  it('dead-letter: as the stage says', async () => {
    const processor = clearing({ decide: () => ({ kind: 'dead-letter', cause }) });
    const run = await runProcessor(processor, inOne(ids(2)));
    expect(run.deadLetters).toMatchObject([
      { code: 'RATE_MISSING', class: 'refused' },
      { code: 'RATE_MISSING', class: 'refused' },
    ]);
  });

  it('stop: what came before is committed, the record is not passed', async () => {
    const processor = clearing({
      decide: (received) => (idOf(received) === 'transfer-0002' ? { kind: 'stop', cause } : undefined),
    });
    const run = await runProcessor(processor, inOne(ids(4)));
    expect(run.stopped?.code).toBe('RATE_MISSING');
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0001']);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(2);
  });
});

describe('replays', () => {
  it('are decoded by the contract that they came from, and keep origin and time', async () => {
    const failing = clearing({ decide: () => ({ kind: 'dead-letter', cause: { code: 'ID_CONFLICT', detail: 'x' } }) });
    const first = await runProcessor(failing, inOne(ids(1)));
    const [letter] = first.deadLetters;
    const { headers, record } = letter!;
    const replay = {
      topic: 'screening.replay',
      bytes: record.value,
      key: record.key!.toString(),
      partition: 0,
      headers: { ...headers, 'replay-count': '1', 'replay-id': 'r-1', attempts: '0' },
    };
    const seen: In[] = [];
    const run = await runProcessor(clearing({ decide: (received) => void seen.push(received) as undefined }), {
      inputs: [replay],
      partitions: 1,
    });
    expect(run.outputs('transfer.screened')).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      topic: 'transfer.accepted',
      originPosition: headers['origin-position'],
      appendedAt: Number(headers['source-timestamp']),
    });

    const again = await runProcessor(failing, { inputs: [replay], partitions: 1 });
    expect(again.deadLetters[0]!.headers).toMatchObject({ 'replay-count': '1', 'replay-id': 'r-1' });
    expect(again.deadLetters[0]!.headers['dlq-id']).not.toBe(headers['dlq-id']);
  });

  it('that do not say where they come from are dead letters', async () => {
    const run = await runProcessor(clearing(), { inputs: [{ topic: 'screening.replay', bytes: Buffer.from('x') }] });
    expect(run.deadLetters).toMatchObject([{ code: 'SOURCE_UNKNOWN', class: 'undecodable' }]);
  });

  it('of a topic that the processor does not read are dead letters', async () => {
    const foreign = {
      topic: 'screening.replay',
      bytes: Buffer.from('x'),
      headers: {
        'source-topic': 'payout.requested',
        'source-partition': '0',
        'source-offset': '1',
        'source-timestamp': '1',
      },
    };
    const run = await runProcessor(clearing(), { inputs: [foreign] });
    expect(run.deadLetters).toMatchObject([{ code: 'SOURCE_UNKNOWN' }]);
  });
});
