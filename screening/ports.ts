// What screening needs from outside: the list versions in force, an index over them, the exceptions granted.
import type {
  Instruction,
  ListReference,
  Parties,
  ScreenedParty,
  ScreeningEvidence,
  ScreeningRecheck,
} from '../schemas/types.generated.ts';
import type { Tokens } from './counterparties.ts';
import type { ScreeningException } from './exceptions.ts';
import type { IndexPlan, IndexQuery } from './index/built-index.ts';
import type { PackedVersion } from './versions/version.ts';

/** What a screener finds for one transfer: evidence, but for the time and the review. */
export type Findings = Omit<ScreeningEvidence, 'screenedAt' | 'review'>;
/** What a later look finds, but for what it was made for. */
export type Difference = Omit<ScreeningRecheck, 'reason' | 'screenedAt' | 'review'>;

export interface ScreeningRequest {
  readonly parties: Parties;
  readonly instruction: Pick<Instruction, 'sourceCurrency' | 'targetCurrency'> & Tokens;
}

export interface Screener {
  /**
   * Screens the parties of each transfer against the lists in force, all against the same versions. Deterministic: the
   * same parties, list versions, configuration and exceptions give the same findings.
   * @throws CodedError NO_ACTIVE_LIST, LIST_INDEX_NOT_READY: nothing is cleared meanwhile
   */
  screen(batch: readonly ScreeningRequest[]): Promise<readonly Findings[]>;
  /**
   * Screens against what the lists in force hold and the covered versions did not; undefined where they hold nothing new.
   * @throws CodedError as `screen`
   */
  recheck(
    batch: readonly { readonly request: ScreeningRequest; readonly covered: readonly ListReference[] }[],
  ): Promise<readonly (Difference | undefined)[]>;
}

/** The list version of each source in force, as far as this process knows, or durably. */
export interface ActiveLists {
  current(): Promise<readonly ListReference[]>;
}

export interface VersionSource {
  /** @throws CodedError LIST_VERSION_UNKNOWN, MONGO_UNAVAILABLE */
  load(versionId: string): Promise<PackedVersion>;
}

export interface ExceptionBook {
  /** The approved exceptions of these counterparties that are neither revoked nor, by the clock of the book, over. One wait. */
  find(tokens: readonly string[]): Promise<readonly ScreeningException[]>;
}

/** An index that is ready. */
export interface OpenIndex {
  /** Answers in order. */
  screen(queries: readonly IndexQuery[]): Promise<readonly ScreenedParty[]>;
  /** Answers what was asked, then lets go of it. */
  close(): Promise<void>;
}

/** Builds indexes without holding up the event loop. */
export type OpenIndexes = (plan: IndexPlan) => Promise<OpenIndex>;
