// Entries into `audit.entries`: what must be durable first waits for the log; what has been is kept until the log has it.
import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { type CodedError, codeAndDetail, dependencyDown } from '../../ports/fault.ts';
import type { LogWriter, OutputRecord } from '../../ports/log.ts';
import { within } from '../../ports/pause.ts';
import { recordMaker } from '../../ports/records.ts';
import type { Rings } from '../../ports/seals.ts';
import { auditEntries } from '../../topics/boundary.ts';
import type { Audit } from './audit.ts';
import { type Act, entryOf } from './entry.ts';

export interface EntryLogOptions {
  /** Which program writes: lower-case letters and hyphens. */
  readonly program: string;
  /** `audit.entries` is loaded. */
  readonly codec: Pick<Codec, 'encode'>;
  readonly writer: Pick<LogWriter, 'send'>;
  readonly rings: Rings;
  readonly clock?: Clock;
  readonly newId?: () => string;
  /** How long an act waits for its entry to be durable, ms. */
  readonly recordWithinMs?: number;
  /** Entries kept in memory while the log is away. Beyond, acts are refused and what has been is lost, and counted. */
  readonly maxWaiting?: number;
  /** Called with each try that failed. */
  readonly onFault?: (code: ErrorCode, detail: string) => void;
  /** Called with how many entries are not in the log yet, whenever it changes. */
  readonly onWaiting?: (count: number) => void;
  /** Called with entries that there was no room for. */
  readonly onLost?: (count: number) => void;
}

export interface EntryLog extends Audit {
  /** Entries that are not in the log yet. */
  waiting(): number;
  /** Makes records of acts for a transaction of the caller's own: they are there with what it does, or not at all. */
  recordsOf(acts: readonly Act[]): readonly OutputRecord[];
  /** Writes what waits. @returns whether all of it is in the log */
  close(deadlineMs: number): Promise<boolean>;
}

const RECORD_WITHIN_MS = 10_000;
const MAX_WAITING = 10_000;
const AT_ONCE = 500;
const RETRY_MS = 500;

/** @throws CodedError CONFIG_INVALID when the process has no keys to seal entries with */
export function entryLog(options: EntryLogOptions): EntryLog {
  const { program, codec, writer, rings, clock = systemClock, newId = randomUUID } = options;
  const { recordWithinMs = RECORD_WITHIN_MS, maxWaiting = MAX_WAITING } = options;
  const make = recordMaker({ owner: program, writes: [auditEntries], codec, rings });
  const closing = new AbortController();
  let queue: OutputRecord[] = [];
  let pumping: Promise<void> | undefined;
  let isOver = false;

  const recordOf = (act: Act): { readonly entryId: string; readonly record: OutputRecord } => {
    const entryId = newId();
    const entry = entryOf(act, { entryId, at: clock.now(), program });
    return { entryId, record: make(auditEntries.name, entry, { partition: 0 }) };
  };

  async function pump(): Promise<void> {
    while (queue.length > 0 && !isOver) {
      const batch = queue.slice(0, AT_ONCE);
      try {
        // Sent again as it was: the same entry has the same id, and the sequencer takes it once.
        await writer.send(batch);
        queue = queue.slice(batch.length);
        options.onWaiting?.(queue.length);
      } catch (error) {
        const { code, detail } = codeAndDetail(error);
        options.onFault?.(code, detail);
        await clock.sleep(RETRY_MS, closing.signal);
        if (closing.signal.aborted) await clock.sleep(RETRY_MS / 10);
      }
    }
    pumping = undefined;
  }

  return {
    async record(acts) {
      if (queue.length >= maxWaiting) throw unavailable(new Error('too many entries wait for the log'));
      const made = acts.map(recordOf);
      const sent = writer.send(made.map(({ record }) => record));
      sent.catch(() => undefined);
      const isIn = await within(recordWithinMs, sent, clock).catch((error: unknown) => {
        const { code, detail } = codeAndDetail(error);
        options.onFault?.(code, detail);
        throw unavailable(error);
      });
      if (!isIn) throw unavailable(new Error('the log did not take the entry in time'));
      return made.map(({ entryId }) => entryId);
    },
    note(acts) {
      const room = Math.max(0, maxWaiting - queue.length);
      if (acts.length > room) options.onLost?.(acts.length - room);
      for (const act of acts.slice(0, room)) queue.push(recordOf(act).record);
      options.onWaiting?.(queue.length);
      pumping ??= pump();
    },
    recordsOf: (acts) => acts.map((act) => recordOf(act).record),
    waiting: () => queue.length,
    async close(deadlineMs) {
      closing.abort();
      await within(deadlineMs, pumping, clock);
      isOver = true;
      if (queue.length > 0) options.onLost?.(queue.length);
      return queue.length === 0;
    },
  };
}

const unavailable = (error: unknown): CodedError => dependencyDown('kafka', 'AUDIT_UNAVAILABLE', error);
