import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { Processor } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { type Input, input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import type { CrashPoint } from '../../test/kit/memory-log.ts';
import { times } from '../../test/kit/times.ts';

type Fate = 'goes' | 'throws' | 'breaks-batch' | 'retries-once' | 'waits-once' | 'rubbish';
const fates: readonly Fate[] = [
  'goes',
  'goes',
  'goes',
  'throws',
  'breaks-batch',
  'retries-once',
  'waits-once',
  'rubbish',
];

/** Whatever happens to the store that its claims are made in, it survives the crashes of the processor. */
function world(fateOf: ReadonlyMap<string, Fate>, clock: ManualClock, outages: number[]) {
  const claims = new Map<string, string>();
  const seen = new Map<string, number>();
  let calls = 0;
  const processor: Processor<Topology['screening'], undefined> = {
    name: 'screening',
    edges: topology.screening,
    async prepare(batch) {
      if (outages.includes(calls++)) {
        throw new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency', dependency: 'mongo' });
      }
      for (const received of batch) {
        if (received.topic !== 'transfer.accepted') continue;
        const { transferId } = received.value.envelope;
        if (fateOf.get(transferId) === 'breaks-batch') throw new RangeError('breaks');
        // A claim is made by the first record with the id, and recognised by its origin when that record runs again.
        const holder = claims.get(transferId) ?? received.originPosition;
        claims.set(transferId, holder);
        expect(holder).toBe(received.originPosition);
      }
      return batch.map(() => undefined);
    },
    decide(received) {
      if (received.topic !== 'transfer.accepted') return [];
      const { envelope, instruction, parties } = received.value;
      const { transferId } = envelope;
      const fate = fateOf.get(transferId);
      const times = (seen.get(transferId) ?? 0) + 1;
      seen.set(transferId, times);
      const cause = { code: 'RATE_STALE', detail: 'not yet' } as const;
      if (fate === 'throws') throw new TypeError('breaks');
      const again = clock.now() > received.appendedAt + 4_000;
      if (fate === 'retries-once' && !again) return { kind: 'retry', cause };
      if (fate === 'waits-once' && !again) return { kind: 'wait', untilMs: received.appendedAt + 5_000, cause };
      const next = following(envelope, 'transfer.screened');
      return [{ to: 'transfer.screened', value: { envelope: next, instruction, parties, screening: evidence() } }];
    },
  };
  return processor;
}

it('whatever crashes, repeats, breaks or is away: each input comes out exactly once', async () => {
  const points: readonly CrashPoint[] = ['before-handler', 'before-commit', 'after-commit'];
  const disturbances = fc.array(
    fc.record({
      at: fc.nat({ max: 60 }),
      point: fc.constantFrom(...points),
      what: fc.constantFrom('crash' as const, 'redeliver' as const),
    }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...fates), { minLength: 1, maxLength: 40 }),
      disturbances,
      fc.array(fc.nat({ max: 30 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 16 }),
      async (chosen, plan, outages, maxBatchRecords) => {
        const clock = new ManualClock();
        const transferId = (i: number) => `transfer-${String(i).padStart(4, '0')}`;
        const inputs: Input[] = chosen.map((fate, i) =>
          fate === 'rubbish'
            ? { topic: 'transfer.accepted', bytes: Buffer.from(`rubbish ${i}`), partition: i % 4 }
            : input('transfer.accepted', accepted({ transferId: transferId(i) }), {
                headers: { 'origin-position': `T:0:${i}` },
              }),
        );
        const fateOf = new Map(chosen.map((fate, i) => [transferId(i), fate]));
        const counts = { 'before-handler': 0, 'before-commit': 0, 'after-commit': 0 };
        const run = await runProcessor(world(fateOf, clock, outages), {
          inputs,
          clock,
          maxBatchRecords,
          // One that breaks the batch and has no neighbour is tried for over a minute.
          maxVirtualMs: 3_600_000,
          crash: (point) => {
            const n = counts[point]++;
            return plan.find((disturbance) => disturbance.point === point && disturbance.at === n)?.what;
          },
        });

        const expected = (wanted: (fate: Fate) => boolean) => chosen.flatMap((fate, i) => (wanted(fate) ? [i] : []));
        const goes = (fate: Fate) => ['goes', 'retries-once', 'waits-once'].includes(fate);
        const out = run.outputs('transfer.screened').map(({ value }) => value.envelope.transferId);
        expect(out.sort()).toEqual(expected(goes).map(transferId));
        const screened = run.lifecycle.filter(({ state }) => state === 'SCREENED').map((record) => record.transferId);
        expect(screened.sort()).toEqual(out);

        const broken = expected((fate) => fate === 'throws' || fate === 'breaks-batch').map(transferId);
        const marked = run.lifecycle
          .filter(({ state }) => state === 'DEAD_LETTERED')
          .map((record) => record.transferId);
        expect(marked.sort()).toEqual(broken);
        const letters = run.deadLetters.map(
          ({ class: kind, record }) => `${kind} ${record.key?.toString() ?? record.value}`,
        );
        const rubbish = expected((fate) => fate === 'rubbish').map((i) => `undecodable rubbish ${i}`);
        expect(letters.sort()).toEqual([...broken.map((id) => `poison ${id}`), ...rubbish].sort());

        const retried = expected((fate) => fate.endsWith('-once')).length;
        // One that breaks a batch without a witness holds its partition: what came behind it may be due by then.
        if (chosen.includes('breaks-batch')) expect(run.retries('5s').length).toBeLessThanOrEqual(retried);
        else expect(run.retries('5s')).toHaveLength(retried);
        expect(run.stopped).toBeUndefined();
      },
    ),
    { numRuns: times(300) },
  );
}, 120_000);
