// Reads the log in passes: first the inputs, then each chain partition, and hands what it reads to the checks.

import type { ErrorCode } from '../ports/error-codes.ts';
import type { LogRecord, PartitionRange } from '../ports/log.ts';
import { SEAL_CODES, type SealCode } from '../ports/seals.ts';
import { homePartition } from '../topics/home-partition.ts';
import { ofOtherSchemas } from './carry-over.ts';
import type { Check, Run } from './check.ts';
import type { Checkpoint } from './checkpoint.ts';
import { payloadDigest } from './content-digests.ts';
import { schemasDigest } from './digest.ts';
import type { FindingCode } from './finding-codes.ts';
import { TransferFold } from './fold.ts';
import { readAll } from './read.ts';
import { CHAIN_TOPICS, CLAIM_TOPICS, INPUT_END_TOPICS, INPUT_TOPICS } from './topics.ts';
import { type AnySeen, positionOf, type Transfer } from './transfer.ts';

const COMPARED_AT_ONCE = 500;

type OnProgress = (phase: string, records: number) => void;

export class PartitionPass {
  /** Records read, by topic. */
  readonly records = new Map<string, number>();
  readonly #run: Run & { bytesAt: Run['bytesAt'] };
  readonly #checks: readonly Check[];
  readonly #from: Checkpoint | undefined;
  readonly #onProgress: OnProgress;
  #read = 0;
  #phase = '';

  constructor(run: Run, checks: readonly Check[], from: Checkpoint | undefined, onProgress: OnProgress) {
    this.#run = run;
    this.#checks = checks;
    this.#from = from;
    this.#onProgress = onProgress;
  }

  /** What came in, what intake made of it, and what the executor has claimed, over all partitions. */
  async inputs(): Promise<void> {
    this.#phase = 'inputs';
    this.#onProgress(this.#phase, 0);
    // One after the other: a read of several topics gives them in any order, and an end is looked up at its input.
    for (const topics of [INPUT_TOPICS, INPUT_END_TOPICS, CLAIM_TOPICS]) await this.#readInputs(topics);
  }

  async #readInputs(topics: readonly string[]): Promise<void> {
    const { inputs, sources } = this.#run;
    await readAll({
      ...this.#common(),
      reader: sources.log.reader(),
      ranges: this.#ranges(topics, () => true),
      wants: () => true,
      batch: async (batch) => {
        for (const { topic, value, record, bytes } of batch) {
          if (topic === 'transfer.requested') {
            inputs.add(record.partition, record.offset, bytes, payloadDigest(value));
          }
        }
        await this.#hand(batch, undefined);
      },
      undecodable: (record, code, bytes) => {
        if (record.topic === 'transfer.requested') inputs.add(record.partition, record.offset, bytes, 0);
        else this.#unreadable(record, code);
      },
    });
  }

  /** One chain partition: its transfers are judged, compared with the stores, and handed to `onTransfer`. */
  async chain(partition: number, maxHeld: number, onTransfer: (transfer: Transfer) => Promise<void>): Promise<void> {
    this.#phase = `partition ${partition}`;
    const ranges = this.#ranges(CHAIN_TOPICS, (range) => range.partition === partition);
    const bytes = new Map(ranges.map(({ topic, from, to }) => [topic, { from, at: new Float64Array(to - from) }]));
    this.#run.bytesAt = (topic, offset) => {
      const held = bytes.get(topic);
      return held === undefined || offset < held.from ? undefined : held.at[offset - held.from];
    };
    const stands = ({ topic, offset }: LogRecord, digest: number) => {
      const held = bytes.get(topic)!;
      held.at[offset - held.from] = digest;
    };
    const accepted = ranges.find(({ topic }) => topic === 'transfer.accepted');
    const passes = Math.max(1, Math.ceil(((accepted?.to ?? 0) - (accepted?.from ?? 0)) / maxHeld));
    for (let share = 0; share < passes; share++) {
      const isMine = (key: string) => passes === 1 || homePartition(key, passes) === share;
      const fold = new TransferFold(partition, this.#run.sources, await this.#restored(partition, isMine));
      await readAll({
        ...this.#common(),
        reader: this.#run.sources.log.reader(),
        ranges,
        wants: ({ key }) => isMine(key?.toString('utf8') ?? ''),
        stands,
        batch: async (batch) => {
          for (const seen of batch) stands(seen.record, seen.bytes);
          await this.#hand(batch, fold);
        },
        undecodable: (record, code, digest) => {
          stands(record, digest);
          this.#unreadable(record, code);
        },
      });
      fold.finish();
      await this.#judge(fold, onTransfer);
    }
    for (const check of this.#checks) await check.partition?.(partition, this.#run);
  }

  #common() {
    const { sources, trail, deadLetters } = this.#run;
    return {
      codec: sources.codec,
      rings: sources.rings,
      recovery: (...[topic, record, letter, edit]: Parameters<Parameters<typeof readAll>[0]['recovery']>) => {
        this.#count(topic.name, 1);
        const source = trail.add(topic.owner, topic.kind, record, edit);
        if (source) for (const check of this.#checks) check.recovery?.(topic, source, record, this.#run);
        if (letter) deadLetters.push(letter);
      },
      sourceless: (record: LogRecord) => {
        this.#count(record.topic, 1);
        const detail = 'its headers do not name the record that it stands for';
        this.#say('DETOUR_WITHOUT_SOURCE', record, detail);
      },
    };
  }

  /** Hands decoded records on: to the checks, and to the fold unless an earlier run had them. */
  async #hand(batch: readonly AnySeen[], fold: TransferFold | undefined): Promise<void> {
    if (batch.length === 0) return;
    const { topic, record } = batch[0]!;
    const foldFrom = this.#from?.header.offsets[topic]?.[record.partition] ?? 0;
    const fresh = record.offset >= foldFrom ? batch : batch.filter((seen) => seen.record.offset >= foldFrom);
    this.#count(topic, fresh.length);
    for (const seen of fresh) {
      fold?.add(seen);
      for (const check of this.#checks) check.record?.(seen, this.#run);
    }
    for (const check of this.#checks) await check.batch?.(batch, this.#run);
  }

  async #judge(fold: TransferFold, onTransfer: (transfer: Transfer) => Promise<void>): Promise<void> {
    const transfers = [...fold.transfers.values()];
    for (const transfer of transfers) {
      for (const check of this.#checks) check.transfer?.(transfer, this.#run);
    }
    for (let at = 0; at < transfers.length; at += COMPARED_AT_ONCE) {
      const batch = transfers.slice(at, at + COMPARED_AT_ONCE);
      await Promise.all(this.#checks.map((check) => (async () => check.transfers?.(batch, this.#run))()));
    }
    for (const transfer of transfers) await onTransfer(transfer);
  }

  async #restored(partition: number, isMine: (id: string) => boolean): Promise<readonly Transfer[]> {
    const open = (await this.#from?.transfers(partition, isMine)) ?? [];
    for (const { transfer, paid, claims } of open) {
      if (paid) this.#run.provider?.restore(transfer.id, paid);
      if (claims) this.#run.claims.restore(transfer.id, claims);
    }
    const isSame = this.#from?.header.schemas === schemasDigest();
    return open.map(({ transfer }) => (isSame ? transfer : ofOtherSchemas(transfer)));
  }

  /** Ranges to read: those of the cut, longer where records are still to be compared with a store. */
  #ranges(topics: readonly string[], wanted: (range: PartitionRange) => boolean): readonly PartitionRange[] {
    return topics
      .flatMap((topic) => this.#run.cut.ranges.get(topic) ?? [])
      .filter(wanted)
      .map((range) => {
        const storeFrom = this.#from?.header.storeOffsets[range.topic]?.[range.partition] ?? range.from;
        return { ...range, from: Math.min(range.from, storeFrom) };
      });
  }

  #count(topic: string, records: number): void {
    this.records.set(topic, (this.records.get(topic) ?? 0) + records);
    this.#read += records;
    this.#onProgress(this.#phase, this.#read);
  }

  #unreadable(record: LogRecord, code: ErrorCode): void {
    this.#count(record.topic, 1);
    if (isSealCode(code)) {
      this.#say(code, record, 'nothing proves that its issuer wrote it: nobody acts on it');
      return;
    }
    const why = code === 'NEWER_SCHEMA' ? 'this version does not know its schema: verify with a newer one' : code;
    this.#say('RECORD_UNREADABLE', record, `the record does not decode: ${why}`);
  }

  #say(code: FindingCode, { topic, partition, offset, key }: LogRecord, detail: string): void {
    const position = positionOf(topic, partition, offset);
    const transferId = key?.toString('utf8');
    this.#run.findings.add('log', { code, position, detail, ...(transferId ? { transferId } : {}) });
  }
}

const isSealCode = (code: string): code is SealCode => (SEAL_CODES as readonly string[]).includes(code);
