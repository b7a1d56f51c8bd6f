// A dead letter is decided again once, however often and by whomever it is replayed.

import { describe, expect, it } from 'vitest';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { append, input, type RunOptions, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';

const OWNER = 'screening';
type Value = ReturnType<typeof accepted>;

/** A stage that finds something else each time it decides, and refuses what is on its list. */
function screening(refused: ReadonlySet<string> = new Set()) {
  let looks = 0;
  const processor = {
    name: OWNER,
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value }: { value: Value }) => {
      if (refused.has(value.envelope.transferId)) {
        return { kind: 'dead-letter', cause: { code: 'REFUSED', detail: 'for a test' } };
      }
      const { instruction, parties } = value;
      const found = { ...evidence(), configurationHash: `look ${looks++}` };
      const envelope = following(value.envelope, 'transfer.screened');
      return [{ to: 'transfer.screened', value: { envelope, instruction, parties, screening: found } }];
    },
  };
  return processor as unknown as AnyProcessor;
}

/** A log with these transfers in the dead letters of the stage. */
async function withLetters(count: number) {
  const clock = new ManualClock();
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: 1, clock, manual: true });
  const replayClaims = memoryReplayClaims();
  const ids = Array.from({ length: count }, (_, i) => `transfer-${i + 1_000}`);
  for (const transferId of ids) append(log, codec, input('transfer.accepted', accepted({ transferId, partitions: 1 })));
  const common = { inputs: [], clock, codec, log, replayClaims };
  await runProcessor(screening(new Set(ids)), common);
  const run = (more: Partial<RunOptions> = {}, refused?: ReadonlySet<string>) =>
    runProcessor(screening(refused), { ...common, ...more });
  const letters = () => log.records('screening.dlq', 0);
  const replays = () => log.records('screening.replay', 0);
  const screened = () => log.records('transfer.screened', 0).map(({ key }) => String(key));
  return { ids, log, run, letters, replays, screened, replayClaims };
}

const replay = (letter: LogRecord, replayId: string) => replayOf(letter, { owner: OWNER, replayId });
const withHeaders = ({ headers, ...record }: OutputRecord, change: Record<string, string>): OutputRecord =>
  ({ ...record, headers: { ...headers, ...change } }) as OutputRecord;

describe('a dead letter', () => {
  it.each([
    ['by two operators', (one: OutputRecord, letter: LogRecord) => [one, replay(letter, 'r-2')]],
    ['and that replay is copied', (one: OutputRecord) => [one, one]],
  ])('that is replayed %s is decided once, in one batch or in two', async (_, records) => {
    for (const apart of [false, true]) {
      const { log, run, letters, screened, ids } = await withLetters(1);
      const [letter] = letters();
      const [one, other] = records(replay(letter!, 'r-1'), letter!);
      log.append([one!]);
      if (apart) await run();
      log.append([other!]);
      const last = await run();
      expect(screened()).toEqual(ids);
      expect(letters()).toHaveLength(1);
      expect(last.stopped).toBeUndefined();
      expect(log.committed('corridor.screening', 'screening.replay', 0)).toBe(2);
      expect(last.lifecycle.filter(({ state }) => state === 'SCREENED')).toHaveLength(1);
    }
  });

  it.each(['before-handler', 'before-commit', 'after-commit'] as const)(
    'whose replay meets a crash %s goes on, and is decided once',
    async (point) => {
      const { log, run, letters, screened, ids } = await withLetters(3);
      log.append(letters().map((letter, i) => replay(letter, `r-${i}`)));
      log.append(letters().map((letter, i) => replay(letter, `again-${i}`)));
      let crashes = 3;
      const last = await run({
        maxBatchRecords: 2,
        crash: (at) => (at === point && crashes-- > 0 ? 'crash' : undefined),
      });
      expect(last.crashes).toBe(3);
      expect(screened()).toEqual(ids);
    },
  );

  it('whose claim was made while the answer was lost is still its own', async () => {
    const { log, run, letters, screened, ids, replayClaims } = await withLetters(1);
    log.append([replay(letters()[0]!, 'r-1')]);
    replayClaims.outages.crashAfter = 2;
    await run();
    expect(screened()).toEqual(ids);
  });

  it('may be replayed after a newer one: nothing is refused for its order', async () => {
    const { log, run, letters, screened, ids } = await withLetters(9);
    const shuffled = [7, 2, 8, 0, 5, 1, 6, 3, 4];
    for (const i of shuffled) {
      log.append([replay(letters()[i]!, `r-${i}`)]);
      await run();
    }
    expect(screened()).toEqual(shuffled.map((i) => ids[i]));
  });

  it('that fails again is another one, which may be replayed', async () => {
    const { log, run, letters, screened, ids } = await withLetters(1);
    log.append([replay(letters()[0]!, 'r-1')]);
    await run({}, new Set(ids));
    expect(letters()).toHaveLength(2);
    log.append([replay(letters()[1]!, 'r-2'), replay(letters()[0]!, 'r-3')]);
    await run();
    expect(screened()).toEqual(ids);
    expect(letters()).toHaveLength(2);
  });
});

describe('a replay', () => {
  it('that names no letter changes nothing, and the letter may still be replayed', async () => {
    const { log, run, letters, screened, ids, replayClaims } = await withLetters(1);
    const good = replay(letters()[0]!, 'r-1');
    const { log: scratch } = await withLetters(0);
    const wrong = [
      withHeaders(good, { 'replay-count': '0' }),
      withHeaders(good, { 'replay-count': '2' }),
      withHeaders(good, { 'replay-id': '' }),
      withHeaders(good, { 'dlq-id': 'another' }),
      withHeaders(good, { 'source-offset': '7' }),
    ];
    // Sealed by the operators' key as they are: a tool that does it wrong.
    scratch.append(wrong);
    log.append(scratch.records('screening.replay', 0).map((record) => resealed(record)));
    await run();
    expect(screened()).toEqual([]);
    expect(letters()).toHaveLength(1);
    expect(replayClaims.store.size).toBe(0);
    log.append([good]);
    await run();
    expect(screened()).toEqual(ids);
  });

  it('that is copied to another partition is a dead letter', async () => {
    const { log, run, letters, replays, screened } = await withLetters(1);
    log.append([replay(letters()[0]!, 'r-1')]);
    const wide = new MemoryLog({ partitions: 2, clock: log.clock, manual: true });
    wide.append(replays().map((record) => ({ ...copyOf(record), partition: 1 })));
    const last = await run({ log: wide });
    expect(last.deadLetters.map(({ code, class: kind }) => `${kind} ${code}`)).toEqual(['unproven DETOUR_MISPLACED']);
    expect(screened()).toEqual([]);
  });

  it('is the only thing for which the database is asked', async () => {
    const { log, run, letters, replayClaims } = await withLetters(4);
    await run();
    expect(replayClaims.outages.calls).toBe(0);
    log.append(letters().map((letter, i) => replay(letter, `r-${i}`)));
    await run();
    expect(replayClaims.outages.calls).toBe(1);
  });
});

const resealed = ({ topic, partition, key, value, headers }: LogRecord): OutputRecord => {
  const count = Number(headers['replay-count']) - 1;
  const before = { ...headers, 'replay-count': Buffer.from(String(count)) };
  const again = replayOf(
    { topic, partition, key, value, headers: before, offset: 0, timestamp: 0 },
    { owner: OWNER, replayId: String(headers['replay-id']) },
  );
  return again;
};
