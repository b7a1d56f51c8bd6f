// A replay of many letters at a rate, by the runner that `corridor run --replays` runs.
import type { Db } from 'mongodb';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { replayableLetters, replays } from '../../adapters/mongo/replays.ts';
import { payoutKeys, transfersNow } from '../../adapters/mongo/transfers-now.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import { decideApproval } from '../../operations/approvals/approvals.ts';
import { replayLog } from '../../operations/dead-letters/replays/log.ts';
import type { DryRunner } from '../../operations/dead-letters/replays/ports.ts';
import { askForReplay, dryRunReplay, findReplay, freezeReplay } from '../../operations/dead-letters/replays/prepare.ts';
import { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { systemClock } from '../../ports/clock.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log } from '../../ports/log.ts';
import { ringOf } from '../../ports/seals.ts';
import { testRings } from '../../test/kit/rings.ts';
import { letterAt, OWNER } from './letters.ts';

const CANARY = 25;
/** As `corridor run --replays` waits between two looks. */
const BUSY_MS = 50;
const dryRunner: DryRunner = {
  predict: async (_, records) => records.map(() => ({ kind: 'GOES_ON', code: null })),
  amounts: async (records) => records.map(() => null),
  predictDiscards: async (_, records, code) => records.map(() => ({ kind: 'REJECTED', code })),
  basis: async () => ({ build: 'bench' }),
};

export interface ReplayedAt {
  readonly letters: number;
  readonly rate: number;
  /** Letters behind the canary, between the first and the last that was sent. */
  readonly perSecond: number;
  readonly offPercent: number;
  /** Records of the replay topic, each letter once. */
  readonly sent: number;
}

/** @throws Error when a letter was not sent, or was twice */
export async function replayRate(
  db: Db,
  log: Log,
  { letters, rate }: { readonly letters: number; readonly rate: number },
): Promise<ReplayedAt> {
  const kept = replays(db);
  await kept.ensureIndexes();
  const stores = {
    replays: kept,
    letters: replayableLetters(db, groupCounts(db)),
    approvals: approvals(db),
    log: replayLog(log, 'bench', testRings),
  };
  const transfers = transfersNow(db, 'transfers', 'events', payoutKeys(testRings));
  const operators = ringOf(testRings, 'operators');
  const id = 'bench';
  // Those that the log has: the index has more.
  const parked = db.collection<{ _id: string }>('dead_letters');
  const ids = Array.from({ length: letters }, (_, n) => letterAt(n, 60, 0, '')._id);
  for (let from = 0; from < ids.length; from += 1_000) {
    await parked.updateMany({ _id: { $in: ids.slice(from, from + 1_000) } }, { $set: { corridor: 'BENCH' } });
  }
  const at = () => new Date();
  const terms = { ratePerSecond: rate, canary: CANARY, maxFailureRatio: 0 };
  const asking = { id, owner: OWNER, filter: { corridor: 'BENCH' }, terms, by: 'asha', reason: 'bench' };
  await freezeReplay(stores, { ...asking, at: at() });
  await dryRunReplay(stores, { runner: dryRunner, transfers, rings: testRings }, { id, by: 'asha', at: at() });
  const { _id, hash } = await askForReplay(stores, { id, at: at() }, operators);
  const verdict = { verdict: 'APPROVED', by: personWithKeys('ben'), reason: 'bench' } as const;
  await decideApproval(stores.approvals, { id: _id, hash, ...verdict, at: at() }, operators);
  const runner = new ReplayRunner({
    ...{ ...stores, transfers, dryRunner, rings: testRings, clock: systemClock, runner: 'bench' },
    onFault: (_replay, { code, detail }) => console.error(`${code}: ${detail}`),
  });
  const stage = playedStage(db, log);
  while ((await findReplay(kept, id)).state !== 'ENDED') {
    await runner.tick();
    await stage();
    await systemClock.sleep(BUSY_MS);
  }
  await runner.stop();
  await stores.log.close();
  return measured(db, log, { id, letters, rate });
}

/** Comes past everything that stands in the replay topic, and completes what the canary has sent, then the rest at the end. */
function playedStage(db: Db, log: Log): () => Promise<void> {
  const admin = log.admin();
  const transfers = db.collection<{ _id: string }>('transfers');
  const items = db.collection<{ transferId: string }>('replay_items');
  let handled = 0;
  return async () => {
    const sent = await items.countDocuments({ state: 'SENT' });
    if (sent === handled) return;
    const open = await items.find({ state: 'SENT', outcome: null }).toArray();
    const writes = open.map(({ transferId: _id }) => ({
      updateOne: { filter: { _id }, update: { $set: { state: 'COMPLETED', sequence: 5 } }, upsert: true },
    }));
    if (writes.length > 0) await transfers.bulkWrite(writes as never, { ordered: false });
    const ends = await log.reader().ends([`${OWNER}.replay`]);
    const offsets = ends.map(({ partition, offset }) => ({ topic: `${OWNER}.replay`, partition, offset, note: '' }));
    await (await admin).setOffsets(groupId('bench', OWNER), offsets);
    handled = sent;
  };
}

async function measured(
  db: Db,
  log: Log,
  { id, letters, rate }: { readonly id: string; readonly letters: number; readonly rate: number },
): Promise<ReplayedAt> {
  const seen = new Map<string, number>();
  const times: number[] = [];
  await log.reader().read(await log.reader().offsets([`${OWNER}.replay`]), ({ records }) => {
    for (const { headers, timestamp } of records) {
      const letter = String(headers['dlq-id']);
      seen.set(letter, (seen.get(letter) ?? 0) + 1);
      times.push(timestamp);
    }
  });
  const twice = [...seen.values()].filter((times) => times > 1).length;
  const items = await db.collection('replay_items').countDocuments({ replayId: id, state: 'SENT' });
  if (seen.size !== letters || items !== letters || twice > 0) {
    throw new Error(`of ${letters} letters ${seen.size} were sent, ${twice} of them twice, ${items} noted as sent`);
  }
  times.sort((one, other) => one - other);
  const behind = times.slice(CANARY);
  const perSecond = ((behind.length - 1) * 1_000) / Math.max(1, behind.at(-1)! - behind[0]!);
  const offPercent = Number((Math.abs(perSecond / rate - 1) * 100).toFixed(1));
  return { letters, rate, perSecond: Number(perSecond.toFixed(1)), offPercent, sent: times.length };
}
