// Replays of dead letters over a real database and a log in memory, with a processor that decides each replayed letter once.
import type { Db, MongoClient } from 'mongodb';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { DEAD_LETTERS, GROUPS, groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { ensureIndexes, insertOnlyStore } from '../../adapters/mongo/idempotent-store.ts';
import { replayableLetters, replays } from '../../adapters/mongo/replays.ts';
import { payoutKeys, transfersNow } from '../../adapters/mongo/transfers-now.ts';
import type { DiscardReason } from '../../domain/reasons.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import { decideApproval } from '../../operations/approvals/approvals.ts';
import { replayLog } from '../../operations/dead-letters/replays/log.ts';
import type { DryRunner } from '../../operations/dead-letters/replays/ports.ts';
import {
  askForReplay,
  DEFAULT_TERMS,
  dryRunReplay,
  freezeReplay,
  type ReplayStores,
} from '../../operations/dead-letters/replays/prepare.ts';
import { selectionHash } from '../../operations/dead-letters/replays/replay.ts';
import { ReplayRunner, type RunnerOptions } from '../../operations/dead-letters/replays/run.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { ringOf, sealedRecovery } from '../../ports/seals.ts';
import { contentOf, type DeadLetterDocument, groupIndexes, indexes } from '../../sinks/dead-letters/letter.ts';
import { deadLetterId } from '../../topics/dead-letter-id.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { testRings } from './rings.ts';

export const OWNER = 'limits';
export const TARGET = `${OWNER}.replay`;
let runs = 0;

export const dryRunner: DryRunner = {
  predict: async (_, records) => records.map(() => ({ kind: 'GOES_ON', code: null })),
  predictDiscards: async (_, records, code) => records.map(() => ({ kind: 'REJECTED', code })),
  amounts: async (records) => records.map(({ key }) => ({ minor: BigInt(String(key).slice(2)), currency: 'GBP' })),
  basis: async () => ({ build: 'one' }),
};

/** Dead letters in the log and in the index. */
export class ReplayWorld {
  readonly clock = new ManualClock();
  readonly log = new MemoryLog({ clock: this.clock, manual: true });
  readonly db: Db;
  readonly stores: ReplayStores & { readonly log: ReturnType<typeof replayLog> };
  readonly ids: string[] = [];
  /** How often each letter was decided. */
  readonly decided = new Map<string, number>();
  /** Its transfers are in flight for long. */
  isSlow = false;
  #handled = [0, 0, 0, 0];

  constructor(client: MongoClient) {
    this.db = client.db(`replays_${process.pid}_${Date.now().toString(36)}_${runs++}`);
    const counts = groupCounts(this.db);
    this.stores = {
      replays: replays(this.db),
      letters: replayableLetters(this.db, counts),
      approvals: approvals(this.db, async () => new Date(this.clock.now())),
      log: replayLog(this.log, 'corridor', testRings),
    };
  }

  async fill(letters: number): Promise<void> {
    await ensureIndexes(this.db, DEAD_LETTERS, indexes);
    await ensureIndexes(this.db, GROUPS, groupIndexes);
    await replays(this.db).ensureIndexes();
    const documents: DeadLetterDocument[] = [];
    for (let n = 0; n < letters; n++) documents.push(this.putAside(n, 0));
    await insertOnlyStore<DeadLetterDocument>(this.db, DEAD_LETTERS, contentOf).insertOnly(documents);
    for (const { transferId } of documents) await this.stand(transferId!, 'DEAD_LETTERED', 3);
  }

  putAside(n: number, replayCount: number, replayId: string | null = null): DeadLetterDocument {
    const partition = n % 4;
    const source = { topicId: 'priced', partition, offset: n };
    const id = deadLetterId({ owner: OWNER, source: { ...source, replayCount } });
    const headers = {
      'dlq-id': id,
      'replay-count': String(replayCount),
      'source-topic': 'transfer.priced',
      'source-topic-id': 'priced',
      'source-partition': String(partition),
      'source-offset': String(n),
    };
    const topic = `${OWNER}.dlq`;
    const record = sealedRecovery(testRings, { topic, partition, key: `T-${n}`, value: Buffer.from('v'), headers });
    const place = { topicId: topic, partition, offset: this.log.records(topic, partition).length };
    this.log.append([record]);
    if (replayCount === 0) this.ids.push(id);
    const failedAt = new Date(this.clock.now());
    return {
      ...{ _id: id, letterId: id, proven: true, owner: OWNER, code: 'UNEXPECTED_ERROR', class: 'poison' },
      ...{ detail: '', frame: null, group: 'aaaaaaaaaaaaaaaa', cause: 'x', place, replayCount, replayId },
      source: { ...source, topic: 'transfer.priced', lastOffset: null },
      ...{ firstFailedAt: failedAt, failedAt, tries: 1, transferId: `T-${n}`, sequence: 3, corridor: 'GB-IN' },
      ...{ amountMinor: BigInt(n), currency: 'GBP', bytes: 2, state: 'PARKED', takenBy: null, stateAt: failedAt },
    };
  }

  async stand(transferId: string, state: string, sequence: number): Promise<void> {
    const transfers = this.db.collection<{ _id: string }>('transfers');
    await transfers.updateOne({ _id: transferId }, { $set: { state, sequence } }, { upsert: true });
  }

  /** What became of each letter that was discarded. */
  readonly ended = new Map<string, number>();

  /** The processor handles what stands in its replay topic: `isBroken` says of which letters it breaks again. */
  async handle(isBroken: (n: number) => boolean = () => false): Promise<void> {
    for (let partition = 0; partition < 4; partition++) {
      const records = this.log.records(TARGET, partition).slice(this.#handled[partition]);
      for (const { headers } of records) {
        const id = headers['dlq-id']!.toString();
        const n = Number(headers['source-offset']!.toString());
        this.decided.set(id, (this.decided.get(id) ?? 0) + 1);
        const count = Number(headers['replay-count']!.toString());
        const isDiscard = headers['discard-reason'] !== undefined;
        if (isDiscard) this.ended.set(id, (this.ended.get(id) ?? 0) + 1);
        if (this.isSlow) continue;
        if (!isBroken(n)) await this.stand(`T-${n}`, isDiscard ? 'REJECTED' : 'COMPLETED', 5);
        else {
          const again = this.putAside(n, count, headers['replay-id']!.toString());
          await insertOnlyStore<DeadLetterDocument>(this.db, DEAD_LETTERS, contentOf).insertOnly([again]);
        }
      }
      this.#handled[partition]! += records.length;
    }
    const admin = await this.log.admin();
    const offsets = this.#handled.map((offset, partition) => ({ topic: TARGET, partition, offset, note: '' }));
    await admin.setOffsets(groupId('corridor', OWNER), offsets);
  }

  runner(name: string, more: Partial<RunnerOptions> = {}): ReplayRunner {
    return new ReplayRunner({
      ...this.stores,
      transfers: transfersNow(this.db, 'transfers', 'events', payoutKeys(testRings)),
      dryRunner,
      rings: testRings,
      clock: this.clock,
      runner: name,
      ...more,
    });
  }

  /** A replay, or with a reason a discard, of everything that is parked, asked for by asha and approved by ben. */
  async approved(
    terms = { ...DEFAULT_TERMS, ratePerSecond: 1_000 },
    discard?: DiscardReason,
    edit?: (letterId: string) => string | undefined,
  ): Promise<string> {
    this.clock.advance(1_000);
    const id = `replay-${runs++}`;
    const [by, at] = ['asha', new Date(this.clock.now())];
    await freezeReplay(this.stores, {
      ...{ id, owner: OWNER, filter: {}, terms, by, reason: 'mended', at },
      ...(discard && { discard }),
    });
    if (edit) await this.#edit(id, edit);
    await this.letThrough(id);
    return id;
  }

  /** Tried and asked for by asha as it stands. */
  async ask(id: string) {
    const [by, at, operators] = ['asha', new Date(this.clock.now()), ringOf(testRings, 'operators')];
    const transfers = transfersNow(this.db, 'transfers', 'events', payoutKeys(testRings));
    await dryRunReplay(this.stores, { runner: dryRunner, transfers, rings: testRings }, { id, by, at });
    return askForReplay(this.stores, { id, at }, operators);
  }

  /** The same, and approved by ben. */
  async letThrough(id: string): Promise<void> {
    const { _id, hash } = await this.ask(id);
    const [at, operators] = [new Date(this.clock.now()), ringOf(testRings, 'operators')];
    const deciding = {
      id: _id,
      hash,
      verdict: 'APPROVED',
      by: personWithKeys('ben'),
      reason: 'looked at it',
      at,
    } as const;
    await decideApproval(this.stores.approvals, deciding, operators);
  }

  /** What is edited of its letters, as `editLetter` leaves it. */
  async #edit(id: string, textOf: (letterId: string) => string | undefined): Promise<void> {
    const { replays: kept } = this.stores;
    const at = new Date(this.clock.now());
    for (const { _id, letterId } of await kept.items(id, {}, 1_000)) {
      const text = textOf(letterId);
      if (text !== undefined) await kept.edit(_id, { text, by: 'asha', at });
    }
    const items = await kept.items(id, {}, 1_000);
    const edited = items.filter((item) => item.edit).length;
    await kept.change((await kept.find(id))!, { selectionHash: selectionHash(OWNER, items), edited });
  }

  sent(): readonly string[] {
    return this.log.all(TARGET).map(({ headers }) => headers['dlq-id']!.toString());
  }

  async states(): Promise<Readonly<Record<string, number>>> {
    const found = await this.db.collection(DEAD_LETTERS).find({ replayCount: 0 }).toArray();
    return Object.fromEntries([...Map.groupBy(found, ({ state }) => state as string)].map(([k, of]) => [k, of.length]));
  }

  /** Runs until nothing more happens by itself. */
  async run(runner: ReplayRunner, isBroken?: (n: number) => boolean, most = 60): Promise<void> {
    for (let i = 0; i < most; i++) {
      await runner.tick();
      await this.handle(isBroken);
      this.clock.advance(250);
    }
  }
}

/** A world of its own, with so many parked letters. */
export async function replayWorld(client: MongoClient, letters: number): Promise<ReplayWorld> {
  const made = new ReplayWorld(client);
  await made.fill(letters);
  return made;
}
