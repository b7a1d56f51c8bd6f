// What operators discard is ended once by the stage that put it aside, whatever dies meanwhile, and never decided.
import { describe, expect, it } from 'vitest';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import type { AnyProcessor, Discardable } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted } from '../../test/kit/events.ts';
import { append, input, type RunOptions, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';

const OWNER = 'screening';
type Value = ReturnType<typeof accepted>;

/** A stage that breaks on everything it decides, and may end it all the same. */
function broken(answer?: (transferId: string) => Discardable) {
  let decided = 0;
  const processor = {
    name: OWNER,
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: () => {
      decided++;
      throw new Error('it breaks');
    },
    ...(answer && {
      discardable: async (batch: readonly { value: Value }[]) =>
        batch.map(({ value }) => answer(value.envelope.transferId)),
    }),
  };
  return { processor: processor as unknown as AnyProcessor, decided: () => decided };
}
const ends = () => broken(() => ({ kind: 'reject', occurredAt: 7 }));

async function withLetters(count: number) {
  const clock = new ManualClock();
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: 1, clock, manual: true });
  const common = { inputs: [], clock, codec, log, replayClaims: memoryReplayClaims() };
  const ids = Array.from({ length: count }, (_, i) => `transfer-${i + 1_000}`);
  for (const transferId of ids) append(log, codec, input('transfer.accepted', accepted({ transferId, partitions: 1 })));
  const lax = { breaker: { window: 1_000, maxRatio: 1, maxRun: 1_000 } as never };
  const run = (processor: AnyProcessor, more: Partial<RunOptions> = {}) =>
    runProcessor(processor, { ...common, ...lax, ...more });
  // A neighbour that goes through shows that the code is what breaks.
  const first = broken();
  const refusing = {
    ...first.processor,
    decide: () => ({ kind: 'dead-letter', cause: { code: 'REFUSED', detail: 'for a test' } }),
  } as unknown as AnyProcessor;
  await run(refusing);
  return { ids, log, run, letters: () => log.records('screening.dlq', 0) };
}

const order = (letter: LogRecord, replayId = 'd-1', discard = 'AC04') =>
  replayOf(letter, { owner: OWNER, replayId, discard });
const withHeaders = ({ headers, ...record }: OutputRecord, change: Record<string, string>): OutputRecord =>
  ({ ...record, headers: { ...headers, ...change } }) as OutputRecord;

describe('a letter that is discarded', () => {
  it('ends its transfer with the reason that was given, and is not decided', async () => {
    const { ids, log, run, letters } = await withLetters(2);
    const stage = ends();
    log.append(letters().map((letter) => order(letter)));
    const result = await run(stage.processor);
    const rejected = result.outputs('transfer.rejected');
    expect(rejected.map(({ value }) => value.envelope.transferId)).toEqual(ids);
    expect(rejected[0]!.value).toMatchObject({
      envelope: { sequence: 2, occurredAt: 7, causationId: accepted({ transferId: ids[0]! }).envelope.eventId },
      ...{ stage: 'SCREENING', price: null, reservation: null, payout: null },
      reasons: [{ code: 'AC04' }],
    });
    expect(result.lifecycle.filter(({ state }) => state === 'REJECTED')).toHaveLength(2);
    expect(stage.decided()).toBe(0);
    expect(letters()).toHaveLength(2);
  });

  it.each([
    ['is ordered twice', (letter: LogRecord) => [order(letter), order(letter, 'd-2')]],
    ['is ordered, and the order is copied', (letter: LogRecord) => [order(letter), order(letter)]],
    [
      'is ordered, then replayed',
      (letter: LogRecord) => [order(letter), replayOf(letter, { owner: OWNER, replayId: 'r' })],
    ],
  ])('that %s ends once', async (_, records) => {
    for (const apart of [false, true]) {
      const { log, run, letters } = await withLetters(1);
      const [one, two] = records(letters()[0]!);
      log.append([one!]);
      if (apart) await run(ends().processor);
      log.append([two!]);
      const result = await run(ends().processor);
      expect(result.outputs('transfer.rejected')).toHaveLength(1);
      expect(letters()).toHaveLength(1);
    }
  });

  it('that was replayed first is what the replay made of it', async () => {
    const { log, run, letters } = await withLetters(1);
    log.append([replayOf(letters()[0]!, { owner: OWNER, replayId: 'r' }), order(letters()[0]!)]);
    const result = await run(broken(() => ({ kind: 'reject', occurredAt: 7 })).processor);
    expect(result.outputs('transfer.rejected')).toHaveLength(0);
    // The replay broke again: the new letter may be discarded.
    log.append([order(letters().at(-1)!, 'd-2')]);
    expect((await run(ends().processor)).outputs('transfer.rejected')).toHaveLength(1);
  });

  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    'ends once though the stage dies %s',
    async (point) => {
      const { ids, log, run, letters } = await withLetters(5);
      log.append(letters().map((letter) => order(letter)));
      let crashes = 3;
      const result = await run(ends().processor, {
        maxBatchRecords: 2,
        crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined),
      });
      expect(result.crashes).toBe(3);
      expect(result.outputs('transfer.rejected').map(({ key }) => key)).toEqual(ids);
    },
  );

  it('stands again where its stage does not end it, and is never taken for a replay', async () => {
    for (const [processor, code] of [
      [broken().processor, 'DISCARD_REFUSED'],
      [
        broken(() => ({ kind: 'dead-letter', cause: { code: 'DISCARD_REFUSED', detail: 'x' } })).processor,
        'DISCARD_REFUSED',
      ],
    ] as const) {
      const { log, run, letters } = await withLetters(1);
      log.append([order(letters()[0]!)]);
      const result = await run(processor);
      expect(result.outputs('transfer.rejected')).toHaveLength(0);
      expect(letters().map(({ headers }) => String(headers['dlq-error-code']))).toEqual(['REFUSED', code]);
      expect(letters()[1]!.headers['discard-reason']).toBeUndefined();
    }
  });

  it('is left where another record has done what it asks for', async () => {
    const { log, run, letters } = await withLetters(1);
    log.append([order(letters()[0]!)]);
    const result = await run(broken(() => ({ kind: 'nothing' })).processor);
    expect(result.outputs('transfer.rejected')).toHaveLength(0);
    expect(letters()).toHaveLength(1);
  });

  it('for a reason that is none, or of a class that stops nobody, is refused', async () => {
    const { log, run, letters } = await withLetters(2);
    const [one, two] = letters() as [LogRecord, LogRecord];
    const repeated = { ...two, headers: { ...two.headers, 'dlq-class': Buffer.from('repeated') } };
    log.append([order(one, 'd-1', 'HLIM'), order(repeated)]);
    const result = await run(ends().processor);
    expect(result.outputs('transfer.rejected')).toHaveLength(0);
    expect(
      letters()
        .slice(2)
        .map(({ headers }) => String(headers['dlq-error-code'])),
    ).toEqual(['DISCARD_REFUSED', 'DISCARD_REFUSED']);
  });
});

describe('the order to discard', () => {
  it('counts under the seal of operators alone, and so does its being none', async () => {
    const { log, run, letters } = await withLetters(1);
    const [letter] = letters();
    const plain = replayOf(letter!, { owner: OWNER, replayId: 'r' });
    const { 'discard-reason': _, ...stripped } = order(letter!).headers;
    const forged = [
      withHeaders(plain, { 'discard-reason': 'DISC' }),
      withHeaders(order(letter!), { 'discard-reason': 'DISC' }),
      { ...order(letter!), headers: stripped },
      copyOf({
        ...letter!,
        topic: 'screening.replay',
        headers: { ...letter!.headers, 'discard-reason': Buffer.from('DISC') },
      }),
    ];
    log.append(forged as OutputRecord[]);
    const stage = ends();
    const result = await run(stage.processor);
    expect(result.outputs('transfer.rejected')).toHaveLength(0);
    expect(stage.decided()).toBe(0);
    expect(
      letters()
        .slice(1)
        .map(({ headers }) => String(headers['dlq-class'])),
    ).toEqual(Array(4).fill('unproven'));
    log.append([order(letter!)]);
    expect((await run(ends().processor)).outputs('transfer.rejected')).toHaveLength(1);
  });
});
