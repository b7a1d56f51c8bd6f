// A checkpoint: what a run has verified, so that the next one goes on from there and nothing has to be kept for ever.
//
// A file of lines of JSON (compressed, if its name ends in .gz): what is open (inputs, detours, counters, quotes, transfers), then the header. The header holds a hash
// over the lines before it and over the checkpoint that this run went on from, so that checkpoints form a chain.
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, type Gunzip, type Gzip } from 'node:zlib';
import { CodedError } from '../ports/fault.ts';
import type { ClaimFact } from './attempt-claims.ts';
import type { Offsets } from './cut.ts';
import type { PendingInput } from './inputs.ts';
import type { StoredCount } from './limit-counters.ts';
import type { CurrencyTotals } from './money-totals.ts';
import type { Paid } from './provider.ts';
import type { QuoteUse } from './quote-uses.ts';
import type { StoredTrail } from './recovery-trail.ts';
import type { Transfer } from './transfer.ts';

const CHECKPOINT_VERSION = 1;

export interface CheckpointHeader {
  readonly kind: 'corridor-verify-checkpoint';
  /** Of its form; one of another is not read. */
  readonly version: typeof CHECKPOINT_VERSION;
  /** First part of the group names of the application it is of. */
  readonly app: string;
  /** Digest of the schemas that its digests are of; absent in older ones. */
  readonly schemas?: number;
  readonly takenAt: number;
  /** Everything before these offsets is verified. */
  readonly offsets: Offsets;
  /** Records from here on are still to be compared with the stores, where that is before `offsets`. */
  readonly storeOffsets: Offsets;
  readonly totals: Readonly<Record<string, CurrencyTotals>>;
  /** Documents that the log accounts for so far, by store. */
  readonly documents: Readonly<Record<string, number>>;
  readonly providerSeq: number;
  readonly lines: number;
  /** Hash of the checkpoint before; null for the first. */
  readonly previous: string | null;
  readonly hash: string;
}

export interface OpenTransfer {
  readonly transfer: Transfer;
  readonly paid: Paid | undefined;
  /** Claims of its attempts that stand; absent in older ones. */
  readonly claims?: readonly ClaimFact[];
}

type Line =
  | { readonly t: 'input'; readonly v: PendingInput }
  | { readonly t: 'detour'; readonly v: StoredTrail }
  | { readonly t: 'counter'; readonly v: StoredCount }
  | { readonly t: 'quote'; readonly v: QuoteUse }
  | { readonly t: 'transfer'; readonly p: number; readonly v: OpenTransfer };

const isZipped = (file: string) => file.endsWith('.gz');

/** Fields that hold minor units. */
const MINOR = new Set([
  'debit',
  'principal',
  'fees',
  'taxes',
  'credit',
  'minor',
  'limit',
  'executedMinor',
  'returnedMinor',
]);
const AMOUNTS = new Set([
  'debited',
  'principal',
  'fees',
  'taxes',
  'credited',
  'returned',
  'executed',
  'returnedByProvider',
  'open',
]);

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner));

const fromJson = (text: string, bigints: ReadonlySet<string>): unknown =>
  JSON.parse(text, (key, inner: unknown) =>
    bigints.has(key) && typeof inner === 'string' && /^-?\d+$/.test(inner) ? BigInt(inner) : inner,
  );

/** Writes a checkpoint beside its place; `commit` puts it there. */
export class CheckpointWriter {
  readonly #file: string;
  readonly #out: Writable;
  readonly #closed: Promise<void>;
  readonly #hash: Hash = createHash('sha256');
  #lines = 0;

  constructor(file: string) {
    this.#file = file;
    const disk = createWriteStream(`${file}.tmp`, { flush: true });
    this.#out = isZipped(file) ? createGzip() : disk;
    this.#closed = this.#out === disk ? finished(disk) : pipeline(this.#out as Gzip, disk);
    this.#closed.catch(() => undefined);
  }

  async add(line: Line): Promise<void> {
    const text = `${toJson(line)}\n`;
    this.#hash.update(text);
    this.#lines++;
    if (!this.#out.write(text)) await Promise.race([once(this.#out, 'drain'), this.#closed]);
  }

  /** @throws CodedError CHECKPOINT_NOT_WRITTEN */
  async commit(header: Omit<CheckpointHeader, 'kind' | 'version' | 'lines' | 'hash'>): Promise<CheckpointHeader> {
    const stated = {
      kind: 'corridor-verify-checkpoint',
      version: CHECKPOINT_VERSION,
      ...header,
      lines: this.#lines,
    } as const;
    const hash = this.#hash.update(toJson(stated)).digest('hex');
    const complete = { ...stated, hash };
    try {
      this.#out.end(`${toJson({ t: 'header', v: complete })}\n`);
      await this.#closed;
      await rename(`${this.#file}.tmp`, this.#file);
    } catch (cause) {
      throw new CodedError('CHECKPOINT_NOT_WRITTEN', `${this.#file} cannot be written: ${String(cause)}`, {
        faultClass: 'fatal',
        cause,
      });
    }
    return complete;
  }

  async abandon(): Promise<void> {
    this.#out.destroy();
    await this.#closed.catch(() => undefined);
    await rm(`${this.#file}.tmp`, { force: true });
  }
}

/** A checkpoint as read: all of it but the transfers, which are read partition by partition. */
export interface Checkpoint {
  readonly header: CheckpointHeader;
  readonly inputs: readonly PendingInput[];
  readonly trail: readonly StoredTrail[];
  readonly counters: readonly StoredCount[];
  /** Quotes that were used; none in older ones. */
  readonly quotes: readonly QuoteUse[];
  /** Open transfers of one partition. */
  transfers(partition: number, wants: (transferId: string) => boolean): Promise<readonly OpenTransfer[]>;
}

/** @throws CodedError CHECKPOINT_UNREADABLE, CHECKPOINT_DAMAGED, CHECKPOINT_OF_OTHER_FORM */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const inputs: PendingInput[] = [];
  const trail: StoredTrail[] = [];
  const counters: StoredCount[] = [];
  const quotes: QuoteUse[] = [];
  const hash = createHash('sha256');
  let header: CheckpointHeader | undefined;
  let lines = 0;
  for await (const text of linesOf(file)) {
    if (header) throw damaged(file, 'something follows its header');
    if (text.startsWith('{"t":"header"')) {
      header = (parsed(text, file) as { v: CheckpointHeader }).v;
      continue;
    }
    hash.update(`${text}\n`);
    lines++;
    if (text.startsWith('{"t":"transfer"')) continue;
    const line = parsed(text, file) as Line;
    if (line.t === 'input') inputs.push(line.v);
    if (line.t === 'detour') trail.push(line.v);
    if (line.t === 'counter') counters.push(line.v);
    if (line.t === 'quote') quotes.push(line.v);
  }
  if (header?.kind !== 'corridor-verify-checkpoint') throw damaged(file, 'it has no header: it was cut off');
  // Before its hash: another form may have another one.
  if (header.version !== CHECKPOINT_VERSION) throw ofAnotherForm(file, header.version);
  const { hash: stated, ...rest } = header;
  if (lines !== header.lines || hash.update(toJson(rest)).digest('hex') !== stated) {
    throw damaged(file, 'it does not have the hash that it states');
  }
  const totals = Object.entries(rest.totals).map(([currency, amounts]) => [currency, withBigints(amounts)] as const);
  return {
    header: { ...header, totals: Object.fromEntries(totals) },
    inputs,
    trail,
    counters,
    quotes,
    transfers: (partition, wants) => transfersIn(file, partition, wants),
  };
}

async function transfersIn(
  file: string,
  partition: number,
  wants: (transferId: string) => boolean,
): Promise<readonly OpenTransfer[]> {
  const found: OpenTransfer[] = [];
  const prefix = `{"t":"transfer","p":${partition},`;
  for await (const text of linesOf(file)) {
    if (!text.startsWith(prefix)) continue;
    const { v } = fromJson(text, MINOR) as { v: OpenTransfer };
    if (wants(v.transfer.id)) found.push(v);
  }
  return found;
}

async function* linesOf(file: string): AsyncGenerator<string, void> {
  const disk = createReadStream(file);
  const input = isZipped(file) ? createGunzip() : disk;
  // Without the pipeline, an error of the file would not reach the reader of what is unzipped.
  if (input !== disk) pipeline(disk, input as Gunzip).catch(() => undefined);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw new CodedError('CHECKPOINT_UNREADABLE', `${file} cannot be read: ${String(cause)}`, {
      faultClass: 'fatal',
      cause,
    });
  } finally {
    disk.destroy();
    input.destroy();
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw damaged(file, 'a line is no JSON');
  }
}

function withBigints(amounts: CurrencyTotals): CurrencyTotals {
  return fromJson(toJson(amounts), AMOUNTS) as CurrencyTotals;
}

function ofAnotherForm(file: string, version: unknown): CodedError {
  const form = typeof version === 'number' ? version : 'unknown';
  const message = `${file} is of form ${form}, and this release reads form ${CHECKPOINT_VERSION}: use the release that wrote it, or verify from the start of the log`;
  return new CodedError('CHECKPOINT_OF_OTHER_FORM', message, { faultClass: 'fatal' });
}

function damaged(file: string, why: string): CodedError {
  const message = `${file} is no whole checkpoint (${why}): use an older one, or verify from the start of the log`;
  return new CodedError('CHECKPOINT_DAMAGED', message, { faultClass: 'fatal' });
}
