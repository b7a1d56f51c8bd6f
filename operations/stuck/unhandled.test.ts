// What stages have still to handle, read from a log in memory: retries by reason, what is behind, money, and forgeries.
import { describe, expect, it } from 'vitest';
import type { BatchResult, OutputRecord } from '../../ports/log.ts';
import { sealedRecovery } from '../../ports/seals.ts';
import { transferAccepted, transferRequested, transferScreened } from '../../test/kit/builders.ts';
import { append, input } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { unhandledRecords } from './unhandled.ts';

const codec = memoryCodec();
const app = 'corridor';

function world() {
  const clock = new ManualClock();
  const log = new MemoryLog({ partitions: 2, clock, manual: true });
  const read = (maxRead?: number) => unhandledRecords({ log, codec, app, rings: testRings }, maxRead);
  return { clock, log, read };
}

/** A record of a retry tier as a stage puts it there: a copy of what stands first on its topic. */
function retryOf(log: MemoryLog, topic: string, owner: string, code: string, firstFailedAt: number): OutputRecord {
  const { key, value, headers, partition, offset, timestamp } = log.all(topic)[0]!;
  const kept = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text!]));
  return sealedRecovery(testRings, {
    topic: `${owner}.retry.60s`,
    partition,
    key,
    value,
    headers: {
      ...kept,
      [RECOVERY_HEADER.sourceTopic]: topic,
      [RECOVERY_HEADER.sourcePartition]: String(partition),
      [RECOVERY_HEADER.sourceOffset]: String(offset),
      [RECOVERY_HEADER.sourceTimestamp]: String(timestamp),
      [RECOVERY_HEADER.retryCode]: code,
      [RECOVERY_HEADER.firstFailedAt]: String(firstFailedAt),
    },
  });
}

/** The first record of a partition was handled. */
const CONTINUE: BatchResult['then'] = { do: 'continue' };
const DONE = batchResult(0, CONTINUE);

function batchResult(doneThrough: number, then: BatchResult['then']): BatchResult {
  return { doneThrough, outputs: [], then };
}

describe('records that wait', () => {
  it('are those behind the position of their group, with what was instructed and since when', async () => {
    const { log, read } = world();
    append(log, codec, input('transfer.accepted', transferAccepted({ transferId: 't-1' }), { partition: 1 }));
    append(log, codec, input('transfer.requested', transferRequested({ transferId: 't-2' })));
    const { records, cut } = await read();
    expect(cut).toEqual([]);
    expect(records).toMatchObject([
      { owner: 'intake', topic: 'transfer.requested', kind: 'BEHIND', code: null, since: log.clock.now() },
      { owner: 'screening', topic: 'transfer.accepted', partition: 1, kind: 'BEHIND' },
    ]);
    const { instructedAmount } = transferRequested();
    for (const { amount } of records) expect(amount).toEqual(instructedAmount);
  });

  it('are not those that were handled, nor ends, which move nothing on', async () => {
    const { log, read } = world();
    append(log, codec, input('transfer.accepted', transferAccepted(), { partition: 1 }));
    const batch = { topic: 'transfer.accepted', partition: 1, records: log.records('transfer.accepted', 1) };
    log.commit('screening', DONE, batch);
    expect((await read()).records).toEqual([]);
  });

  it('stand in a retry tier under the code that put them there, since they failed first', async () => {
    const { log, read } = world();
    append(log, codec, input('transfer.screened', transferScreened(), { partition: 1 }));
    const at = log.clock.now();
    log.append([retryOf(log, 'transfer.screened', 'fx-pricing', 'RATE_STALE', at - 90_000)]);
    const [behind, retry] = (await read()).records;
    expect(behind).toMatchObject({ kind: 'BEHIND', owner: 'fx-pricing' });
    expect(retry).toMatchObject({ kind: 'RETRY', code: 'RATE_STALE', since: at - 90_000, amount: behind!.amount });
  });

  it('count without money where nothing proves what they are', async () => {
    const { log, read } = world();
    append(log, codec, input('transfer.screened', transferScreened(), { partition: 1, unsealed: true }));
    const forged = retryOf(log, 'transfer.screened', 'fx-pricing', 'RATE_STALE', 1);
    log.append([{ ...forged, headers: { ...forged.headers, [RECOVERY_HEADER.retryCode]: 'OTHER' } }]);
    expect((await read()).records).toMatchObject([
      { kind: 'BEHIND', code: 'SEAL_MISSING', amount: null },
      { kind: 'RETRY', code: 'SEAL_WRONG', amount: null },
    ]);
  });

  it('are read up to a bound of each partition, and what was left out is said', async () => {
    const { log, read } = world();
    for (let n = 0; n < 130; n++) append(log, codec, input('transfer.screened', transferScreened(), { partition: 1 }));
    const { records, cut } = await read(50);
    expect(records).toHaveLength(50);
    expect(cut).toEqual([{ owner: 'fx-pricing', topic: 'transfer.screened', partition: 1, read: 50, waiting: 130 }]);
  });

  it('are not told without the keys that tell true ones from forged ones', async () => {
    const { log } = world();
    const rings = { ...testRings, stages: undefined };
    expect(await unhandledRecords({ log, codec, app, rings, unproven: true })).toMatchObject({ isProven: false });
    await expect(unhandledRecords({ log, codec, app, rings })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
