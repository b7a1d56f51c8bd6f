// Several partitions of one member in one transaction: batches that become ready while transactions are under way go into
// the next one together. A transaction costs the broker the same whatever is in it, so this is what relieves it.
//
// A member may die, or lose one partition, with such a transaction open: the next owner of that partition does not fence the
// id under which it runs. What stops a doubled batch is the group's generation, which the broker checks for every offset, and
// the stable offset that the next owner waits for. Case by case: docs/adr/0006-joint-transactions.md
import { setImmediate } from 'node:timers/promises';
import { CodedError } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { codedError } from './fault.ts';
import type { Position } from './transactional-producer.ts';

/** What one partition has handled. */
export interface Batch {
  readonly outputs: readonly OutputRecord[];
  readonly position: Position;
}

/** One partition's transactional id, which can carry the batches of others beside its own. */
export interface Carrier {
  /** All of it in one transaction. After an error the outcome is unknown. */
  commit(batches: readonly Batch[]): Promise<void>;
}

interface Waiting {
  readonly carrier: Carrier;
  readonly batch: Batch;
  readonly bytes: number;
  readonly resolve: (joined: number) => void;
  readonly reject: (error: unknown) => void;
}

/** While one is at the broker, the next is gathered and sent. More would only make them smaller. */
const MAX_OPEN_TRANSACTIONS = 2;
/** Most bytes of record values in a joint transaction: a produce request must stay far below what a broker takes. */
const MAX_TRANSACTION_BYTES = 16 * 1_048_576;
/**
 * A partition whose commit failed goes alone for this many commits, so that it delays nobody but itself. Enough to find a
 * refused record by halving the largest batch.
 */
const COMMITS_APART = 20;

/** The commits of one member in one generation of its group. */
export class JointCommits {
  readonly #enabled: boolean;
  #waiting: Waiting[] = [];
  #underWay = 0;
  /** How many commits a carrier has to make alone. */
  readonly #apart = new Map<Carrier, number>();
  /** When a carrier was used last: the broker makes the next transaction of an id wait until the last one has ended. */
  readonly #usedAt = new Map<Carrier, number>();
  #used = 0;

  /** With `enabled` false every partition commits by itself. */
  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /**
   * Commits a batch, perhaps together with those of other partitions; answers how many partitions the transaction held.
   * After an error the outcome is unknown. What is refused for one partition's records is told to the others of the
   * transaction as JOINT_COMMIT_REFUSED: theirs may be good, and are tried alone.
   */
  async commit(carrier: Carrier, batch: Batch): Promise<number> {
    if (!this.#enabled || this.#apart.has(carrier)) return this.#commitAlone(carrier, batch);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ carrier, batch, bytes: bytesOf(batch), resolve, reject });
      if (this.#underWay < MAX_OPEN_TRANSACTIONS) void this.#run();
    });
  }

  async #commitAlone(carrier: Carrier, batch: Batch): Promise<number> {
    this.#usedAt.set(carrier, ++this.#used);
    await carrier.commit([batch]);
    const left = (this.#apart.get(carrier) ?? 0) - 1;
    if (left > 0) this.#apart.set(carrier, left);
    else this.#apart.delete(carrier);
    return 1;
  }

  async #run(): Promise<void> {
    this.#underWay++;
    await setImmediate(); // partitions whose records came in one answer are handled in one turn
    while (this.#waiting.length > 0) await this.#commitTogether(this.#take());
    this.#underWay--;
  }

  /** Those waiting longest, as many as fit; at least one. */
  #take(): readonly Waiting[] {
    let bytes = 0;
    const tooMany = this.#waiting.findIndex((each, index) => {
      bytes += each.bytes;
      return index > 0 && bytes > MAX_TRANSACTION_BYTES;
    });
    return this.#waiting.splice(0, tooMany === -1 ? this.#waiting.length : tooMany);
  }

  /** Never throws. */
  async #commitTogether(joined: readonly Waiting[]): Promise<void> {
    const usedAt = ({ carrier }: Waiting) => this.#usedAt.get(carrier) ?? 0;
    const { carrier } = joined.reduce((one, other) => (usedAt(other) < usedAt(one) ? other : one));
    this.#usedAt.set(carrier, ++this.#used);
    try {
      await carrier.commit(joined.map(({ batch }) => batch));
      for (const { resolve } of joined) resolve(joined.length);
    } catch (error) {
      const thrown = joined.length === 1 ? error : blameNobody(error);
      for (const each of joined) {
        this.#apart.set(each.carrier, COMMITS_APART);
        each.reject(thrown);
      }
    }
  }
}

function bytesOf({ outputs }: Batch): number {
  return outputs.reduce((bytes, { value }) => bytes + (value?.byteLength ?? 0), 0);
}

/** The error, unless it would make a partition look for the guilty among records that may be innocent. */
function blameNobody(error: unknown): unknown {
  const { faultClass, code, message } = codedError(error);
  if (faultClass !== 'poison') return error;
  const detail = `A transaction of several partitions was refused (${code}: ${message}); each is tried alone.`;
  return new CodedError('JOINT_COMMIT_REFUSED', detail, {
    faultClass: 'transient-dependency',
    dependency: 'kafka',
    cause: error,
  });
}
