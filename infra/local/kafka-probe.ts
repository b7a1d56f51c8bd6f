// The few questions that a Kafka cluster must answer before it is ready for work, in Kafka's own protocol. A client
// library would do, but its retries hide what is asked for here: is it ready now?
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TIMEOUT_MS = 3_000;
const METADATA = { key: 3, version: 1 };
const OFFSET_FETCH = { key: 9, version: 2 };
const FIND_COORDINATOR = { key: 10, version: 1 };
const INIT_PRODUCER_ID = { key: 22, version: 1 };

export interface Cluster {
  readonly brokers: readonly { id: number; address: string }[];
  /** Broker id, or -1 while there is none. */
  readonly controller: number;
}

/** The brokers that are in the cluster now, as the broker at `address` (host:port) sees it. */
export async function describeCluster(address: string): Promise<Cluster> {
  const answer = await ask(address, METADATA, new Writer().int32(0));
  const brokers = answer.array(() => {
    const id = answer.int32();
    const host = answer.string();
    const port = answer.int32();
    answer.string(); // rack
    return { id, address: `${host}:${port}` };
  });
  return { brokers, controller: answer.int32() };
}

/** Resolves when the coordinator of this group is found and answers. `address`: any broker. */
export async function probeGroup(address: string, group: string): Promise<void> {
  const coordinator = await findCoordinator(address, group, 0);
  const answer = await ask(coordinator, OFFSET_FETCH, new Writer().string(group).int32(-1));
  answer.array(() => {
    answer.string();
    answer.array(() => {
      answer.int32();
      answer.int64();
      answer.string();
      answer.int16();
    });
  });
  refuse(answer.int16(), `group ${group}`);
}

/** Resolves when the coordinator of this transactional id is found and gives it a producer id. */
export async function probeTransactions(address: string, transactionalId: string): Promise<void> {
  const coordinator = await findCoordinator(address, transactionalId, 1);
  const answer = await ask(coordinator, INIT_PRODUCER_ID, new Writer().string(transactionalId).int32(1_000));
  answer.int32(); // throttle time
  refuse(answer.int16(), `transactional id ${transactionalId}`);
}

async function findCoordinator(address: string, key: string, type: 0 | 1): Promise<string> {
  const answer = await ask(address, FIND_COORDINATOR, new Writer().string(key).int8(type));
  answer.int32(); // throttle time
  const error = answer.int16();
  answer.string(); // message
  answer.int32(); // node id
  const host = answer.string();
  const port = answer.int32();
  refuse(error, `coordinator of ${key}`);
  return `${host}:${port}`;
}

function refuse(error: number, what: string): void {
  if (error !== 0) throw new Error(`Kafka answers error ${error} for ${what}`);
}

/** One request on a connection of its own; resolves with the body of the answer. */
async function ask(address: string, api: { key: number; version: number }, body: Writer): Promise<Reader> {
  const colon = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`${address} does not answer`)));
  try {
    const request = new Writer()
      .int16(api.key)
      .int16(api.version)
      .int32(1)
      .string('corridor-probe')
      .append(body)
      .framed();
    await once(socket, 'connect');
    socket.write(request);
    const answer = new Reader(await readFrame(socket));
    answer.int32(); // correlation id
    return answer;
  } finally {
    socket.destroy();
  }
}

async function readFrame(socket: Socket): Promise<Buffer> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) return received.subarray(4);
  }
  throw new Error('the connection was closed');
}

class Writer {
  #bytes: Buffer = Buffer.alloc(0);

  int8(value: number): Writer {
    return this.#add(Buffer.from([value]));
  }

  int16(value: number): Writer {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return this.#add(bytes);
  }

  int32(value: number): Writer {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.#add(bytes);
  }

  string(value: string): Writer {
    const bytes = Buffer.from(value);
    return this.int16(bytes.length).#add(bytes);
  }

  append(other: Writer): Writer {
    return this.#add(other.#bytes);
  }

  framed(): Buffer {
    return new Writer().int32(this.#bytes.length).append(this).#bytes;
  }

  #add(bytes: Buffer): Writer {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return this;
  }
}

class Reader {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  /** An absent string is read as an empty one. */
  string(): string {
    const length = Math.max(0, this.int16());
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }
}
