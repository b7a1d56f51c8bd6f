// What commands and gates need of stored list versions; adapters implement it.
import type { ListReference } from '../../schemas/types.generated.ts';
import type { ListVersion } from '../lists/index.ts';
import type { ActiveLists, VersionSource } from '../ports.ts';
import type { VersionHead } from './version.ts';

/** What is in force for one source. */
export interface Activation {
  readonly source: string;
  /** Grows by one with each activation of the source. */
  readonly revision: number;
  readonly list: ListReference;
  readonly entities: number;
  readonly names: number;
  /** ms since 1970 */
  readonly activatedAt: number;
  readonly activatedBy: string;
  /** False until the event is known to be in the log. */
  readonly published: boolean;
}

export interface StoredActivation extends Activation {
  /** False: no program of operators put it in force as it stands. */
  readonly isSealed: boolean;
}

export interface StoredHead extends VersionHead {
  /** False: no program of operators imported it as it stands. */
  readonly isSealed: boolean;
}

/** Versions are immutable; what is in force changes by compare-and-set. Every method throws coded errors of the store. */
export interface ListStore extends VersionSource, ActiveLists {
  ensureIndexes(): Promise<void>;
  /** Stores a version whole, or again where what is stored is damaged or not sealed. False: it was there already. */
  save(version: ListVersion, by: string, now: number): Promise<boolean>;
  /** @throws CodedError LIST_VERSION_UNKNOWN, LIST_VERSION_NOT_SEALED */
  head(versionId: string): Promise<VersionHead>;
  /** Newest import first. */
  heads(filter: { readonly source?: string; readonly limit: number }): Promise<readonly StoredHead[]>;
  active(): Promise<readonly StoredActivation[]>;
  /**
   * Puts the version in force if `expected` (0: none) is still the revision in force, as revision `next` (one more, unless
   * the log is further). Undefined: another was faster.
   */
  activate(
    head: VersionHead,
    expected: number,
    by: string,
    now: number,
    next?: number,
  ): Promise<Activation | undefined>;
  markPublished(source: string, revision: number): Promise<void>;
}
