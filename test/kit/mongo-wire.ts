// MongoDB's wire protocol, as far as a proxy needs it: OP_MSG, and the legacy query that a driver begins with.
import { BSON, type Document } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;
/** Numbers keep their types, so that what is passed on is what came. */
const EXACT = { promoteValues: false, promoteLongs: false, promoteBuffers: false } as const;
/** Fields that only a member of a replica set understands. */
const OF_A_SET = ['lsid', 'txnNumber', '$clusterTime', 'autocommit', 'startTransaction'] as const;

/** Whole messages out of a stream of bytes. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  of(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (this.#rest.length >= 4) {
      const length = this.#rest.readInt32LE(0);
      if (this.#rest.length < length) break;
      frames.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
    return frames;
  }
}

export interface Message {
  readonly id: number;
  readonly legacy: boolean;
  readonly body: Document;
  /** Number of documents in each sequence beside the body. */
  readonly sequences: ReadonlyMap<string, number>;
  /** The sequences as they came. */
  readonly rest: readonly Buffer[];
  readonly frame: Buffer;
}

export function messageOf(frame: Buffer): Message {
  const id = frame.readInt32LE(4);
  const opcode = frame.readInt32LE(12);
  const none = { sequences: new Map<string, number>(), rest: [] };
  if (opcode === OP_REPLY) return { id, legacy: true, body: documentAt(frame, HEADER + 20), ...none, frame };
  if (opcode === OP_QUERY) {
    const body = documentAt(frame, frame.indexOf(0, HEADER + 4) + 9);
    return { id, legacy: true, body, ...none, frame };
  }
  if (opcode !== OP_MSG) throw new Error(`an operation that the proxy does not know: ${opcode}`);
  return { id, legacy: false, ...sectionsOf(frame), frame };
}

function sectionsOf(frame: Buffer): Pick<Message, 'body' | 'sequences' | 'rest'> {
  const sequences = new Map<string, number>();
  const rest: Buffer[] = [];
  let body: Document = {};
  let at = HEADER + 4;
  while (at < frame.length) {
    const kind = frame[at];
    const size = frame.readInt32LE(at + 1);
    const section = frame.subarray(at, at + 1 + size);
    at += 1 + size;
    if (kind === 0) {
      body = documentAt(section, 1);
      continue;
    }
    rest.push(section);
    const nameEnd = section.indexOf(0, 5);
    let documents = 0;
    for (let next = nameEnd + 1; next < section.length; next += section.readInt32LE(next)) documents++;
    sequences.set(section.toString('utf8', 5, nameEnd), documents);
  }
  return { body, sequences, rest };
}

const documentAt = (bytes: Buffer, at: number): Document =>
  BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at)), EXACT);

/** A message for a server that knows no sessions. */
export function toServer({ id, legacy, body, rest, frame }: Message): Buffer {
  if (legacy) return frame;
  const plain = Object.fromEntries(Object.entries(body).filter(([name]) => !OF_A_SET.includes(name as never)));
  return encoded(plain, id, 0, rest);
}

/** Answers an OP_MSG. */
export const reply = (body: Document, to: number): Buffer => encoded(body, 0, to, []);

function encoded(body: Document, id: number, to: number, rest: readonly Buffer[]): Buffer {
  const document = Buffer.from(BSON.serialize(body, { ignoreUndefined: true }));
  const content = Buffer.concat([Buffer.alloc(5), document, ...rest]);
  return Buffer.concat([header(content.length, id, to, OP_MSG), content]);
}

/** Answers an OP_QUERY. */
export function queryReply(body: Document, to: number): Buffer {
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(8, 0);
  fields.writeInt32LE(1, 16);
  const content = Buffer.concat([fields, Buffer.from(BSON.serialize(body, { ignoreUndefined: true }))]);
  return Buffer.concat([header(content.length, 0, to, OP_REPLY), content]);
}

function header(length: number, id: number, to: number, opcode: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  for (const [index, value] of [HEADER + length, id, to, opcode].entries()) bytes.writeInt32LE(value, index * 4);
  return bytes;
}
