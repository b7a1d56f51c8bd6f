// A log in memory with lifecycle rows of made-up transfers, and the writer of the grains beside it.
import type { ErrorCode } from '../../../ports/error-codes.ts';
import type { LogRecord, OutputRecord, RecordBatch } from '../../../ports/log.ts';
import { sealed } from '../../../ports/seals.ts';
import { ANALYTICS } from '../../../processors/topology.ts';
import type { AnalyticsWatermark, TransferLifecycle, TransferMoney } from '../../../schemas/types.generated.ts';
import { AT } from '../../../test/kit/builders.ts';
import { ManualClock } from '../../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { type CrashPlan, MemoryLog } from '../../../test/kit/memory-log.ts';
import { testRings } from '../../../test/kit/rings.ts';
import type { TopicName, TopicValues } from '../../../topics/catalogue.ts';
import { type Ending, History } from '../../../verify/testing/history.ts';
import { createGrains } from '../grains.ts';
import { type QuietRefusal, type QuietSources, quietClaims } from '../quiet-claims.ts';

export const LIFECYCLE = 'transfer.lifecycle';
export const PARTITIONS = 2;
export const TOLERANCE_MS = 10_000;

/** Rows of transfers with these endings, in the order of the log. */
export function rowsOf(endings: readonly Ending[]): readonly { partition: number; row: TransferLifecycle }[] {
  const history = new History();
  for (const ending of endings) history.tell(ending);
  return history.entries
    .filter(({ topic }) => topic === LIFECYCLE)
    .map(({ partition, value }) => ({ partition, row: value as TransferLifecycle }));
}

export class GrainsWorld {
  readonly clock = new ManualClock(AT);
  readonly codec = memoryCodec();
  readonly log: MemoryLog;
  readonly passedOver: ErrorCode[] = [];
  readonly overtaken: number[] = [];
  readonly refused: QuietRefusal[] = [];
  /** What is known of claims, by partition, as the table would have it. */
  readonly known = new Map<number, number>();
  readonly #batch: number;

  constructor(options: { readonly batch?: number; readonly crash?: CrashPlan } = {}) {
    this.#batch = options.batch ?? 4;
    const { crash } = options;
    this.log = new MemoryLog({ partitions: PARTITIONS, clock: this.clock, manual: true, ...(crash && { crash }) });
  }

  recordOf(partition: number, row: TransferLifecycle): OutputRecord {
    const value = this.codec.encode(LIFECYCLE, row);
    return sealed(testRings, { topic: LIFECYCLE, partition, key: row.transferId, value, headers: {} });
  }

  append(rows: readonly { readonly partition: number; readonly row: TransferLifecycle }[]): void {
    this.log.append(rows.map(({ partition, row }) => this.recordOf(partition, row)));
  }

  handler() {
    return createGrains({
      codec: this.codec,
      rings: testRings,
      reader: this.log.reader(),
      clock: this.clock,
      toleranceMs: TOLERANCE_MS,
      claimedUntil: (_, partition) => this.known.get(partition),
      onPassedOver: (_, code) => void this.passedOver.push(code),
      onOvertaken: ({ offset }) => void this.overtaken.push(offset),
    });
  }

  /** Runs a new writer until there is nothing to do; what it was made to crash by is how it ends. */
  async run(): Promise<Error | undefined> {
    const consumer = await this.log.consume({
      name: ANALYTICS,
      topics: [LIFECYCLE],
      delivery: 'exactly-once',
      maxBatchRecords: this.#batch,
      lingerMs: 0,
      handler: this.handler(),
      onFault: () => undefined,
    });
    return consumer.untilIdle(this.clock);
  }

  /** What a look at quiet partitions may claim now. */
  quiet(partitions: readonly number[] = [0, 1], other: Partial<QuietSources> = {}) {
    const committed = async () => (await this.log.admin()).committed(`corridor.${ANALYTICS}`, [LIFECYCLE]);
    const clocks = { now: () => this.clock.now(), passedUntil: (now: number) => now, toleranceMs: TOLERANCE_MS };
    const topicId = async () => this.log.topicId(LIFECYCLE) ?? LIFECYCLE;
    const onRefused = (refusal: QuietRefusal) => void this.refused.push(refusal);
    const sources = { reader: this.log.reader(), committed, topicId, onRefused, ...clocks, ...other };
    return quietClaims(sources, new Set(partitions));
  }

  batchAt(partition: number, from: number, note: string): RecordBatch {
    const records = this.log.records(LIFECYCLE, partition).slice(from, from + this.#batch);
    return { topic: LIFECYCLE, partition, records, note };
  }

  async valuesOf<T extends TopicName>(
    topic: T,
  ): Promise<readonly { readonly record: LogRecord; readonly value: TopicValues[T] }[]> {
    const records = this.log.all(topic);
    const decoded = await this.codec.decode(
      topic,
      records.map(({ value }) => value),
    );
    return decoded.map((result, at) => ({
      record: records[at]!,
      value: (result as { readonly value: TopicValues[T] }).value,
    }));
  }

  /** What a compacted topic leaves: the last record of each key. */
  async states(): Promise<ReadonlyMap<string, TransferLifecycle>> {
    return new Map((await this.valuesOf('transfer.state')).map(({ value }) => [value.transferId, value]));
  }

  money(): Promise<readonly { readonly record: LogRecord; readonly value: TransferMoney }[]> {
    return this.valuesOf('transfer.money');
  }

  claims(): Promise<readonly { readonly record: LogRecord; readonly value: AnalyticsWatermark }[]> {
    return this.valuesOf('analytics.watermark');
  }
}
