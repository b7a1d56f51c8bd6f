// Member: producers that pack by every codec that Kafka knows. A share of the intents, chosen by transfer, so that all
// inputs of one transfer keep their order, goes to the broker in batches made by hand.
//
// What must come of it: they come to their ends like all others. How the judge knows: by the books, which know no codec.
import { createHash } from 'node:crypto';
import { homePartition } from '../../../topics/home-partition.ts';
import { batchBy, type Codec } from '../../kit/kafka/batches.ts';
import { produceRaw } from '../../kit/kafka/raw-produce.ts';
import type { ChaosRecord } from '../feed.ts';

const CODECS: readonly Codec[] = ['gzip', 'snappy', 'lz4', 'zstd'];
/** One transfer in so many. */
const ONE_IN = 5;
/** A batch that nobody would call large. */
const MAX_BATCH_BYTES = 400_000;

/** Whether the inputs of this transfer go in foreign batches. */
export const isForeign = ({ account, value }: ChaosRecord): boolean =>
  (value?.length ?? 0) < MAX_BATCH_BYTES &&
  createHash('sha256').update(`foreign ${account}`).digest()[0]! % ONE_IN === 0;

export interface ForeignOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
}

export class ForeignProducer {
  /** Batches that the broker took, by codec. */
  readonly batches: Record<string, number> = {};
  readonly #options: ForeignOptions;
  #turn = 0;

  constructor(options: ForeignOptions) {
    this.#options = options;
  }

  /** One batch a partition, by the codecs in turn. Rejects when the fate of one is unknown. */
  async send(records: readonly ChaosRecord[]): Promise<void> {
    const { brokers, topic, partitions } = this.#options;
    const byPartition = Map.groupBy(records, ({ key }) => homePartition(key, partitions));
    for (const [partition, group] of byPartition) {
      const codec = CODECS[this.#turn++ % CODECS.length]!;
      const made = group.map(({ key, value }) => ({ key: Buffer.from(key), value }));
      const answer = await produceRaw(brokers, topic, partition, batchBy(codec, made));
      if (answer !== 0) throw new Error(`the broker answers ${answer} to a batch of ${codec}`);
      this.batches[codec] = (this.batches[codec] ?? 0) + 1;
    }
  }
}
