// A record that its consumer cannot get past, and that two persons let it skip: put aside once, the position behind it, and
// nothing that can be handled is ever skipped.
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { type RecordSkips, recordDigest, type SkippableRecord } from '../../ports/record-skips.ts';
import { runProcessor } from '../../test/kit/harness.ts';
import type { CrashPoint } from '../../test/kit/memory-log.ts';
import { clearing, idOf, ids, inOne, sorted } from './testing/clearing.ts';

const STUCK = 'transfer-0001';
const cause = { code: 'RATE_MISSING', detail: 'not there' } as const;
const away = () =>
  new CodedError('CLIENT_BUG' as ErrorCode, 'the driver fails', { faultClass: 'transient-dependency' });

/** Skips in memory: which offsets may be, and what was asked. */
function skipping(...offsets: readonly number[]) {
  const asked: SkippableRecord[] = [];
  const begun: string[] = [];
  const skips: RecordSkips = {
    async approved(record) {
      asked.push(record);
      if (!offsets.includes(record.offset)) return undefined;
      return { approvalId: `ask-${record.offset}`, askedBy: 'Asha', approvedBy: 'Ben' };
    },
    async begin({ approvalId }) {
      begun.push(approvalId);
      return true;
    },
  };
  return { skips, asked, begun };
}

const stopping = clearing({
  decide: (received) => (idOf(received) === STUCK ? { kind: 'stop', cause } : undefined),
});
const failing = (isStuck: (id: string) => boolean) =>
  clearing({
    prepare: (batch) => {
      if (batch.some((received) => isStuck(idOf(received)))) throw away();
    },
  });

describe('a record that stops its stage', () => {
  it('goes to the dead letters with its mark, and the stage goes on behind it', async () => {
    const { skips, asked } = skipping(1);
    // What came before it is committed first; the stage stops, and comes to it at its next start.
    const { log, codec, clock, stopped } = await runProcessor(stopping, { ...inOne(ids(4)), skips });
    expect(stopped?.code).toBe('RATE_MISSING');
    const run = await runProcessor(stopping, { inputs: [], log, codec, clock, skips });
    expect(run.stopped).toBeUndefined();
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0002', 'transfer-0003']);
    expect(run.deadLetters).toMatchObject([
      {
        ...{ code: 'RECORD_SKIPPED', class: 'skipped' },
        headers: {
          ...{ 'skip-id': 'ask-1', 'skip-asked-by': 'Asha', 'skip-approved-by': 'Ben' },
          'dlq-error-detail': 'RATE_MISSING: not there',
        },
      },
    ]);
    expect(run.lifecycle.filter(({ state }) => state === 'DEAD_LETTERED')).toMatchObject([
      { transferId: STUCK, reasonCodes: ['RECORD_SKIPPED'] },
    ]);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(4);
    const record = run.log.records('transfer.accepted', 0)[1]!;
    expect(asked.at(-1)).toMatchObject({ owner: 'screening', partition: 0, offset: 1, digest: recordDigest(record) });
  });

  it('stops it as before where nobody let it be skipped, or the skip of another record was', async () => {
    for (const offsets of [[], [0], [2]]) {
      const { skips } = skipping(...offsets);
      const run = await runProcessor(stopping, { ...inOne(ids(4)), skips });
      expect(run.stopped?.code).toBe('RATE_MISSING');
      expect(run.deadLetters).toEqual([]);
      expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(1);
    }
  });

  it('stops it as before while the store of approvals is away, or says that it is too late', async () => {
    const isAway = async () => Promise.reject(away());
    const { skips } = skipping(1);
    for (const other of [
      { ...skips, approved: isAway },
      { ...skips, begin: isAway },
      { ...skips, begin: async () => false },
    ]) {
      const run = await runProcessor(stopping, { ...inOne(ids(3)), skips: other });
      expect(run.stopped?.code).toBe('RATE_MISSING');
      expect(run.deadLetters).toEqual([]);
    }
  });

  it.each<CrashPoint>(['before-handler', 'before-commit', 'after-commit'])(
    'is put aside once, whenever its process dies (%s)',
    async (point) => {
      for (let after = 1; after <= 4; after++) {
        const { skips } = skipping(1);
        let seen = 0;
        const crash = (at: CrashPoint) => (at === point && ++seen === after ? ('crash' as const) : undefined);
        const run = await runProcessor(stopping, { ...inOne(ids(4)), skips, crash, maxBatchRecords: 1 });
        expect(run.deadLetters).toHaveLength(1);
        expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0002', 'transfer-0003']);
        expect(run.lifecycle.filter(({ state }) => state === 'DEAD_LETTERED')).toHaveLength(1);
      }
    },
  );
});

describe('a record for which a dependency fails', () => {
  const options = { maxVirtualMs: 60_000 };

  it('is skipped where it fails alone and another goes through', async () => {
    const { skips, begun } = skipping(1);
    const processor = failing((id) => id === STUCK);
    const run = await runProcessor(processor, { ...inOne(ids(3)), ...options, skips, maxBatchRecords: 2 });
    expect(run.deadLetters).toMatchObject([{ code: 'RECORD_SKIPPED', class: 'skipped' }]);
    expect(sorted(run.outputs('transfer.screened'))).toEqual(['transfer-0000', 'transfer-0002']);
    expect(begun).toEqual(['ask-1']);
  });

  it('lets those before it through, and stands alone for people to see, while those behind it wait', async () => {
    const { skips } = skipping();
    const runs: number[] = [];
    const processor = clearing({
      prepare: (batch) => {
        runs.push(batch.length);
        if (batch.some((received) => idOf(received) === 'transfer-0037')) throw away();
      },
    });
    const run = await runProcessor(processor, { ...inOne(ids(100)), ...options, skips });
    expect(run.deadLetters).toEqual([]);
    expect(run.outputs('transfer.screened')).toHaveLength(37);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBe(37);
    // In an outage each look at it costs one run more, whatever is in the batch.
    expect(runs.slice(-2)).toEqual([63, 1]);
  });

  it('is not skipped while nothing goes through: then it is the dependency, and it can be handled later', async () => {
    const { skips, begun } = skipping(0, 1, 2);
    const run = await runProcessor(
      failing(() => true),
      { ...inOne(ids(3)), ...options, skips },
    );
    expect(run.deadLetters).toEqual([]);
    expect(begun).toEqual([]);
    expect(run.log.committed('corridor.screening', 'transfer.accepted', 0)).toBeUndefined();
  });

  it('is handled, and not skipped, where it goes through after all', async () => {
    const { skips, begun } = skipping(0);
    let failures = 3;
    const run = await runProcessor(
      failing((id) => id === 'transfer-0000' && failures-- > 0),
      {
        ...inOne(ids(2)),
        ...options,
        skips,
      },
    );
    expect(run.deadLetters).toEqual([]);
    expect(begun).toEqual([]);
    expect(run.outputs('transfer.screened')).toHaveLength(2);
  });
});
