/**
 * The entity model every sanctions list is read into: who is listed, under which names, and what else tells them
 * apart. Plain data, so that a list version can be stored, hashed and compared field by field.
 */
import { createHash } from 'node:crypto';

export type EntityType = 'person' | 'organisation' | 'vessel' | 'aircraft' | 'unknown';
export type NameKind = 'primary' | 'alias' | 'former';
/** Weak (OFAC's quoted a.k.a., UN "Low"): confirms another hit, never alerts alone. */
export type NameQuality = 'strong' | 'weak';
export type Gender = 'male' | 'female';

export interface ListedName {
  readonly full: string;
  readonly kind: NameKind;
  readonly quality: NameQuality;
  /** Given only where the list itself separates the parts ("FAMILY, Given", or own columns). */
  readonly family?: string;
  readonly given?: string;
}

/** A date known to the year, the month or the day; `toYear` where the list gives a range of years. */
export interface PartialDate {
  readonly year: number;
  readonly month?: number;
  readonly day?: number;
  readonly toYear?: number;
  readonly circa?: boolean;
}

export type IdentifierKind =
  | 'passport'
  | 'national-id'
  | 'tax'
  | 'registration'
  | 'imo'
  | 'mmsi'
  | 'bic'
  | 'lei'
  | 'call-sign'
  | 'tail-number'
  | 'serial-number'
  | 'wallet'
  | 'other';

export interface Identifier {
  readonly kind: IdentifierKind;
  /** As published, trimmed. Compare with `identifierKey`. */
  readonly value: string;
  /** ISO 3166-1 alpha-2 of the issuer, where known. */
  readonly country?: string;
}

export interface ListEntity {
  /** `SOURCE:sourceId`, unique over all lists. */
  readonly id: string;
  readonly source: string;
  readonly sourceId: string;
  readonly type: EntityType;
  /** The primary name first; never empty. */
  readonly names: readonly ListedName[];
  readonly birthDates: readonly PartialDate[];
  readonly birthPlaces: readonly string[];
  /** ISO 3166-1 alpha-2: nationality or citizenship, for a vessel its flag. */
  readonly nationalities: readonly string[];
  /** ISO 3166-1 alpha-2: address, registration, place of birth. */
  readonly countries: readonly string[];
  readonly gender?: Gender;
  readonly identifiers: readonly Identifier[];
  readonly programmes: readonly string[];
  readonly title?: string;
  readonly remarks?: string;
}

/** Why a row or a name did not become part of the list. */
export interface DropReason {
  readonly code: string;
  readonly count: number;
  /** The first few places (line, record or id), never the whole content. */
  readonly examples: readonly string[];
}

/** What an import read and dropped: `read = kept + dropped` for entities and for names. */
export interface ImportReport {
  readonly entitiesRead: number;
  readonly entitiesKept: number;
  readonly namesRead: number;
  readonly namesKept: number;
  readonly droppedEntities: readonly DropReason[];
  readonly droppedNames: readonly DropReason[];
  /** Dirt that was tolerated: bytes that were no UTF-8, a missing end mark, a date nobody can read. */
  readonly warnings: readonly DropReason[];
}

/** One immutable publication of one list. */
export interface ListVersion {
  readonly source: string;
  /** ISO date of publication, as the file or the importer states it. */
  readonly publicationDate?: string;
  /** sha256 over the bytes of the files, in the order of their roles. */
  readonly contentHash: string;
  /** sha256 over the entities: equal for equal content, whatever file it came from. */
  readonly entitiesHash: string;
  readonly counts: { readonly entities: number; readonly names: number };
  readonly entities: readonly ListEntity[];
  readonly report: ImportReport;
}

/** What evidence says of a list version: enough to find it again and to prove it is the same. */
export type ListVersionRef = Pick<ListVersion, 'source' | 'publicationDate' | 'contentHash' | 'entitiesHash'>;

export const refOf = (version: ListVersion): ListVersionRef => ({
  source: version.source,
  ...(version.publicationDate === undefined ? {} : { publicationDate: version.publicationDate }),
  contentHash: version.contentHash,
  entitiesHash: version.entitiesHash,
});

/** JSON with sorted keys: the same content gives the same text, whatever the order of construction. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Hex sha256 of a text or of bytes. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Identifies the content of one entity: an exception granted for it is void when this changes. */
export const entityHash = (entity: ListEntity): string => sha256(canonicalJson(entity));

/** Hash over all entities, independent of their order in the file. */
export function entitiesHashOf(entities: readonly ListEntity[]): string {
  const hash = createHash('sha256');
  for (const line of entities.map((entity) => `${entity.id}:${entityHash(entity)}\n`).sort()) hash.update(line);
  return hash.digest('hex');
}

/** An identifier for comparison: letters and digits only, upper case. */
export const identifierKey = (value: string): string => value.toUpperCase().replace(/[^\p{L}\p{N}]/gu, '');
