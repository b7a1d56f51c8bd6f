// What stands on a retry topic and is a copy or a forgery has a dead letter of its own: it takes nobody else's place.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { sealedRecovery } from '../../ports/seals.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { append, input, type RunOptions, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';
import { HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';

const OWNER = 'screening';
const RETRY = 'screening.retry.60s';
const codec = memoryCodec();
type Value = ReturnType<typeof accepted>;
type Mood = 'retries' | 'refuses' | 'screens';

function screening(mood: Mood) {
  let looks = 0;
  const cause = { code: 'REFUSED', detail: 'for a test' };
  return {
    name: OWNER,
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value: { envelope, instruction, parties } }: { value: Value }) => {
      if (mood === 'retries') return { kind: 'retry', cause };
      if (mood === 'refuses') return { kind: 'dead-letter', cause };
      const found = { ...evidence(), configurationHash: `look ${looks++}` };
      const value = { envelope: following(envelope, 'transfer.screened'), instruction, parties, screening: found };
      return [{ to: 'transfer.screened', value }];
    },
  } as unknown as AnyProcessor;
}

function newLog() {
  const clock = new ManualClock();
  return { clock, log: new MemoryLog({ partitions: 1, clock, manual: true }) };
}

/** What the stage itself puts aside of so many transfers, as it stands on the retry topic. */
async function putAside(count: number): Promise<readonly LogRecord[]> {
  const { clock, log } = newLog();
  for (let i = 0; i < count; i++) {
    append(log, codec, input('transfer.accepted', accepted({ transferId: `transfer-${1_000 + i}`, partitions: 1 })));
  }
  await runProcessor(screening('retries'), {
    inputs: [],
    clock,
    codec,
    log,
    retry: [0, 1],
    maxVirtualMs: 1,
  });
  return log.records(RETRY, 0);
}
const GENUINE = await putAside(3);

const STRANGER = { stages: keyRing('stages:the-key-of-somebody-else-entirely-0000000') };
const change = (record: OutputRecord, headers: Record<string, string>, without: readonly string[] = []) => ({
  ...record,
  headers: Object.fromEntries(
    Object.entries({ ...record.headers, ...headers }).filter(([name]) => !without.includes(name)),
  ),
});

/** All that somebody can make of a true retry without keys. */
const FORGERIES: Readonly<Record<string, (record: OutputRecord) => OutputRecord>> = {
  'without a seal': (record) => change(record, {}, [RECOVERY_HEADER.recoverySeal]),
  'under the key of a stranger': (record) => sealedRecovery(STRANGER, record),
  'that says another place': (record) => change(record, { [RECOVERY_HEADER.sourceOffset]: '2' }),
  'that says another replay': (record) => change(record, { [RECOVERY_HEADER.replayCount]: '7' }),
  'that names a letter': (record) => change(record, { [RECOVERY_HEADER.deadLetterPosition]: 'transfer.accepted:0:0' }),
  'with other bytes': (record) => ({ ...record, value: Buffer.concat([record.value!, Buffer.from([0])]) }),
  'that names no source': (record) => change(record, {}, [RECOVERY_HEADER.sourceTopic]),
  'without the seal of its event': (record) => change(record, {}, [HEADER.seal]),
};

interface Planted {
  readonly record: OutputRecord;
  readonly how: string;
}

/** Runs the stage over these retries; each record has one letter, and no two letters have one id. */
async function lettersOf(planted: readonly Planted[], more: Partial<RunOptions> = {}) {
  const { clock, log } = newLog();
  log.append(planted.map(({ record }) => record));
  const common = { inputs: [], clock, codec, log, replayClaims: memoryReplayClaims() };
  const run = (mood: Mood, options: Partial<RunOptions> = {}) =>
    runProcessor(screening(mood), { ...common, ...options });
  clock.advance(120_000);
  const first = await run('refuses', more);
  expect(first.stopped).toBeUndefined();
  const letters = [...log.records('screening.dlq', 0)];
  return { log, run, letters, first };
}

const text = ({ headers }: LogRecord, name: string) => headers[name]?.toString();
const idOf = (letter: LogRecord) => text(letter, RECOVERY_HEADER.deadLetterId);
/** Where on the retry topic the record stood of which this is the letter. */
const stoodAt = (letter: LogRecord) => Number(text(letter, RECOVERY_HEADER.recoveryCause)!.split(':')[2]);

const genuine = GENUINE.map((record): Planted => ({ record: copyOf(record), how: 'genuine' }));
const forgery = fc
  .tuple(fc.nat(2), fc.constantFrom(...Object.keys(FORGERIES)))
  .map(([which, how]): Planted => ({ record: FORGERIES[how]!(genuine[which]!.record), how }));
const copy = fc.nat(2).map((which): Planted => ({ record: genuine[which]!.record, how: 'copy' }));
const anyOrder = fc
  .array(fc.oneof(forgery, copy), { maxLength: 12 })
  .chain((others) => fc.shuffledSubarray([...genuine, ...others], { minLength: others.length + 3 }));

describe('on a retry topic, in every order', () => {
  it('each record has a dead letter of its own, whatever the batches and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(anyOrder, fc.integer({ min: 1, max: 5 }), fc.nat(2), async (planted, batch, crashes) => {
        let left = crashes;
        const crash: RunOptions['crash'] = (at) => (at !== 'before-handler' && left-- > 0 ? 'crash' : undefined);
        const { letters } = await lettersOf(planted, { maxBatchRecords: batch, crash });
        expect(letters.map(stoodAt).sort((a, b) => a - b)).toEqual(planted.map((_, offset) => offset));
        expect(new Set(letters.map(idOf)).size).toBe(planted.length);
        for (const letter of letters) expect(letter.value).toEqual(planted[stoodAt(letter)]!.record.value);
      }),
      { numRuns: 60 },
    );
  });

  it('a forgery leaves the id, the source and the place of the true letter to it, before and after it', async () => {
    const [alone] = (await lettersOf([genuine[0]!])).letters;
    for (const [how, forged] of Object.entries(FORGERIES)) {
      const planted = { record: forged(genuine[0]!.record), how };
      for (const order of [
        [planted, genuine[0]!],
        [genuine[0]!, planted],
      ]) {
        const { letters } = await lettersOf(order);
        const own = letters.find((letter) => order[stoodAt(letter)] === planted)!;
        const true_ = letters.find((letter) => letter !== own)!;
        expect(idOf(true_), how).toBe(idOf(alone!));
        expect(idOf(own), how).not.toBe(idOf(alone!));
        // It says of itself where it stands, and of nobody that it is his.
        expect(text(own, RECOVERY_HEADER.sourceTopic), how).toBe(RETRY);
        expect(text(own, RECOVERY_HEADER.sourceOffset), how).toBe(String(stoodAt(own)));
        expect(text(own, RECOVERY_HEADER.deadLetterClass), how).toBe('unproven');
      }
    }
  });

  it('what names no source and bears no seal stops nobody, however many there are', async () => {
    const nameless = FORGERIES['that names no source']!(FORGERIES['without a seal']!(genuine[0]!.record));
    const many = Array.from({ length: 400 }, (): Planted => ({ record: nameless, how: 'nameless' }));
    const { letters, first } = await lettersOf([...many, genuine[0]!]);
    expect(letters).toHaveLength(401);
    expect(first.deadLetters.at(-1)).toMatchObject({ code: 'REFUSED' });
  });
});

describe('of a retry and its copy', () => {
  const orders = [
    ['the copy after it', [0, 1]],
    ['the copy before it', [1, 0]],
  ] as const;

  it.each(orders)('both letters may be replayed, and one of them is decided: %s', async (_, order) => {
    for (const apart of [false, true]) {
      const { log, run, letters } = await lettersOf([genuine[0]!, { ...genuine[0]!, how: 'copy' }]);
      expect(letters.map((letter) => text(letter, RECOVERY_HEADER.deadLetterCode))).toEqual([
        'REFUSED',
        'EVENT_REPEATED',
      ]);
      const replays = order.flatMap((i) => [
        replayOf(letters[i]!, { owner: OWNER, replayId: `r-${i}` }),
        replayOf(letters[i]!, { owner: OWNER, replayId: `again-${i}` }),
      ]);
      for (const replay of replays) {
        log.append([replay]);
        if (apart) await run('screens');
      }
      await run('screens');
      expect(log.records('transfer.screened', 0)).toHaveLength(1);
      expect(log.records('screening.dlq', 0)).toHaveLength(2);
      expect(log.committed('corridor.screening', 'screening.replay', 0)).toBe(replays.length);
    }
  });

  it('a replay that fails again has the next letter of the source, whosesoever it was', async () => {
    for (const i of [0, 1]) {
      const { log, run, letters } = await lettersOf([genuine[0]!, { ...genuine[0]!, how: 'copy' }]);
      log.append([replayOf(letters[i]!, { owner: OWNER, replayId: 'r-1' })]);
      await run('refuses');
      const again = log.records('screening.dlq', 0).at(-1)!;
      expect(text(again, RECOVERY_HEADER.deadLetterPosition)).toBeUndefined();
      expect(letters.map(idOf)).not.toContain(idOf(again));
      log.append([
        replayOf(again, { owner: OWNER, replayId: 'r-2' }),
        replayOf(again, { owner: OWNER, replayId: 'r-3' }),
      ]);
      await run('screens');
      expect(log.records('transfer.screened', 0)).toHaveLength(1);
    }
  });

  it.each(['at once', 'after it was replayed in vain'])(
    'a true retry that nothing proves is decided once its letter is replayed as it claims to be: %s',
    async (how) => {
      // As an executor or stage of before wrote it: only the event in it bears a seal.
      const unsealed = FORGERIES['without a seal']!(genuine[0]!.record);
      const { log, run, letters } = await lettersOf([{ record: unsealed, how: 'unsealed' }]);
      const [letter] = letters;
      for (const name of ['topic', 'partition', 'offset', 'timestamp']) {
        expect(text(letter!, `claimed-source-${name}`)).toBe(unsealed.headers[`source-${name}`]?.toString());
      }
      // A replay that does not say so is one more letter, which knows the claim too.
      if (how === 'after it was replayed in vain') {
        log.append([replayOf(letter!, { owner: OWNER, replayId: 'r-1' })]);
        await run('screens');
        expect(log.records('transfer.screened', 0)).toEqual([]);
      }
      const last = log.records('screening.dlq', 0).at(-1)!;
      const replays = ['r-2', 'r-3'].map((replayId) => replayOf(last, { owner: OWNER, replayId, asClaimed: true }));
      log.append(replays);
      await run('screens');
      expect(log.records('transfer.screened', 0)).toHaveLength(1);
    },
  );

  it('a claim of a source is no licence: what is no event of the chain stays none', async () => {
    const forged = FORGERIES['without the seal of its event']!(FORGERIES['without a seal']!(genuine[0]!.record));
    const { log, run, letters } = await lettersOf([{ record: forged, how: 'forged' }]);
    log.append([replayOf(letters[0]!, { owner: OWNER, replayId: 'r-1', asClaimed: true })]);
    const last = await run('screens');
    expect(log.records('transfer.screened', 0)).toEqual([]);
    expect(last.deadLetters.at(-1)).toMatchObject({ code: 'SEAL_MISSING' });
  });

  it.each(Object.entries(FORGERIES))(
    'the replay of a forgery %s decides nothing and claims nothing',
    async (how, forged) => {
      const { log, run, letters } = await lettersOf([{ record: forged(genuine[0]!.record), how }, genuine[0]!]);
      log.append([replayOf(letters[0]!, { owner: OWNER, replayId: 'r-1' })]);
      const last = await run('screens');
      expect(log.records('transfer.screened', 0)).toEqual([]);
      expect(last.deadLetters.at(-1)).toMatchObject({ code: 'SOURCE_UNKNOWN' });
      log.append([replayOf(letters[1]!, { owner: OWNER, replayId: 'r-2' })]);
      await run('screens');
      expect(log.records('transfer.screened', 0)).toHaveLength(1);
    },
  );
});
