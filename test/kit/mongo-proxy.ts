// A proxy that speaks enough of MongoDB's wire protocol to answer as the primary of a replica set, in front of a server that
// need not be one (or of none): the driver then sends sessions and retries its writes. A test says what becomes of each
// command: refused with a code and labels, cut off before or after it was carried out, not acknowledged, delayed.
import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BSON, type Document } from 'mongodb';
import { Frames, type Message, messageOf, queryReply, reply, toServer } from './mongo-wire.ts';

export interface SeenCommand {
  /** `insert`, `update`, `find` … */
  readonly name: string;
  readonly collection: string;
  readonly body: Document;
  /** Documents, updates or deletes in it. */
  readonly writes: number;
  /** Set when the driver would send it again by itself. */
  readonly retryable: boolean;
}

export type Treatment =
  /** Answered with an error; it is not carried out. */
  | { readonly kind: 'refuse'; readonly code: number; readonly labels?: readonly string[]; readonly message?: string }
  /** These writes are refused, and nothing is carried out. */
  | { readonly kind: 'write-errors'; readonly codes: readonly number[]; readonly concern?: number }
  /** Carried out, and not acknowledged by a majority. */
  | { readonly kind: 'unacknowledged'; readonly code: number }
  /** The connection ends before or after it is carried out. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  | { readonly kind: 'delay'; readonly ms: number };

export interface MongoProxyOptions {
  /** Where the server is; without one every command succeeds, and reads find nothing. */
  readonly upstream?: { readonly host: string; readonly port: number };
}

const HELLO: ReadonlySet<string> = new Set(['hello', 'ismaster', 'isMaster']);
const WRITES: Readonly<Record<string, string>> = { insert: 'documents', update: 'updates', delete: 'deletes' };
export const WRITING: ReadonlySet<string> = new Set([...Object.keys(WRITES), 'findAndModify', 'createIndexes']);
export const READING: ReadonlySet<string> = new Set(['find', 'aggregate', 'count', 'distinct', 'getMore']);
const NOT_PRIMARY = 10_107;
const NO_SECONDARY_OK = 13_435;
/** Commands and replies that are remembered. */
const MAX_KEPT = 10_000;

export class MongoProxy {
  /** What becomes of a command; undefined: it goes through. */
  treat: (command: SeenCommand) => Treatment | undefined = () => undefined;
  /** False: it says that it is a secondary, and takes neither writes nor reads that must come from the primary. */
  primary = true;
  /** Commands that came lately, without those of the driver's own. */
  readonly seen: SeenCommand[] = [];
  /** Commands that were not let through as they came, and heartbeats that found no primary. */
  treated = 0;
  /** Writes that were sent again and answered from what the first attempt had done. */
  repeats = 0;
  readonly #server: Server;
  readonly #upstream: MongoProxyOptions['upstream'];
  readonly #sockets = new Set<Socket>();
  /** Replies of retryable writes, as a server keeps them. */
  readonly #done = new Map<string, Document>();

  private constructor(server: Server, options: MongoProxyOptions) {
    this.#server = server;
    this.#upstream = options.upstream;
  }

  static async start(options: MongoProxyOptions = {}): Promise<MongoProxy> {
    const server = createServer((socket) => proxy.#serve(socket));
    const proxy = new MongoProxy(server, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** @param options more of the connection string, without `?` */
  uri(options = ''): string {
    return `mongodb://${this.address}/?replicaSet=rs0${options && `&${options}`}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const server = this.#upstream === undefined ? undefined : new Upstream(this.#upstream);
    this.#sockets.add(client);
    if (server) this.#sockets.add(server.socket);
    const end = () => {
      client.destroy();
      server?.socket.destroy();
      this.#sockets.delete(client);
      if (server) this.#sockets.delete(server.socket);
    };
    for (const socket of [client, ...(server ? [server.socket] : [])]) socket.on('error', end).on('close', end);
    const frames = new Frames();
    let turn: Promise<void> = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      for (const frame of frames.of(chunk)) {
        turn = turn.then(() => this.#command(messageOf(frame), client, server)).catch(end);
      }
    });
  }

  async #command(message: Message, client: Socket, server: Upstream | undefined): Promise<void> {
    const { body } = message;
    const name = Object.keys(body)[0] ?? '';
    const answer = (document: Document) =>
      client.write(message.legacy ? queryReply(document, message.id) : reply(document, message.id));
    if (HELLO.has(name)) {
      const hello = server ? await server.ask(message) : { maxWireVersion: 21, minWireVersion: 0, ok: 1 };
      if (!this.primary) this.treated++;
      answer({ ...hello, ...this.#hello() });
      return;
    }
    const command = seenCommand(name, message);
    if (command.collection !== '') this.#saw(command);
    if (!this.primary && (WRITING.has(name) || (READING.has(name) && asksPrimary(body)))) {
      this.treated++;
      const [code, labels] = WRITING.has(name) ? [NOT_PRIMARY, ['RetryableWriteError']] : [NO_SECONDARY_OK, []];
      answer(refusal({ kind: 'refuse', code, labels }));
      return;
    }
    const treatment = this.treat(command);
    if (treatment !== undefined) this.treated++;
    if (treatment?.kind === 'delay') await sleep(treatment.ms);
    if (treatment?.kind === 'refuse') answer(refusal(treatment));
    else if (treatment?.kind === 'write-errors') answer(writeErrors(treatment));
    else if (treatment?.kind === 'cut' && treatment.when === 'before') client.destroy();
    else await this.#carryOut(message, command, server, treatment, client, answer);
  }

  async #carryOut(
    message: Message,
    command: SeenCommand,
    server: Upstream | undefined,
    treatment: Treatment | undefined,
    client: Socket,
    answer: (document: Document) => void,
  ): Promise<void> {
    const key = statementOf(message.body);
    let done = key === undefined ? undefined : this.#done.get(key);
    if (done !== undefined) this.repeats++;
    done ??= server ? await server.ask(message) : emptyAnswer(command);
    if (key !== undefined) this.#keep(key, done);
    if (treatment?.kind === 'cut') client.destroy();
    else if (treatment?.kind === 'unacknowledged') {
      answer({ ...done, writeConcernError: { code: treatment.code, errmsg: 'not acknowledged' } });
    } else answer(done);
  }

  #saw(command: SeenCommand): void {
    this.seen.push(command);
    if (this.seen.length > MAX_KEPT) this.seen.shift();
  }

  #keep(key: string, done: Document): void {
    this.#done.set(key, done);
    if (this.#done.size > MAX_KEPT) this.#done.delete(this.#done.keys().next().value!);
  }

  #hello(): Document {
    const { address } = this;
    return {
      helloOk: true,
      ismaster: this.primary,
      isWritablePrimary: this.primary,
      secondary: !this.primary,
      setName: 'rs0',
      setVersion: 1,
      hosts: [address],
      me: address,
      ...(this.primary ? { primary: address } : {}),
      logicalSessionTimeoutMinutes: 30,
      // Without it the driver asks again instead of waiting to be told.
      topologyVersion: undefined,
    };
  }
}

/** The server behind: one connection for each of the client's, one command at a time. */
class Upstream {
  readonly socket: Socket;
  readonly #frames = new Frames();
  #waiting: PromiseWithResolvers<Document> | undefined;

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.socket = new Socket().connect(port, host);
    this.socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#frames.of(chunk)) this.#waiting?.resolve(messageOf(frame).body);
    });
    this.socket.on('close', () => this.#waiting?.reject(new Error('the server behind the proxy is gone')));
  }

  ask(message: Message): Promise<Document> {
    this.#waiting = Promise.withResolvers();
    this.socket.write(toServer(message));
    return this.#waiting.promise;
  }
}

/** A secondary answers whoever says that he takes it from one. */
const asksPrimary = ({ $readPreference }: Document) => ($readPreference?.mode ?? 'primary') === 'primary';

function seenCommand(name: string, { body, sequences }: Message): SeenCommand {
  const target: unknown = body[name];
  const field = WRITES[name] ?? '';
  const writes = sequences.get(field) ?? (Array.isArray(body[field]) ? (body[field] as unknown[]).length : 0);
  const collection = typeof target === 'string' ? target : '';
  return { name, collection, body, writes, retryable: body['txnNumber'] !== undefined };
}

const refusal = ({ code, labels = [], message = `refused with ${code}` }: Extract<Treatment, { kind: 'refuse' }>) => ({
  ok: 0,
  code,
  codeName: `Code${code}`,
  errmsg: message,
  ...(labels.length > 0 ? { errorLabels: labels } : {}),
});

const writeErrors = ({ codes, concern }: Extract<Treatment, { kind: 'write-errors' }>) => ({
  ok: 1,
  n: 0,
  writeErrors: codes.map((code, index) => ({ index, code, errmsg: `refused with ${code}` })),
  ...(concern === undefined ? {} : { writeConcernError: { code: concern, errmsg: 'not acknowledged' } }),
});

/** Names a retryable write, which a server carries out once. */
function statementOf(body: Document): string | undefined {
  if (body['txnNumber'] === undefined) return undefined;
  return `${BSON.EJSON.stringify(body['lsid'])} ${String(body['txnNumber'])}`;
}

function emptyAnswer({ name, collection, writes }: SeenCommand): Document {
  if (name in WRITES) return { ok: 1, n: writes, nModified: writes };
  if (name === 'find' || name === 'aggregate') {
    return { ok: 1, cursor: { id: BSON.Long.ZERO, ns: `db.${collection}`, firstBatch: [] } };
  }
  return name === 'findAndModify' ? { ok: 1, value: null } : { ok: 1 };
}
