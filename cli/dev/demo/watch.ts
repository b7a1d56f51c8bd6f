// What the topics say of a run while it goes on: per stage, and into the books of the feed.

import type { Codec } from '../../../ports/codec.ts';
import type { LogReader, RecordBatch } from '../../../ports/log.ts';
import { type Rings, sealFlaw } from '../../../ports/seals.ts';
import type { StageName } from '../../../processors/topology.ts';
import { topology } from '../../../processors/topology.ts';
import type { Books } from '../../../samples/books.ts';
import type { TransferLifecycle } from '../../../schemas/types.generated.ts';
import { deadLetterTopic } from '../../../topics/recovery.ts';

export interface StageCounts {
  readonly stage: string;
  in: number;
  out: number;
  rejected: number;
  held: number;
  deadLettered: number;
}

const WATCHED = ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated'] as const;
const INTAKE_DLQ = deadLetterTopic('intake');

/** Which stage a transition leads into next: what one stage puts out is what the next takes in. */
const NEXT: Partial<Record<TransferLifecycle['state'], StageName>> = {
  ACCEPTED: 'screening',
  SCREENED: 'fx-pricing',
  REQUOTING: 'fx-pricing',
  PRICED: 'limits',
  RESERVED: 'payout-dispatch',
  DISPATCHED: 'settlement',
};

/** Follows the outcome topics from their present ends. Start it before the first input is published. */
export class Watch {
  readonly stages: ReadonlyMap<string, StageCounts>;
  /** Wall clock (ms) of the first completion seen. */
  firstCompletedAt: number | undefined;
  /** Monotonic ms of the last record seen. */
  lastSeenAt = performance.now();
  readonly #books: Books;
  readonly #codec: Codec;
  readonly #rings: Rings;
  #following: { readonly caughtUp: Promise<void>; stop(): Promise<void> } | undefined;
  #pending: Promise<void> = Promise.resolve();

  /** @param rings with that of lifecycle: what does not bear its seal is passed over */
  constructor(books: Books, codec: Codec, rings: Rings) {
    this.#books = books;
    this.#codec = codec;
    this.#rings = rings;
    const names = Object.keys(topology);
    this.stages = new Map(
      names.map((stage) => [stage, { stage, in: 0, out: 0, rejected: 0, held: 0, deadLettered: 0 }]),
    );
  }

  async start(reader: LogReader): Promise<void> {
    await this.#codec.load(WATCHED);
    const take = (batch: RecordBatch) => {
      this.#pending = this.#pending.then(() => this.#take(batch));
    };
    this.#following = reader.follow([...WATCHED, INTAKE_DLQ], take, { fromEnd: true });
    await this.#following.caughtUp;
  }

  async stop(): Promise<void> {
    await this.#following?.stop();
    await this.#pending;
  }

  async #take(batch: RecordBatch): Promise<void> {
    this.lastSeenAt = performance.now();
    if (batch.topic === INTAKE_DLQ) {
      this.#stage('intake').deadLettered += batch.records.length;
      for (const { key } of batch.records) this.#books.undecodable(key?.toString() ?? '');
      return;
    }
    const topic = batch.topic as (typeof WATCHED)[number];
    const decoded = await this.#codec.decode(
      topic,
      batch.records.filter((record) => !sealFlaw(this.#rings, topic, record)).map(({ value }) => value),
    );
    for (const result of decoded) {
      if (result.ok) this.#observe(topic, result.value as never);
    }
  }

  #observe(topic: (typeof WATCHED)[number], value: TransferLifecycle): void {
    if (topic === 'intent.rejected') {
      this.#books.intentRejected(value.transferId);
      this.#stage('intake').rejected++;
      return;
    }
    if (topic === 'intent.duplicated') {
      this.#books.intentDuplicated(value.transferId);
      return;
    }
    this.#books.lifecycle(value);
    const stage = this.#stage(value.stage.toLowerCase().replaceAll('_', '-'));
    if (value.state === 'REJECTED') stage.rejected++;
    else if (value.state === 'HELD') stage.held++;
    else if (value.state === 'DEAD_LETTERED') stage.deadLettered++;
    else stage.out++;
    const next = NEXT[value.state];
    if (next) this.#stage(next).in++;
    if (value.state === 'COMPLETED') this.firstCompletedAt ??= Date.now();
  }

  #stage(name: string): StageCounts {
    return this.stages.get(name) ?? { stage: name, in: 0, out: 0, rejected: 0, held: 0, deadLettered: 0 };
  }
}
