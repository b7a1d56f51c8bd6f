// Keeps the index of the audit log: whatever it lacks it reads from the log, so a database that was lost, restored or emptied
// has it again after a while. Entries are written under their place, so that writing twice is writing once.
import { leafHash } from '../../domain/audit/merkle.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import { AUDIT_HEADER, ENTRIES, LOG, numberIn } from './names.ts';
import type { AuditIndex, IndexedEntry } from './ports.ts';

export interface IndexerComponents {
  readonly codec: Pick<Codec, 'decode'>;
  readonly reader: LogReader;
  readonly index: AuditIndex;
}

/** Takes in the records of the log up to `to`, from where the index is on. @returns how many there were */
export async function catchUp(parts: IndexerComponents, to?: number): Promise<number> {
  const { index, reader } = parts;
  const [range] = await reader.offsets([LOG]);
  if (range === undefined) return 0;
  const { offset } = await index.standing();
  const from = Math.max(range.from, offset);
  const end = Math.min(range.to, to ?? range.to);
  if (from >= end) return 0;
  let count = 0;
  await reader.read([{ ...range, from, to: end }], async ({ records }) => {
    await indexRecords(parts, records);
    count += records.length;
  });
  return count;
}

/** Takes in a batch of the log, and before it what the index lacks. */
export async function takeIn(parts: IndexerComponents, records: readonly LogRecord[]): Promise<void> {
  const [first] = records;
  if (first === undefined) return;
  const place = numberIn(first.headers[AUDIT_HEADER.index]);
  const { next } = await parts.index.standing();
  if (place === undefined || place > next) await catchUp(parts, first.offset);
  await indexRecords(parts, records);
}

/** Takes in records that follow each other. What is no entry is passed over: verifying tells of it. */
async function indexRecords({ codec, index }: IndexerComponents, records: readonly LogRecord[]): Promise<void> {
  const readable = records.filter(({ unreadable }) => unreadable === undefined);
  // Both topics have one schema, and entries are handed on as they were written.
  const decoded = await codec.decode(
    ENTRIES,
    readable.map(({ value }) => value),
  );
  const entries = readable.flatMap(({ value, headers, offset }, place): readonly IndexedEntry[] => {
    const result = decoded[place]!;
    const at = numberIn(headers[AUDIT_HEADER.index]);
    if (!result.ok || at === undefined || value === null) return [];
    return [{ ...result.value, index: at, offset, leafHash: leafHash(value) }];
  });
  const last = records.at(-1);
  if (last === undefined) return;
  const next = entries.at(-1)?.index;
  const before = await index.standing();
  await index.write(entries, { next: next === undefined ? before.next : next + 1, offset: last.offset + 1 });
}
