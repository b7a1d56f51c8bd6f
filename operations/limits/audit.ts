// An audit of the ledger of limits: what it holds against what the log says, exactly. The log is ahead of the ledger by what the
// stage has not done yet, and behind it by what the stage is committing: what that touches is not compared until it is over.
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import type { LedgerFold } from '../../processors/limits/rebuild.ts';
import {
  beganBefore,
  byRuleAndWindow,
  counterDrift,
  type Drift,
  type DriftOf,
  type Expected,
  expectedOf,
  isNeverRight,
  isOver,
  recordDrift,
  type StoredCounter,
  type StoredRecord,
  type StoredSum,
  subjectOf,
  sumDrift,
  withoutShort,
} from './drift.ts';

/** The generation that is in force. */
export interface LedgerStanding {
  /** Null: there is none, the ledger is lost or being made anew. */
  readonly marker: string | null;
  /** What was committed behind its rebuild is not taken in yet. */
  readonly isCatchUpDue: boolean;
}

/** What the ledger holds. Read-only; every method throws a coded error when it cannot be asked. */
export interface LedgerContents {
  standing(): Promise<LedgerStanding>;
  /** Page by page, of this generation. */
  counters(marker: string): AsyncIterable<readonly StoredCounter[]>;
  sums(marker: string): AsyncIterable<readonly StoredSum[]>;
  /** Of these; those that are not there are left out. */
  countersOf(marker: string, buckets: readonly string[]): Promise<readonly StoredCounter[]>;
  sumsOf(marker: string, names: readonly string[]): Promise<readonly StoredSum[]>;
  /** Records of transfers, page by page. */
  records(marker: string): AsyncIterable<readonly StoredRecord[]>;
  /** Of these; those that are not there are left out. */
  recordsOf(marker: string, transferIds: readonly string[]): Promise<readonly StoredRecord[]>;
}

/** What the stage may have done, or may not have done yet. */
export interface Motion {
  readonly transfers: ReadonlySet<string>;
  /** Tokens of whom these transfers count for, as far as their events tell. */
  readonly subjects: ReadonlySet<string>;
}

export interface AuditPorts {
  readonly ledger: LedgerContents;
  /** Reads the log into a fold, and says from when on it is whole: ms since 1970; undefined: all of it is there. */
  readonly fold: () => Promise<{ readonly fold: LedgerFold; readonly since: number | undefined }>;
  /** Reads into the same fold what has come since. */
  readonly foldOn: () => Promise<void>;
  /** Notes where the stage stands; what it answers tells what was before the stage from there to the present end. */
  readonly stageStands: () => Promise<() => Promise<Motion>>;
  /** How long a transaction may stay open, ms. */
  readonly transactionTimeoutMs: number;
  readonly clock?: () => number;
}

export interface AuditOptions {
  /** How long a ledger that is being made anew is waited for, ms. */
  readonly waitMs: number;
  /** Told what is waited for. */
  readonly onProgress?: (detail: string) => void;
}

/**
 * `SAME`: all is compared, and nothing differs. `DRIFT`: something does. `INCOMPLETE`: nothing that could be compared does.
 * `NOT_COMPARED`: nothing could be.
 */
export type AuditConclusion = 'SAME' | 'DRIFT' | 'NOT_COMPARED' | 'INCOMPLETE';

export interface LimitsAudit {
  readonly conclusion: AuditConclusion;
  /** Why nothing was compared: `LOST`, `CATCH_UP_DUE`, or `REPLACED` while it was looked at; null: it was. */
  readonly reason: 'LOST' | 'CATCH_UP_DUE' | 'REPLACED' | null;
  readonly transfers: number;
  /** The log and snapshots do not reach back to the first use: ms since 1970; null: they do. */
  readonly missingSince: number | null;
  /** Counters, sums and records that differed while the stage was at them, and were not looked at when it was not. */
  readonly moving: number;
  /** Those that hold more than the log tells, of windows that began before it does. */
  readonly short: number;
  readonly drift: readonly DriftOf[];
}

const NOTHING = { transfers: 0, missingSince: null, moving: 0, short: 0, drift: [] } as const;
/** Whatever differs is looked at so often at most; what differs twice, with nothing on its way, differs. */
const LOOKS = 5;
const PAGE = 1_000;
const POLL_MS = 500;

/** @throws CodedError LIMITS_TOO_LARGE, and what the ports throw */
export async function auditLedger(ports: AuditPorts, options: AuditOptions): Promise<LimitsAudit> {
  const { marker, isCatchUpDue } = await comparable(ports, options);
  if (marker === null) return { ...NOTHING, conclusion: 'NOT_COMPARED', reason: 'LOST' };
  if (isCatchUpDue) return { ...NOTHING, conclusion: 'NOT_COMPARED', reason: 'CATCH_UP_DUE' };
  const { fold, since } = await ports.fold();
  const audit = new Audit(ports, marker, fold, since ?? null);
  await audit.sift();
  for (let look = 1; look <= LOOKS && audit.isOpen; look++) {
    if (look > 1) await pause(ports.transactionTimeoutMs);
    await audit.look();
  }
  const still = await ports.ledger.standing();
  if (still.marker !== marker || still.isCatchUpDue)
    return { ...NOTHING, conclusion: 'NOT_COMPARED', reason: 'REPLACED' };
  return audit.report();
}

/** Waits for a ledger that is in force and has taken in all that its rebuild left behind. */
async function comparable({ ledger }: AuditPorts, { waitMs, onProgress }: AuditOptions): Promise<LedgerStanding> {
  const until = performance.now() + waitMs;
  for (;;) {
    const standing = await ledger.standing();
    const isReady = standing.marker !== null && !standing.isCatchUpDue;
    if (isReady || performance.now() >= until) return standing;
    onProgress?.(standing.marker === null ? 'the ledger is being made anew' : 'what came behind the rebuild is due');
    await pause(POLL_MS);
  }
}

/** What is looked at again. */
interface Suspects {
  readonly counters: readonly string[];
  readonly sums: readonly string[];
  readonly records: readonly string[];
}

class Audit {
  readonly #ports: AuditPorts;
  readonly #marker: string;
  readonly #fold: LedgerFold;
  readonly #since: number | null;
  /** By what they are of; how often they differed with nothing on its way, and how the last time. */
  readonly #suspects = new Map<string, { times: number; drift: readonly Drift[] }>();
  readonly #short = new Set<string>();
  /** Something is counted that may have begun before the log does. */
  #isOfBefore = false;

  constructor(ports: AuditPorts, marker: string, fold: LedgerFold, since: number | null) {
    this.#ports = ports;
    this.#marker = marker;
    this.#fold = fold;
    this.#since = since;
  }

  /** Whether anything is to be looked at again. */
  get isOpen(): boolean {
    return [...this.#suspects.values()].some(({ times }) => times < 2);
  }

  /** Everything once, page by page. What agrees is done with; the stage may be at the rest. */
  async sift(): Promise<void> {
    const { ledger } = this.#ports;
    const expected = this.#expected();
    const suspect = (name: string, drift: readonly Drift[]) => {
      if (drift.length > 0) this.#suspects.set(name, { times: 0, drift: [] });
    };
    const seen = { counters: new Set<string>(), sums: new Set<string>() };
    for await (const page of ledger.counters(this.#marker)) {
      for (const held of page) {
        this.#noteBegin(held.bucket, expected);
        if (expected.counters.has(held.bucket)) seen.counters.add(held.bucket);
        suspect(`c ${held.bucket}`, counterDrift(held.bucket, expected, held));
      }
    }
    for await (const page of ledger.sums(this.#marker)) {
      for (const held of page) {
        if (expected.sums.has(held.name)) seen.sums.add(held.name);
        suspect(`w ${held.name}`, sumDrift(held.name, expected, held));
      }
    }
    for (const bucket of expected.counters.keys()) {
      this.#noteBegin(bucket, expected);
      if (!seen.counters.has(bucket)) suspect(`c ${bucket}`, counterDrift(bucket, expected, undefined));
    }
    for (const name of expected.sums.keys())
      if (!seen.sums.has(name)) suspect(`w ${name}`, sumDrift(name, expected, undefined));
    for (const entries of pagesOf(this.#fold.transferEntries(), PAGE)) {
      const held = await this.#recordsOf(entries.map(({ transferId }) => transferId));
      for (const entry of entries)
        suspect(`t ${entry.transferId}`, recordDrift(entry, expected.at, held.get(entry.transferId)));
    }
    for await (const page of ledger.records(this.#marker)) {
      for (const held of page) {
        const { transferId } = held;
        if (this.#fold.find(transferId) === undefined)
          suspect(`t ${transferId}`, recordDrift(undefined, expected.at, held));
      }
    }
  }

  #noteBegin(bucket: string, { at }: Expected): void {
    if (this.#since !== null && !isOver(bucket, at) && beganBefore(bucket, this.#since)) this.#isOfBefore = true;
  }

  /**
   * The suspects, exactly: where the stage stands, then Redis, then the log. What the stage had done by then, Redis shows and the
   * log tells; for whom anything else was before it is in motion, and is left for the next look.
   */
  async look(): Promise<void> {
    const asked = this.#asked();
    const moved = await this.#ports.stageStands();
    const counters = mapOf(
      await inPages(asked.counters, (some) => this.#ports.ledger.countersOf(this.#marker, some)),
      ({ bucket }) => bucket,
    );
    const sums = mapOf(
      await inPages(asked.sums, (some) => this.#ports.ledger.sumsOf(this.#marker, some)),
      ({ name }) => name,
    );
    const records = new Map(await inPages(asked.records, async (some) => [...(await this.#recordsOf(some))]));
    await guarded(() => this.#ports.foldOn());
    const { transfers, subjects } = this.#inMotion(await moved());
    const expected = this.#expected();
    for (const bucket of asked.counters)
      this.#judge(`c ${bucket}`, subjects.has(subjectOf(bucket)), counterDrift(bucket, expected, counters.get(bucket)));
    for (const name of asked.sums)
      this.#judge(`w ${name}`, subjects.has(subjectOf(name)), sumDrift(name, expected, sums.get(name)));
    for (const id of asked.records) {
      const drift = recordDrift(this.#fold.find(id), expected.at, records.get(id));
      this.#judge(`t ${id}`, transfers.has(id), drift);
    }
  }

  report(): LimitsAudit {
    const all = [...this.#suspects.values()];
    const drift = byRuleAndWindow(all.filter(({ times }) => times >= 2).flatMap((each) => each.drift));
    const moving = all.filter(({ times }) => times < 2).length;
    // Once all that began before the log is over, the log tells all that matters.
    const isWhole = moving === 0 && !this.#isOfBefore && this.#short.size === 0;
    return {
      conclusion: drift.length > 0 ? 'DRIFT' : isWhole ? 'SAME' : 'INCOMPLETE',
      ...{ reason: null, transfers: this.#fold.transfers, missingSince: this.#since },
      ...{ moving, short: this.#short.size, drift },
    };
  }

  #judge(name: string, isMoving: boolean, found: readonly Drift[]): void {
    const { drift, isShort } = withoutShort(found, this.#since);
    if (isShort) this.#short.add(name);
    if (drift.length === 0) return void this.#suspects.delete(name);
    const certain = isMoving ? drift.filter(isNeverRight) : drift;
    if (certain.length > 0) this.#suspects.set(name, { times: this.#suspects.get(name)!.times + 1, drift: certain });
  }

  #asked(): Suspects {
    const of = (kind: string) =>
      [...this.#suspects.keys()].filter((name) => name.startsWith(`${kind} `)).map((name) => name.slice(2));
    return { counters: of('c'), sums: of('w'), records: of('t') };
  }

  /** By a clock that runs ahead, windows would be taken for over that are open. */
  #expected(): Expected {
    const { clock = Date.now } = this.#ports;
    return expectedOf(this.#fold.state().counters, Math.min(clock(), this.#fold.newestAt));
  }

  /** With those for whom the log says that these transfers count. */
  #inMotion({ transfers, subjects }: Motion): Motion {
    const all = new Set(subjects);
    for (const id of transfers) for (const { subjectToken } of this.#fold.find(id)?.uses ?? []) all.add(subjectToken);
    return { transfers, subjects: all };
  }

  async #recordsOf(transferIds: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    return mapOf(await this.#ports.ledger.recordsOf(this.#marker, transferIds), ({ transferId }) => transferId);
  }
}

/** @throws CodedError LIMITS_TOO_LARGE: more is to be held than may be; else what the work throws */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RangeError) throw new CodedError('LIMITS_TOO_LARGE', error.message);
    throw error;
  }
}

const mapOf = <T>(all: readonly T[], nameOf: (each: T) => string): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [nameOf(each), each]));

async function inPages<T>(
  names: readonly string[],
  ask: (some: readonly string[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const some of pagesOf(names, PAGE)) for (const each of await ask(some)) found.push(each);
  return found;
}

function* pagesOf<T>(all: Iterable<T>, size: number): Iterable<readonly T[]> {
  let page: T[] = [];
  for (const each of all) {
    page.push(each);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
