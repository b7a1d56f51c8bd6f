// However large letters are, and whatever the index says of their size: so many bytes are held at once, and none is left out.
import { describe, expect, it } from 'vitest';
import { sealedRecovery } from '../../../ports/seals.ts';
import { ManualClock } from '../../../test/kit/manual-clock.ts';
import { MemoryLog } from '../../../test/kit/memory-log.ts';
import { testRings } from '../../../test/kit/rings.ts';
import { checkLetters } from './check-letters.ts';
import { replayLog } from './log.ts';
import type { DryRunner } from './ports.ts';
import { predictLetters } from './predict.ts';
import type { ReplayDocument, ReplayItem } from './replay.ts';

const MAX_BYTES = 10_000;
const transfers = { standing: async () => new Map(), payouts: async () => new Map() };

/** Letters of these sizes, in one partition. */
function letters(sizes: readonly number[]) {
  const log = new MemoryLog({ partitions: 1, clock: new ManualClock(), manual: true });
  const items = sizes.map((size, n): ReplayItem => {
    const headers = { 'dlq-id': `letter-${n}`, 'source-topic': 'transfer.priced' };
    const value = Buffer.alloc(size, 'v');
    log.append([sealedRecovery(testRings, { topic: 'limits.dlq', partition: 0, key: `T-${n}`, value, headers })]);
    return {
      ...{ _id: `r/letter-${n}`, replayId: 'r', letterId: `letter-${n}`, turn: n, transferId: `T-${n}`, sequence: 3 },
      place: { topicId: 'limits.dlq', partition: 0, offset: n },
      ...{ source: `priced:0:${n}`, sourceTopic: 'transfer.priced', replayCount: 0, state: 'SELECTED' },
      ...{ prediction: null, skipped: null, sentAt: null, sentBefore: null },
      ...{ outcome: null, outcomeAt: null, successor: null },
    };
  });
  return { log: replayLog(log, 'corridor', testRings, MAX_BYTES), items };
}

/** Sees how much is handed to it at once. */
function watched() {
  const most = { bytes: 0, letters: 0 };
  const runner: DryRunner = {
    async predict(_, tried) {
      const records = tried.map(({ record }) => record);
      const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      if (records.length > 1) most.bytes = Math.max(most.bytes, bytes);
      most.letters += records.length;
      return records.map(({ key }) => ({ kind: 'GOES_ON', code: String(key) }));
    },
    predictDiscards: async (_, records, code) => records.map(() => ({ kind: 'REJECTED', code })),
    amounts: async (records) => records.map(() => null),
    basis: async () => ({}),
  };
  return { most, runner };
}

describe('letters that do not fit into memory together', () => {
  it('are tried some at a time, each once, in their order', async () => {
    const { log, items } = letters([4_000, 4_000, 4_000, 25_000, 10, 9_000, 1, 0]);
    const { most, runner } = watched();
    const predictions = await predictLetters(items, 'limits', log, { runner, transfers, rings: testRings });
    expect(predictions.map(({ code }) => code)).toEqual(items.map(({ transferId }) => transferId));
    expect(most.letters).toBe(items.length);
    expect(most.bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('are sent some at a time: what did not fit is neither sent nor skipped, and is next', async () => {
    const { log, items } = letters(Array.from({ length: 12 }, () => 3_000));
    const taken = { taken: async (_: string, ids: readonly string[]) => new Set(ids) };
    const replay = { _id: 'r', owner: 'limits' } as ReplayDocument;
    let open = items;
    let looks = 0;
    while (open.length > 0) {
      const checked = await checkLetters(open, replay, { letters: taken, log, transfers, rings: testRings });
      expect(checked.skipped).toEqual([]);
      expect(checked.good.length).toBeGreaterThan(0);
      expect(checked.good.reduce((sum, { record }) => sum + record.value!.length, 0)).toBeLessThanOrEqual(MAX_BYTES);
      const sent = new Set(checked.good.map(({ item }) => item._id));
      open = open.filter(({ _id }) => !sent.has(_id));
      looks++;
    }
    expect(looks).toBe(4);
  });
});
