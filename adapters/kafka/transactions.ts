// Writes in transactions of one owner, without a consumer: for what sends a frozen list, and has to know what it has sent.
import { CodedError } from '../../ports/fault.ts';
import type { LogTransactions, OutputRecord } from '../../ports/log.ts';
import type { Connections } from './client.ts';
import { codedError } from './fault.ts';
import { TransactionalProducer } from './transactional-producer.ts';

export class KafkaTransactions implements LogTransactions {
  readonly #producer: TransactionalProducer;
  #isOver = false;

  private constructor(producer: TransactionalProducer) {
    this.#producer = producer;
  }

  /** @throws CodedError KAFKA_UNAVAILABLE and the like; after one, nothing was taken over for sure */
  static async takeOver(connections: Connections, transactionalId: string, topic: string): Promise<KafkaTransactions> {
    try {
      return new KafkaTransactions(await TransactionalProducer.fence(connections, transactionalId, topic));
    } catch (error) {
      throw codedError(error);
    }
  }

  async commit(records: readonly OutputRecord[]): Promise<void> {
    if (this.#isOver)
      throw new CodedError('WRITER_CLOSED', 'This writer is closed: take its transactional id over again.');
    if (records.length === 0) return;
    try {
      await this.#producer.send(records);
      await this.#producer.commit();
    } catch (error) {
      this.#isOver = true;
      await this.#producer.abort();
      this.#producer.discard();
      throw codedError(error);
    }
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#producer.discard();
  }
}
