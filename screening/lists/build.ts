import {
  type EntityType,
  entitiesHashOf,
  type Gender,
  type Identifier,
  type ImportReport,
  type ListEntity,
  type ListedName,
  type ListVersion,
  type NameKind,
  type NameQuality,
  type PartialDate,
  sha256,
} from './entity.ts';
import { ListRefused } from './fault.ts';
import { Tally } from './tally.ts';

/** Share of rows that may be dropped before the file is refused as a whole. */
const MAX_DROPPED_SHARE = 0.02;

/** A listed party under construction: parsers add what they find, `finish` turns it into an entity. */
export class EntityDraft {
  names: ListedName[] = [];
  birthDates: PartialDate[] = [];
  birthPlaces: string[] = [];
  nationalities = new Set<string>();
  countries = new Set<string>();
  identifiers: Identifier[] = [];
  programmes = new Set<string>();
  gender: Gender | undefined;
  title: string | undefined;
  remarks: string | undefined;
  type: EntityType;
  readonly source: string;
  readonly sourceId: string;

  constructor(source: string, sourceId: string, type: EntityType) {
    this.source = source;
    this.sourceId = sourceId;
    this.type = type;
  }

  addBirthDate(date: PartialDate): void {
    const same = (other: PartialDate) =>
      other.year === date.year && other.month === date.month && other.day === date.day && other.toYear === date.toYear;
    if (!this.birthDates.some(same)) this.birthDates.push(date);
  }

  addIdentifier(identifier: Identifier): void {
    const same = (other: Identifier) =>
      other.kind === identifier.kind && other.value === identifier.value && other.country === identifier.country;
    if (identifier.value !== '' && !this.identifiers.some(same)) this.identifiers.push(identifier);
  }

  finish(): ListEntity {
    return {
      id: `${this.source}:${this.sourceId}`,
      source: this.source,
      sourceId: this.sourceId,
      type: this.type,
      names: this.names,
      birthDates: this.birthDates,
      birthPlaces: this.birthPlaces,
      nationalities: [...this.nationalities],
      countries: [...this.countries],
      ...(this.gender === undefined ? {} : { gender: this.gender }),
      identifiers: this.identifiers,
      programmes: [...this.programmes],
      ...(this.title === undefined ? {} : { title: this.title }),
      ...(this.remarks === undefined ? {} : { remarks: this.remarks }),
    };
  }
}

/** Collects the entities of one list and counts what is read, kept and dropped. */
export class ListBuilder {
  readonly warnings = new Tally();
  #droppedEntities = new Tally();
  #droppedNames = new Tally();
  #entitiesRead = 0;
  #namesRead = 0;
  #drafts = new Map<string, EntityDraft>();
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Counts one entity as read. Undefined, and counted as dropped, when its id is already taken. */
  open(sourceId: string, type: EntityType): EntityDraft | undefined {
    this.#entitiesRead += 1;
    if (this.#drafts.has(sourceId)) {
      this.#droppedEntities.add('DUPLICATE_ID', sourceId);
      return undefined;
    }
    const draft = new EntityDraft(this.source, sourceId, type);
    this.#drafts.set(sourceId, draft);
    return draft;
  }

  find(sourceId: string): EntityDraft | undefined {
    return this.#drafts.get(sourceId);
  }

  /** Counts an entity as read and dropped. */
  dropEntity(code: string, where: string): void {
    this.#entitiesRead += 1;
    this.#droppedEntities.add(code, where);
  }

  /** Counts a name as read and dropped. */
  dropName(code: string, where: string): void {
    this.#namesRead += 1;
    this.#droppedNames.add(code, where);
  }

  /** Adds a name, counted as read; dropped when empty, without a letter or digit, or already there. */
  addName(
    draft: EntityDraft,
    text: string,
    kind: NameKind,
    quality: NameQuality,
    parts: { family?: string; given?: string } = {},
  ): void {
    const full = text.replace(/\s+/g, ' ').trim();
    this.#namesRead += 1;
    if (full === '') {
      this.#droppedNames.add('EMPTY_NAME', draft.sourceId);
      return;
    }
    if (!/[\p{L}\p{N}]/u.test(full)) {
      this.#droppedNames.add('NO_LETTER', draft.sourceId);
      return;
    }
    const twin = draft.names.findIndex((name) => name.full === full);
    if (twin < 0) {
      draft.names.push({ full, kind, quality, ...parts });
      return;
    }
    this.#droppedNames.add('DUPLICATE_NAME', draft.sourceId);
    const known = draft.names[twin]!;
    // The same name once weak and once strong counts as strong.
    if (known.quality === 'weak' && quality === 'strong') draft.names[twin] = { ...known, quality };
  }

  /**
   * @param fileHashes sha256 of each file, in the order of their roles
   * @throws ListRefused LIST_EMPTY without any entity, LIST_TOO_MANY_DROPS above the allowed share of dropped rows
   */
  finish(fileHashes: readonly string[], publicationDate?: string): ListVersion {
    const entities: ListEntity[] = [];
    for (const draft of this.#drafts.values()) {
      if (draft.names.length > 0) entities.push(draft.finish());
      else this.#droppedEntities.add('NO_NAME', draft.sourceId);
    }
    const names = entities.reduce((sum, entity) => sum + entity.names.length, 0);
    const report: ImportReport = {
      entitiesRead: this.#entitiesRead,
      entitiesKept: entities.length,
      namesRead: this.#namesRead,
      namesKept: names,
      droppedEntities: this.#droppedEntities.reasons(),
      droppedNames: this.#droppedNames.reasons(),
      warnings: this.warnings.reasons(),
    };
    if (entities.length === 0) {
      throw new ListRefused('LIST_EMPTY', `No entity was found in the ${this.source} list. ${describe(report)}`);
    }
    if (this.#droppedEntities.total > Math.max(1, this.#entitiesRead * MAX_DROPPED_SHARE)) {
      throw new ListRefused('LIST_TOO_MANY_DROPS', `Too many entities cannot be read. ${describe(report)}`);
    }
    return {
      source: this.source,
      ...(publicationDate === undefined ? {} : { publicationDate }),
      contentHash: fileHashes.length === 1 ? fileHashes[0]! : sha256(fileHashes.join('\n')),
      entitiesHash: entitiesHashOf(entities),
      counts: { entities: entities.length, names },
      entities,
      report,
    };
  }
}

const describe = (report: ImportReport): string =>
  `Read ${report.entitiesRead}, dropped: ${
    report.droppedEntities.map(({ code, count, examples }) => `${code} ${count} (${examples.join(', ')})`).join('; ') ||
    'none'
  }.`;
