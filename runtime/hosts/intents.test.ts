// What is special about records from outside: they are re-keyed, and nothing in their headers is believed.
import { describe, expect, it } from 'vitest';
import type { Decision, EmittedTo, Processor, ReceivedFrom } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { accepted, requested } from '../../test/kit/events.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { homePartition } from '../../topics/home-partition.ts';

type Intake = Topology['intake'];
type In = ReceivedFrom<Intake['reads']>;

/** Accepts everything onto the home partition that the host names. */
function accepting(decide?: (received: In) => Decision<EmittedTo<Intake['writes']>> | undefined, seen: In[] = []) {
  const processor: Processor<Intake, undefined> = {
    name: 'intake',
    edges: topology.intake,
    prepare: async (batch) => batch.map(() => undefined),
    decide(received) {
      seen.push(received);
      const event = accepted({ transferId: received.value.transferId });
      const envelope = { ...event.envelope, causationId: received.causationId, homePartition: received.partition };
      return decide?.(received) ?? [{ to: 'transfer.accepted', value: { ...event, envelope } }];
    },
  };
  return { processor, seen };
}
const intent = (transferId: string, over: { partition?: number; headers?: Record<string, string> } = {}) =>
  input('transfer.requested', requested({ transferId }), { partition: 2, ...over });

describe('intents', () => {
  it('go to the home partition of their transfer, wherever they came in', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `transfer-${i}-long`);
    const { processor } = accepting();
    const run = await runProcessor(processor, { inputs: ids.map((id) => intent(id)) });
    for (const { value, partition, key } of run.outputs('transfer.accepted')) {
      expect(partition).toBe(homePartition(key!, 4));
      expect(value.envelope.homePartition).toBe(partition);
    }
    expect(run.outputs('transfer.accepted')).toHaveLength(20);
    for (const { partition, value } of run.outputs('transfer.lifecycle')) {
      expect(partition).toBe(homePartition(value.transferId, 4));
    }
  });

  it('bear the seal of their producer along every detour, with the bytes that it is over', async () => {
    const seen: In[] = [];
    let tries = 0;
    const { processor } = accepting(
      () => (tries++ === 0 ? { kind: 'retry', cause: { code: 'ID_CONFLICT', detail: 'for a test' } } : undefined),
      seen,
    );
    const headers = { producer: 'acme', 'producer-seal': 'k1.mac' };
    await runProcessor(processor, { inputs: [intent('transfer-a-long', { headers }), intent('transfer-b-long')] });
    const sealed = seen.filter(({ value }) => value.transferId === 'transfer-a-long').map((each) => each.intentSeal);
    const value = memoryCodec().encode('transfer.requested', requested({ transferId: 'transfer-a-long' }));
    expect(sealed).toEqual([
      { producer: 'acme', seal: 'k1.mac', value },
      { producer: 'acme', seal: 'k1.mac', value },
    ]);
    expect(seen.find(({ value: { transferId } }) => transferId === 'transfer-b-long')?.intentSeal).toBeUndefined();
  });

  it('have the origin at which they stand, whatever their headers say', async () => {
    const { processor, seen } = accepting();
    const headers = { 'origin-position': 'forged:0:1', 'event-id': 'forged' };
    const run = await runProcessor(processor, {
      inputs: [intent('transfer-a-long'), intent('transfer-b-long', { headers })],
    });
    expect(seen.map(({ originPosition }) => originPosition)).toEqual([
      'transfer.requested:2:0',
      'transfer.requested:2:1',
    ]);
    expect(seen[1]!.causationId).toBe('transfer.requested:2:1');
    const origins = run.outputs('transfer.accepted').map(({ headers: out }) => out['origin-position']);
    expect(origins.sort()).toEqual(['transfer.requested:2:0', 'transfer.requested:2:1']);
  });

  it('keep a valid trace, and get one that is always the same where they have none', async () => {
    const valid = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const inputs = [
      intent('transfer-a-long', { headers: { traceparent: valid } }),
      intent('transfer-b-long', { headers: { traceparent: 'Ada Example' } }),
      intent('transfer-c-long'),
    ];
    const traces = async () => {
      const run = await runProcessor(accepting().processor, { inputs });
      return new Map(run.outputs('transfer.accepted').map(({ key, headers }) => [key, headers['traceparent']]));
    };
    const first = await traces();
    expect(first.get('transfer-a-long')).toBe(valid);
    expect(first.get('transfer-b-long')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(first.get('transfer-c-long')).not.toBe(first.get('transfer-b-long'));
    expect(await traces()).toEqual(first);
  });

  it('keep origin and cause through retries', async () => {
    let failures = 4;
    const { processor, seen } = accepting(() =>
      failures-- > 0 ? { kind: 'retry', cause: { code: 'RATE_STALE', detail: '' } } : undefined,
    );
    const run = await runProcessor(processor, { inputs: [intent('transfer-a-long')] });
    expect(run.outputs('transfer.accepted')).toHaveLength(1);
    expect(seen).toHaveLength(5);
    expect(new Set(seen.map(({ originPosition }) => originPosition)).size).toBe(1);
    expect(new Set(seen.map(({ causationId }) => causationId)).size).toBe(1);
    expect(new Set(seen.map(({ appendedAt }) => appendedAt)).size).toBe(1);
  });

  it('that break the code become dead letters, without a mark: no transfer was accepted', async () => {
    const { processor } = accepting(() => {
      throw new Error('no');
    });
    const run = await runProcessor(processor, { inputs: [intent('transfer-a-long')] });
    expect(run.deadLetters).toMatchObject([
      { class: 'poison', headers: { 'origin-position': 'transfer.requested:2:0' } },
    ]);
    expect(run.lifecycle).toEqual([]);
  });

  it('whose text is no UTF-8 become dead letters that say so, and their neighbours go on', async () => {
    const { processor, seen } = accepting();
    const good = intent('transfer-a-long');
    const codec = memoryCodec();
    await codec.load(['transfer.requested']);
    const spoiltWith = (...text: number[]) => {
      const value = { ...requested({ transferId: 'transfer-b-long' }), endToEndId: '###' };
      const bytes = Buffer.from(codec.encode('transfer.requested', value));
      bytes.set(text, bytes.indexOf('###'));
      return { topic: 'transfer.requested', bytes, partition: 2 };
    };
    const spoilt = [spoiltWith(0xfc), spoiltWith(0xed, 0xa0, 0x80)];
    const run = await runProcessor(processor, { inputs: [...spoilt, good] });
    expect(run.deadLetters.map(({ headers }) => headers['dlq-error-code'])).toEqual(['INVALID_UTF8', 'INVALID_UTF8']);
    expect(seen.map(({ value }) => value.transferId)).toEqual(['transfer-a-long']);
  });

  it('may be rubbish for long without stopping the good ones', async () => {
    const rubbish = Array.from({ length: 400 }, (_, i) => ({
      topic: 'transfer.requested',
      bytes: Buffer.from(`rubbish ${i}`),
      partition: 2,
      headers: { 'x-producer': 'broken-client', 'x-large': 'x'.repeat(10_000) },
    }));
    const { processor } = accepting();
    const run = await runProcessor(processor, { inputs: [...rubbish, intent('transfer-a-long')] });
    expect(run.stopped).toBeUndefined();
    expect(run.deadLetters).toHaveLength(400);
    expect(run.outputs('transfer.accepted')).toHaveLength(1);
    const { headers } = run.deadLetters[0]!;
    expect(headers).toMatchObject({ 'dlq-error-code': 'NOT_AVRO', 'x-producer': 'broken-client', attempts: '1' });
    expect(headers['x-large']).toBeUndefined();
  });
});
