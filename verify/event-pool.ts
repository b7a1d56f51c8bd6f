// Events of many transfers in little memory: their numbers stand side by side in one array. A number above 2^31 in a
// field of an object would be an object of its own.

import type { EventFact } from './transfer.ts';

const STORED = [
  'offset',
  'at',
  'content',
  'id',
  'causation',
  'instruction',
  'parties',
  'screening',
  'evidence',
  'price',
  'reservation',
  'approval',
  'approvedHold',
  'payout',
  'request',
  'lifecycle',
  'lifecycleBySettlement',
  'lifecycleRecordDigest',
  'lifecycleSecond',
  'lifecycleSecondOfTwo',
  'lifecycleSecondOfThree',
  'lifecycleSecondOfFour',
  'lifecycleRecordSecond',
  'lifecycleRecordBefore',
  'position',
  'positionRecordDigest',
] as const satisfies readonly (keyof EventFact)[];
type Stored = (typeof STORED)[number];
/** What stays in the object: pointers, flags and small numbers. */
type Plain = Omit<EventFact, Stored>;

const CHUNK_EVENTS = 4_096;

export class EventPool {
  #chunk = new Float64Array(0);
  #used = 0;

  /** A new event; its stored numbers are 0. */
  open(topic: string, state: EventFact['state'], sequence: number, attempt: number): EventFact {
    if (this.#used === this.#chunk.length) {
      this.#chunk = new Float64Array(CHUNK_EVENTS * STORED.length);
      this.#used = 0;
    }
    const base = this.#used;
    this.#used += STORED.length;
    return new PooledEvent(this.#chunk, base, topic, state, sequence, attempt) as unknown as EventFact;
  }
}

class PooledEvent implements Plain {
  readonly numbers: Float64Array;
  readonly base: number;
  readonly topic: string;
  readonly state: EventFact['state'];
  readonly sequence: number;
  readonly attempt: number;
  stage: EventFact['stage'] = undefined;
  seen = 0;
  lifecycleRecords = 0;
  conflict = false;
  lifecycleRecordsDiffer = false;
  positionRecords = 0;
  positionRecordsDiffer = false;
  approvesDebit = false;

  constructor(
    numbers: Float64Array,
    base: number,
    topic: string,
    state: EventFact['state'],
    sequence: number,
    attempt: number,
  ) {
    this.numbers = numbers;
    this.base = base;
    this.topic = topic;
    this.state = state;
    this.sequence = sequence;
    this.attempt = attempt;
  }

  /** For checkpoints: the event by itself. */
  toJSON(): unknown {
    const { numbers, base, ...plain } = this;
    return { ...plain, ...Object.fromEntries(STORED.map((name, at) => [name, numbers[base + at]])) };
  }
}

for (const [at, name] of STORED.entries()) {
  Object.defineProperty(PooledEvent.prototype, name, {
    get(this: PooledEvent) {
      return this.numbers[this.base + at];
    },
    set(this: PooledEvent, value: number) {
      this.numbers[this.base + at] = value;
    },
  });
}
