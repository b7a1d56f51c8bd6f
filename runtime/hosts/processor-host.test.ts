// What a host of a stage does with records: those that go through, and those that break the code.
import { describe, expect, it } from 'vitest';
import type { TransferAccepted } from '../../schemas/types.generated.ts';
import { accepted, reviewDecided } from '../../test/kit/events.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { sourceOf } from '../../topics/cause.ts';
import { cleared, clearing, type In, idOf, ids, inOne, type Out, sorted } from './testing/clearing.ts';

describe('what goes straight through', () => {
  it('comes out once, on its partition, keyed, with headers and a lifecycle record', async () => {
    const origin = {
      headers: { 'origin-position': 'T:1:7', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    };
    const made = accepted({ transferId: 'transfer-0001' });
    const event = { ...made, instruction: { ...made.instruction, originPosition: 'T:1:7' } };
    const run = await runProcessor(clearing(), { inputs: [input('transfer.accepted', event, origin)] });
    const [out, ...others] = run.outputs('transfer.screened');
    expect(others).toEqual([]);
    expect(out!.key).toBe('transfer-0001');
    expect(out!.partition).toBe(event.envelope.homePartition);
    expect(out!.value.envelope.causationId).toBe(event.envelope.eventId);
    expect(out!.headers).toEqual({
      'event-id': out!.value.envelope.eventId,
      'event-type': 'TransferScreened',
      'origin-position': 'T:1:7',
      traceparent: origin.headers.traceparent,
      cause: `${sourceOf('screening', 'transfer.accepted')}:${out!.partition}:0`,
      seal: expect.stringMatching(/^stages\.[\w-]{43}$/),
    });
    expect(run.lifecycle).toMatchObject([
      {
        eventId: out!.value.envelope.eventId,
        state: 'SCREENED',
        stage: 'SCREENING',
        sequence: 2,
        screeningOutcome: 'CLEAR',
      },
    ]);
    expect(run.deadLetters).toEqual([]);
  });

  it('takes the origin and the cause of a command from what it carries', async () => {
    const command = reviewDecided({ transferId: 'transfer-0009' });
    const run = await runProcessor(clearing(), { inputs: [input('review.decided', command)] });
    const [out] = run.outputs('transfer.screened');
    expect(out!.headers['origin-position']).toBe(command.held.instruction.originPosition);
    expect(out!.value.envelope.causationId).toBe(command.command.commandId);
  });

  it('prepares once per batch and keeps the order of each partition', async () => {
    const sizes: number[] = [];
    const processor = clearing({ prepare: (batch) => void sizes.push(batch.length) });
    const run = await runProcessor(processor, { ...inOne(ids(40)), maxBatchRecords: 16 });
    expect(sizes).toEqual([16, 16, 8]);
    expect(run.outputs('transfer.screened').map(({ value }) => value.envelope.transferId)).toEqual(ids(40));
  });
});

describe('a record that breaks the code', () => {
  it('in decide: it alone becomes a dead letter, byte for byte, and its transfer is marked in the same commit', async () => {
    const processor = clearing({
      decide: (received) => {
        if (idOf(received) === 'transfer-0003') throw new TypeError('cannot read Ada Example of undefined');
        return undefined;
      },
    });
    const { inputs } = inOne(ids(6));
    const run = await runProcessor(processor, inOne(ids(6)));
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(6).filter((id) => id !== 'transfer-0003'));
    const [letter, ...others] = run.deadLetters;
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ code: 'UNEXPECTED_ERROR', class: 'poison' });
    expect(letter!.record.value).toEqual(run.codec.encode('transfer.accepted', inputs[3]!.value as TransferAccepted));
    expect(letter!.headers).toMatchObject({
      'source-topic': 'transfer.accepted',
      'source-partition': '0',
      'source-offset': '3',
      'source-group': 'corridor.screening',
      attempts: '1',
      'replay-count': '0',
    });
    expect(JSON.stringify(letter!.headers)).not.toContain('Ada');
    expect(letter!.headers['dlq-error-stack']).toContain('processor-host.test.ts');
    const marks = run.lifecycle.filter(({ state }) => state === 'DEAD_LETTERED');
    expect(marks).toMatchObject([
      { transferId: 'transfer-0003', sequence: 1, stage: 'SCREENING', reasonCodes: ['UNEXPECTED_ERROR'] },
    ]);
    expect(run.log.commits.get('screening')).toBe(1);
  });

  it('in prepare: the batch is halved until the guilty record is alone', async () => {
    const guilty = new Set(['transfer-0005', 'transfer-0011']);
    const sizes: number[] = [];
    const processor = clearing({
      prepare: (batch) => {
        sizes.push(batch.length);
        if (batch.some((received) => guilty.has(idOf(received)))) throw new RangeError('no');
      },
    });
    const run = await runProcessor(processor, inOne(ids(16)));
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(16).filter((id) => !guilty.has(id)));
    expect(run.deadLetters.map(({ headers }) => headers['source-offset'])).toEqual(['5', '11']);
    // Then each of the two is tried alone twice more.
    expect(sizes).toEqual([16, 8, 4, 4, 2, 1, 1, 2, 8, 4, 2, 2, 1, 1, 4, 1, 1, 1, 1]);
    expect(run.log.commits.get('screening')).toBe(1);
  });

  it('by emitting what its schema refuses', async () => {
    const processor = clearing({
      decide: (received) => [{ ...(cleared(received) as Out[])[0]!, value: { envelope: {} } } as never],
    });
    const run = await runProcessor(processor, inOne(ids(1)));
    expect(run.deadLetters).toMatchObject([{ code: 'TRANSFER_MISMATCH' }]);
  });

  it('by emitting to a topic that it does not declare', async () => {
    const processor = clearing({ decide: () => [{ to: 'transfer.completed', value: {} } as never] });
    const run = await runProcessor(processor, inOne(ids(1)));
    expect(run.deadLetters).toMatchObject([{ code: 'ROUTE_NOT_DECLARED', class: 'poison' }]);
    expect(run.outputs('transfer.completed')).toEqual([]);
  });

  it('by standing on another partition than its home', async () => {
    const misplaced = input('transfer.accepted', accepted({ transferId: 'transfer-0001' }), { partition: 0 });
    expect(accepted({ transferId: 'transfer-0001' }).envelope.homePartition).not.toBe(0);
    const prepared: In[] = [];
    const run = await runProcessor(clearing({ prepare: (batch) => void prepared.push(...batch) }), {
      inputs: [misplaced],
    });
    expect(prepared).toEqual([]);
    expect(run.deadLetters).toMatchObject([{ code: 'HOME_PARTITION_MISMATCH', class: 'poison' }]);
    expect(run.outputs('transfer.screened')).toEqual([]);
  });
});

describe('a record whose outputs the broker refuses', () => {
  it('is found by trying smaller parts of the batch, and becomes a dead letter; its neighbours go through', async () => {
    const guilty = new Set(['transfer-0003', 'transfer-0012']);
    const clock = new ManualClock();
    const log = new MemoryLog({
      partitions: 1,
      clock,
      manual: true,
      refuses: ({ topic, key }) =>
        topic === 'transfer.screened' && guilty.has(String(key)) ? 'RECORD_TOO_LARGE' : undefined,
    });
    const run = await runProcessor(clearing(), { ...inOne(ids(16)), clock, log });
    expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(16).filter((id) => !guilty.has(id)));
    expect(run.deadLetters.map(({ code, class: kind, record }) => `${code} ${kind} ${record.key}`)).toEqual([
      'RECORD_TOO_LARGE poison transfer-0003',
      'RECORD_TOO_LARGE poison transfer-0012',
    ]);
  });
});

describe('crashes', () => {
  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    '%s: each input comes out once',
    async (point) => {
      let crashes = 3;
      const run = await runProcessor(clearing(), {
        inputs: ids(60).map((transferId) => input('transfer.accepted', accepted({ transferId }))),
        maxBatchRecords: 7,
        crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined),
      });
      expect(run.crashes).toBe(3);
      expect(sorted(run.outputs('transfer.screened'))).toEqual(ids(60));
      expect(run.lifecycle).toHaveLength(60);
    },
  );
});
