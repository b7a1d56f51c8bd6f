/** `GET /v1/executions`: the ledger's lines as they are, from a record on, some kinds only. */
import { Readable } from 'node:stream';
import { readLedgerLines } from './ledger.ts';
import type { LedgerWriter } from './ledger-writer.ts';

const CHUNK_CHARACTERS = 1 << 16;

export interface ExportQuery {
  /** Records with a greater `seq` only. */
  readonly after: number;
  /** At most this many lines. */
  readonly limit?: number | undefined;
  /** Kinds separated by commas, or `all`. */
  readonly kinds: string;
}

/** NDJSON of what is on disk now, read as the client takes it. */
export function exportLines(writer: LedgerWriter, query: ExportQuery): Readable {
  return Readable.from(chunks(writer, query), { objectMode: false });
}

async function* chunks(writer: LedgerWriter, { after, limit, kinds }: ExportQuery): AsyncGenerator<string> {
  const wanted = kinds === 'all' ? null : new Set(kinds.split(','));
  const toByte = writer.stats.bytes;
  let left = limit ?? Number.POSITIVE_INFINITY;
  let chunk = '';
  for await (const { record, line } of readLedgerLines(writer.file, { ...writer.positionAfter(after), toByte })) {
    if (record.seq <= after || (wanted && !wanted.has(record.kind))) continue;
    chunk += `${line}\n`;
    left--;
    if (left === 0) break;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk) yield chunk;
}
