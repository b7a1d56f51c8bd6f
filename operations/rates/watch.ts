// Sources of rates are asked again and again, each at its own pace. What one does (dies, hangs, says nonsense) changes nothing for
// the others, and nothing of a wrong answer is taken: the rates that the log has simply grow old, which pricing sees.
import { type BackoffLimits, backoffMs } from '../../ports/backoff.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, codeAndDetail } from '../../ports/fault.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { type RatesRead, ratesOfEcb } from './import.ts';
import { ratesOfJson } from './json-rates.ts';
import type { RateSource } from './sources.ts';

/** What is known of an answer, for asking whether there is another one. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export type SourceAnswer =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'answered'; readonly bytes: Uint8Array; readonly validators: Validators };

export interface WatchPorts {
  /**
   * Asks a source once. Bounded in time and size.
   * @throws CodedError RATE_SOURCE_DOWN, RATE_SOURCE_WRONG
   */
  readonly ask: (source: RateSource, known: Validators) => Promise<SourceAnswer>;
  /** Writes what is newer than what the log has of the source. @returns those that it wrote @throws CodedError of the log */
  readonly publish: (source: string, rates: readonly FxRate[]) => Promise<readonly FxRate[]>;
  /** ms since 1970 */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly report: (look: Look) => void;
}

/** What came of asking a source once. */
export type Look = { readonly source: string; readonly nextMs: number } & (
  | { readonly kind: 'unchanged' }
  /** `written`: the rest was not newer than what the log had. */
  | {
      readonly kind: 'read';
      readonly written: number;
      readonly of: number;
      readonly observedAt: number;
      readonly rawHash: string;
    }
  /** `isOpen`: it failed so often that it is only tried now and then. */
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly failures: number;
      readonly isOpen: boolean;
    }
);

/** Where a source stands between two looks. */
export interface SourceState {
  readonly failures: number;
  /** Of the last answer that is in the log. */
  readonly known: Validators;
}
export const NEW_SOURCE: SourceState = { failures: 0, known: {} };

/** Failures in a row after which a source is left alone for longer: its breaker is open. */
export const OPEN_AFTER = 5;
const RETRY: BackoffLimits = { firstMs: 1_000, maxMs: 30_000 };
const OPEN: BackoffLimits = { firstMs: 60_000, maxMs: 600_000 };

/** How long until a source is asked again, ms; with jitter, so that many of us do not come at once. Pure. */
export function nextLookMs(failures: number, everyMs: number, random: () => number): number {
  if (failures === 0) return Math.round(everyMs * (0.9 + random() / 10));
  if (failures < OPEN_AFTER) return Math.min(everyMs, backoffMs(failures, RETRY, random));
  return backoffMs(failures - OPEN_AFTER + 1, OPEN, random);
}

/** One look at a source. Never throws. */
export async function lookOnce(
  source: RateSource,
  { failures, known }: SourceState,
  ports: WatchPorts,
): Promise<{ readonly look: Look; readonly state: SourceState }> {
  const name = source.source;
  try {
    const answer = await ports.ask(source, known);
    const nextMs = nextLookMs(0, source.everyMs, ports.random);
    if (answer.kind === 'unchanged' && known.etag === undefined && known.lastModified === undefined)
      throw unchangedSince(name);
    if (answer.kind === 'unchanged')
      return { look: { source: name, kind: 'unchanged', nextMs }, state: { failures: 0, known } };
    const { rates, rawHash } = ratesIn(source, answer.bytes, ports.now());
    const written = await ports.publish(name, rates);
    const observedAt = Math.max(...rates.map((rate) => rate.observedAt));
    const counts = { written: written.length, of: rates.length };
    // Only now: an answer that is not in the log has to come again.
    const state = { failures: 0, known: answer.validators };
    return { look: { source: name, kind: 'read', ...counts, observedAt, rawHash, nextMs }, state };
  } catch (error) {
    const { code, detail } = codeAndDetail(error);
    const inARow = failures + 1;
    const nextMs = nextLookMs(inARow, source.everyMs, ports.random);
    const isOpen = inARow >= OPEN_AFTER;
    const look: Look = { source: name, kind: 'failed', code, detail, failures: inARow, isOpen, nextMs };
    return { look, state: { failures: inARow, known } };
  }
}

/** Nothing is in the log that it could be the same as. */
const unchangedSince = (source: string): CodedError =>
  new CodedError('RATE_SOURCE_WRONG', `${source}: it answers 304 (unchanged), though it was not asked since when`, {
    ...{ faultClass: 'transient-dependency', dependency: source },
  });

function ratesIn(source: RateSource, bytes: Uint8Array, now: number): RatesRead {
  return source.kind === 'ecb' ? ratesOfEcb(bytes, { source: source.source, now }) : ratesOfJson(bytes, source, now);
}

/** Asks each source once. @returns whether all of them answered */
export async function watchOnce(sources: readonly RateSource[], ports: WatchPorts): Promise<boolean> {
  const looks = await Promise.all(sources.map((source) => lookOnce(source, NEW_SOURCE, ports)));
  for (const { look } of looks) ports.report(look);
  return looks.every(({ look }) => look.kind !== 'failed');
}

/** Asks the sources until it is stopped. */
export async function watchSources(
  sources: readonly RateSource[],
  ports: WatchPorts,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    sources.map(async (source) => {
      let state = NEW_SOURCE;
      while (!signal.aborted) {
        const looked = await lookOnce(source, state, ports);
        state = looked.state;
        ports.report(looked.look);
        await ports.sleep(looked.look.nextMs, signal);
      }
    }),
  );
}
