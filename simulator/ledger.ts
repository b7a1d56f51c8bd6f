/**
 * Reads a provider ledger: the independent witness of what was received and what was executed.
 *
 * The file holds one JSON record a line (`records.ts`), numbered without gaps from 1. A last line without its end is
 * what a killed process leaves, was never answered for, and is passed over; any other damage is an error.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { AppliedFault, LedgerRecord, RecordKind } from './records.ts';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 0x0a;
const KINDS: ReadonlySet<string> = new Set<RecordKind>([
  'submit',
  'execution',
  'failure',
  'expiry',
  'return',
  'refusal',
  'cancel',
  'poll',
  'fault',
]);

/** The ledger is damaged. Codes: LEDGER_CORRUPT (a line is no record), LEDGER_GAP (a record is missing). */
export class LedgerError extends Error {
  readonly code: 'LEDGER_CORRUPT' | 'LEDGER_GAP';

  constructor(code: 'LEDGER_CORRUPT' | 'LEDGER_GAP', message: string) {
    super(message);
    this.name = 'LedgerError';
    this.code = code;
  }
}

export interface ReadOptions {
  /** Byte at which to start, which must be the start of a line; default 0. */
  readonly fromByte?: number;
  /** Byte at which to stop reading, which must be the end of a line; default: the end of the file. */
  readonly toByte?: number;
  /** The `seq` of the first record to come, to be checked; default 1. */
  readonly firstSeq?: number;
}

/**
 * The records of `file` in order, in bounded memory. A file that does not exist has none.
 *
 * @throws LedgerError when the file is damaged anywhere but in an unfinished last line.
 */
export async function* readLedger(file: string, options: ReadOptions = {}): AsyncGenerator<LedgerRecord, void> {
  for await (const { record } of readLedgerLines(file, options)) yield record;
}

/** All records of `file` at once: for tests and small ledgers. */
export async function readWholeLedger(file: string): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(file)) records.push(record);
  return records;
}

/** Like `readLedger`, with the bytes of each record: [start, end), newline included. */
export async function* readLedgerLines(
  file: string,
  options: ReadOptions = {},
): AsyncGenerator<{ record: LedgerRecord; start: number; end: number; line: string }, void> {
  const handle = await openIfPresent(file);
  if (!handle) return;
  try {
    let position = options.fromByte ?? 0;
    const stop = options.toByte ?? Number.POSITIVE_INFINITY;
    let expected = options.firstSeq ?? 1;
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const lineStart = position - rest.length;
      const size = Math.min(CHUNK_BYTES, stop - position);
      if (size <= 0) return;
      const chunk = Buffer.allocUnsafe(size);
      const { bytesRead } = await handle.read(chunk, 0, size, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const bytes =
        rest.length > 0 ? Buffer.concat([rest, chunk.subarray(0, bytesRead)]) : chunk.subarray(0, bytesRead);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        const line = bytes.toString('utf8', start, end);
        const record = parseRecord(line, file, lineStart + start, expected);
        yield { record, start: lineStart + start, end: lineStart + end + 1, line };
        expected++;
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
  } finally {
    await handle.close();
  }
}

function parseRecord(line: string, file: string, offset: number, expected: number): LedgerRecord {
  let record: Partial<LedgerRecord> | null;
  try {
    record = JSON.parse(line) as Partial<LedgerRecord> | null;
  } catch {
    record = null;
  }
  const known = record !== null && typeof record === 'object' && KINDS.has(record.kind ?? '');
  if (!known || typeof record?.seq !== 'number' || typeof record.at !== 'number' || typeof record.key !== 'string') {
    const cure = 'restore the file from a copy, or start a new ledger';
    throw new LedgerError('LEDGER_CORRUPT', `${file}: the line at byte ${offset} is no ledger record; ${cure}`);
  }
  if (record.seq !== expected) {
    const found = `found record ${record.seq} at byte ${offset}, expected ${expected}`;
    throw new LedgerError('LEDGER_GAP', `${file}: ${found}; records are missing or two processes wrote this file`);
  }
  return record as LedgerRecord;
}

async function openIfPresent(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What the provider's ledger says about one transfer. */
export interface TransferSummary {
  /** Submits received, by idempotency key, whatever became of them. */
  readonly submitsByKey: Map<string, number>;
  /** Executions by idempotency key. Over all keys there may be one at most. */
  readonly executionsByKey: Map<string, number>;
  executions: number;
  returns: number;
  /** Sum over the executions, in minor units of `currency`. */
  executedMinor: bigint;
  /** Of the executions; null before the first. */
  currency: string | null;
  /** Faults injected into requests about this transfer, in order. */
  readonly faults: AppliedFault[];
}

export interface LedgerSummary {
  readonly byTransfer: Map<string, TransferSummary>;
  /** Records by kind, submits as `submit.<outcome>`, cancels as `cancel.<outcome>`. */
  readonly counts: Map<string, number>;
  /** Transfers with more than one execution: each is one paid twice. */
  readonly executedTwice: string[];
  /** Keys that were submitted more than once. */
  readonly keysSubmittedTwice: string[];
  readonly lastSeq: number;
}

/** Folds a ledger by transfer. Memory grows with the number of transfers, not of records. */
export async function summarise(ledger: AsyncIterable<LedgerRecord> | Iterable<LedgerRecord>): Promise<LedgerSummary> {
  const byTransfer = new Map<string, TransferSummary>();
  const counts = new Map<string, number>();
  const keysSubmittedTwice: string[] = [];
  const transferOfKey = new Map<string, string>();
  let lastSeq = 0;
  for await (const record of ledger) {
    lastSeq = record.seq;
    const hasOutcome = record.kind === 'submit' || record.kind === 'cancel';
    increment(counts, hasOutcome ? `${record.kind}.${record.outcome}` : record.kind);
    if (record.transferId !== null) transferOfKey.set(record.key, record.transferId);
    // A cancel or a query names only the key: its transfer is the one the key was submitted for.
    const transferId = record.transferId ?? transferOfKey.get(record.key);
    if (transferId === undefined) continue;
    const transfer = byTransfer.get(transferId) ?? emptySummary();
    byTransfer.set(transferId, transfer);
    if ('fault' in record && record.fault) transfer.faults.push(record.fault);
    if (record.kind === 'submit' && increment(transfer.submitsByKey, record.key) === 2)
      keysSubmittedTwice.push(record.key);
    if (record.kind === 'return') transfer.returns++;
    if (record.kind !== 'execution') continue;
    increment(transfer.executionsByKey, record.key);
    transfer.executions++;
    transfer.executedMinor += BigInt(record.amount.minor);
    transfer.currency = record.amount.currency;
  }
  const executedTwice = [...byTransfer].filter(([, { executions }]) => executions > 1).map(([id]) => id);
  return { byTransfer, counts, executedTwice, keysSubmittedTwice, lastSeq };
}

function emptySummary(): TransferSummary {
  return {
    submitsByKey: new Map(),
    executionsByKey: new Map(),
    executions: 0,
    returns: 0,
    executedMinor: 0n,
    currency: null,
    faults: [],
  };
}

function increment(counts: Map<string, number>, name: string): number {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count;
}
