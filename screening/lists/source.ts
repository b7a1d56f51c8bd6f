/**
 * Bytes in, text out, in one pass: a list file is hashed, checked and decoded while it streams by. Bytes that are no
 * UTF-8 are read as Windows-1252 (what these publishers use when they do not use UTF-8) and counted, not replaced.
 */
import { createHash } from 'node:crypto';
import { ListRefused } from './fault.ts';

/** A file: its bytes at once, or chunk by chunk as a stream gives them. */
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const MAX_LIST_BYTES = 512 * 1024 * 1024;
const HTML_START = /^\s*<(?:!doctype\s+html|html|head|body)\b/i;
/** Some publishers end a file with it: a file of nothing else is empty. */
const END_MARK = String.fromCharCode(0x1a);
const SNIFF_CHARACTERS = 512;

export interface TextStream {
  /** Text chunks in order. May be read once. */
  readonly chunks: AsyncGenerator<string>;
  /** Complete after the last chunk was read. */
  readonly facts: { bytes: number; foreignBytes: number; sha256: string };
}

/**
 * @throws ListRefused LIST_EMPTY, LIST_IS_HTML or LIST_TOO_LARGE, while the chunks are read
 */
export function textOf(source: ByteSource, maxBytes = MAX_LIST_BYTES): TextStream {
  const facts = { bytes: 0, foreignBytes: 0, sha256: '' };
  return { facts, chunks: read(source, facts, maxBytes) };
}

async function* read(source: ByteSource, facts: TextStream['facts'], maxBytes: number): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const decoder = new HybridDecoder();
  let head: string | undefined = '';
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    facts.bytes += chunk.length;
    if (facts.bytes > maxBytes) {
      throw new ListRefused('LIST_TOO_LARGE', `The file is larger than ${maxBytes} bytes. Check what was downloaded.`);
    }
    hash.update(chunk);
    let text = decoder.decode(chunk);
    if (head !== undefined) {
      head += text;
      if (head.trim().length < SNIFF_CHARACTERS) continue;
      text = checkedHead(head);
      head = undefined;
    }
    if (text.length > 0) yield text;
  }
  const rest = decoder.end();
  facts.foreignBytes = decoder.foreignBytes;
  facts.sha256 = hash.digest('hex');
  if (head === undefined) {
    if (rest.length > 0) yield rest;
    return;
  }
  yield checkedHead(head + rest);
}

function checkedHead(head: string): string {
  const text = head.charCodeAt(0) === 0xfeff ? head.slice(1) : head;
  if (text.replaceAll(END_MARK, '').trim() === '') {
    throw new ListRefused('LIST_EMPTY', 'The file is empty. Download it again; the active list stays as it is.');
  }
  if (HTML_START.test(text)) {
    throw new ListRefused(
      'LIST_IS_HTML',
      'The file is a web page, probably an error page. Open it to see what the publisher says, then download again.',
    );
  }
  return text;
}

/** UTF-8 with single foreign bytes read as Windows-1252. */
export class HybridDecoder {
  foreignBytes = 0;
  #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #single = new TextDecoder('windows-1252');
  #tail: Uint8Array = new Uint8Array(0);

  decode(chunk: Uint8Array): string {
    const bytes = this.#tail.length === 0 ? chunk : concat(this.#tail, chunk);
    const complete = bytes.length - openSequence(bytes);
    this.#tail = bytes.slice(complete);
    return this.#text(bytes.subarray(0, complete));
  }

  end(): string {
    const tail = this.#tail;
    this.#tail = new Uint8Array(0);
    return this.#text(tail);
  }

  #text(bytes: Uint8Array): string {
    try {
      return this.#strict.decode(bytes);
    } catch {
      return this.#mixed(bytes);
    }
  }

  #mixed(bytes: Uint8Array): string {
    const parts: string[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes, at);
      if (length > 0) {
        at += length;
        continue;
      }
      if (at > start) parts.push(this.#strict.decode(bytes.subarray(start, at)));
      parts.push(this.#single.decode(bytes.subarray(at, at + 1)));
      this.foreignBytes += 1;
      at += 1;
      start = at;
    }
    if (start < bytes.length) parts.push(this.#strict.decode(bytes.subarray(start)));
    return parts.join('');
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

const leadLength = (byte: number): number =>
  byte < 0x80
    ? 1
    : byte >= 0xc2 && byte < 0xe0
      ? 2
      : byte >= 0xe0 && byte < 0xf0
        ? 3
        : byte >= 0xf0 && byte < 0xf5
          ? 4
          : 0;

/** Bytes at the end that begin a sequence which the next chunk may complete. */
function openSequence(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return leadLength(byte) > back ? back : 0;
  }
  return 0;
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = leadLength(lead);
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i += 1) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  const overlong = (lead === 0xe0 && second < 0xa0) || (lead === 0xf0 && second < 0x90);
  const outside = (lead === 0xed && second >= 0xa0) || (lead === 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}
