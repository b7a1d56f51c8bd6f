/** The UN Security Council's consolidated list in XML, read element by element as it streams by. */
import { SaxesParser } from 'saxes';
import { type EntityDraft, ListBuilder } from './build.ts';
import { countryCode, countryOfPlace } from './countries.ts';
import { parsePartialDate } from './dates.ts';
import type { IdentifierKind, ListVersion, NameKind, NameQuality } from './entity.ts';
import { ListRefused } from './fault.ts';
import { splitNames } from './names.ts';
import { type ByteSource, textOf } from './source.ts';

interface Element {
  readonly name: string;
  readonly children: Element[];
  text: string;
}

const ROOT = 'CONSOLIDATED_LIST';
const RECORDS = new Set(['INDIVIDUAL', 'ENTITY']);
const GIVEN_NAMES = ['FIRST_NAME', 'SECOND_NAME', 'THIRD_NAME', 'FOURTH_NAME', 'FIFTH_NAME', 'SIXTH_NAME'];

/**
 * @throws ListRefused LIST_EMPTY, LIST_IS_HTML, LIST_MALFORMED, LIST_TRUNCATED, LIST_WRONG_FORMAT, LIST_TOO_MANY_DROPS
 */
export async function parseUn(source: ByteSource): Promise<ListVersion> {
  const builder = new ListBuilder('UN');
  const text = textOf(source);
  const reader = new RecordReader((record) => readRecord(record, builder));
  for await (const chunk of text.chunks) reader.write(chunk);
  const publicationDate = reader.end();
  if (text.facts.foreignBytes > 0) builder.warnings.add('NOT_UTF8', 'XML', text.facts.foreignBytes);
  return builder.finish([text.facts.sha256], publicationDate);
}

/** Builds one small tree per record and hands it on, so that the whole document is never in memory. */
class RecordReader {
  #parser = new SaxesParser();
  #stack: Element[] = [];
  #depth = 0;
  #published: string | undefined;

  constructor(use: (record: Element) => void) {
    this.#parser.on('opentag', (tag) => {
      this.#depth += 1;
      if (this.#depth === 1) {
        if (tag.name !== ROOT) {
          throw new ListRefused('LIST_WRONG_FORMAT', `The root element is ${tag.name}, expected ${ROOT}.`);
        }
        this.#published = /^\d{4}-\d{2}-\d{2}/.exec(
          (tag.attributes as { dateGenerated?: string }).dateGenerated ?? '',
        )?.[0];
      }
      if (this.#stack.length === 0 && !RECORDS.has(tag.name)) return;
      const element: Element = { name: tag.name, children: [], text: '' };
      this.#stack.at(-1)?.children.push(element);
      this.#stack.push(element);
    });
    this.#parser.on('text', (text) => {
      const element = this.#stack.at(-1);
      if (element) element.text += text;
    });
    this.#parser.on('closetag', () => {
      this.#depth -= 1;
      const element = this.#stack.pop();
      if (element && this.#stack.length === 0) use(element);
    });
    this.#parser.on('error', (error) => {
      throw error;
    });
  }

  write(chunk: string): void {
    this.#guard(() => this.#parser.write(chunk));
  }

  end(): string | undefined {
    if (this.#depth > 0) {
      throw new ListRefused('LIST_TRUNCATED', 'The XML ends before its last element is closed. Download it again.');
    }
    this.#guard(() => this.#parser.close());
    return this.#published;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof ListRefused) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ListRefused('LIST_MALFORMED', `The XML is broken (${reason}). Download it again.`, { cause: error });
    }
  }
}

const childrenOf = (element: Element, name: string): Element[] =>
  element.children.filter((child) => child.name === name);
const textIn = (element: Element, name: string): string => childrenOf(element, name)[0]?.text.trim() ?? '';
const valuesIn = (element: Element, name: string): string[] =>
  childrenOf(element, name).flatMap((child) => childrenOf(child, 'VALUE').map((value) => value.text.trim()));

function readRecord(record: Element, builder: ListBuilder): void {
  const person = record.name === 'INDIVIDUAL';
  const id = textIn(record, 'DATAID');
  if (id === '') {
    builder.dropEntity('NO_ID', textIn(record, 'REFERENCE_NUMBER'));
    return;
  }
  const draft = builder.open(id, person ? 'person' : 'organisation');
  if (!draft) return;
  const given = GIVEN_NAMES.map((part) => textIn(record, part)).filter((part) => part !== '');
  builder.addName(draft, given.join(' '), 'primary', 'strong');
  for (const original of splitNames(textIn(record, 'NAME_ORIGINAL_SCRIPT'))) {
    builder.addName(draft, original, 'alias', 'strong');
  }
  for (const alias of childrenOf(record, `${record.name}_ALIAS`)) readAlias(alias, draft, builder);
  const programme = textIn(record, 'UN_LIST_TYPE');
  if (programme !== '') draft.programmes.add(programme);
  readFacts(record, draft, builder);
}

function readAlias(alias: Element, draft: EntityDraft, builder: ListBuilder): void {
  const label = textIn(alias, 'QUALITY').toLowerCase();
  const quality: NameQuality = label === 'low' ? 'weak' : 'strong';
  const kind: NameKind = label.startsWith('f.k.a') ? 'former' : 'alias';
  const names = splitNames(textIn(alias, 'ALIAS_NAME'));
  if (names.length === 0) builder.dropName('EMPTY_NAME', draft.sourceId);
  for (const name of names) builder.addName(draft, name, kind, quality);
}

function readFacts(record: Element, draft: EntityDraft, builder: ListBuilder): void {
  const reference = textIn(record, 'REFERENCE_NUMBER');
  draft.addIdentifier({ kind: 'other', value: reference });
  const gender = textIn(record, 'GENDER').toLowerCase();
  if (gender === 'male' || gender === 'female') draft.gender = gender;
  for (const nationality of valuesIn(record, 'NATIONALITY')) addCountry(draft.nationalities, nationality, builder);
  for (const address of childrenOf(record, `${record.name}_ADDRESS`)) {
    addCountry(draft.countries, textIn(address, 'COUNTRY'), builder);
  }
  for (const place of childrenOf(record, 'INDIVIDUAL_PLACE_OF_BIRTH')) readBirthPlace(place, draft);
  for (const date of childrenOf(record, 'INDIVIDUAL_DATE_OF_BIRTH')) readBirthDate(date, draft, builder);
  for (const document of childrenOf(record, 'INDIVIDUAL_DOCUMENT')) readDocument(document, draft);
  const titles = [...valuesIn(record, 'TITLE'), ...valuesIn(record, 'DESIGNATION')].filter((text) => text !== '');
  if (titles.length > 0) draft.title = titles.join('; ');
  const comments = textIn(record, 'COMMENTS1');
  if (comments !== '') draft.remarks = comments;
}

function addCountry(to: Set<string>, name: string, builder: ListBuilder): void {
  if (name === '') return;
  const code = countryCode(name);
  if (code) to.add(code);
  else builder.warnings.add('UNKNOWN_COUNTRY', name);
}

function readBirthPlace(element: Element, draft: EntityDraft): void {
  const parts = ['CITY', 'STATE_PROVINCE', 'COUNTRY']
    .map((part) => textIn(element, part))
    .filter((part) => part !== '');
  if (parts.length === 0) return;
  const place = parts.join(', ');
  draft.birthPlaces.push(place);
  const code = countryCode(textIn(element, 'COUNTRY')) ?? countryOfPlace(place);
  if (code) draft.countries.add(code);
}

function readBirthDate(element: Element, draft: EntityDraft, builder: ListBuilder): void {
  const from = textIn(element, 'FROM_YEAR');
  const to = textIn(element, 'TO_YEAR');
  const text = textIn(element, 'DATE') || textIn(element, 'YEAR') || (from && to ? `${from} to ${to}` : from || to);
  if (text === '') return;
  const date = parsePartialDate(text);
  if (!date) {
    builder.warnings.add('UNREADABLE_DATE', `${draft.sourceId}: ${text}`);
    return;
  }
  draft.addBirthDate(/^approx/i.test(textIn(element, 'TYPE_OF_DATE')) ? { ...date, circa: true } : date);
}

function readDocument(element: Element, draft: EntityDraft): void {
  const label = `${textIn(element, 'TYPE_OF_DOCUMENT')} ${textIn(element, 'TYPE_OF_DOCUMENT2')}`.toLowerCase();
  const value = textIn(element, 'NUMBER');
  if (!/\d/.test(value)) return;
  const kind: IdentifierKind = /pas+a?port|pasaporte/.test(label)
    ? 'passport'
    : /national|identi/.test(label)
      ? 'national-id'
      : /fiscal|tax/.test(label)
        ? 'tax'
        : 'other';
  const country = countryCode(textIn(element, 'ISSUING_COUNTRY')) ?? countryCode(textIn(element, 'COUNTRY_OF_ISSUE'));
  draft.addIdentifier({ kind, value, ...(country ? { country } : {}) });
}
