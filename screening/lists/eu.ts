/**
 * The European Union's lists: the consolidated CSV (version 1.1, one row per name, birth date, address or identifier)
 * and extracts of a regulation's annex (one row per listed party).
 */
import { type EntityDraft, ListBuilder } from './build.ts';
import { countryCode, countryOfPlace } from './countries.ts';
import { parsePartialDate } from './dates.ts';
import type { EntityType, IdentifierKind, ListVersion, NameKind, NameQuality } from './entity.ts';
import { partsByCapitals, splitNames, trimName, variantsOf } from './names.ts';
import type { ByteSource } from './source.ts';
import { eachTableRow, type Row } from './table.ts';

const ANNEX = { file: 'EU annex extract', required: ['celex', 'annex', 'recordId', 'schema', 'name', 'alias'] };
const CONSOLIDATED = {
  file: 'EU consolidated list',
  required: ['Entity_LogicalId', 'NameAlias_WholeName'],
  delimiter: ';',
};
const ANNEX_TYPES: Record<string, EntityType> = {
  person: 'person',
  company: 'organisation',
  legalentity: 'organisation',
  organization: 'organisation',
  vessel: 'vessel',
  airplane: 'aircraft',
};
const ANNEX_IDENTIFIERS: readonly (readonly [string, IdentifierKind])[] = [
  ['passportNumber', 'passport'],
  ['idNumber', 'national-id'],
  ['taxNumber', 'tax'],
  ['innCode', 'tax'],
  ['registrationNumber', 'registration'],
  ['ogrnCode', 'registration'],
  ['leiCode', 'lei'],
  ['swiftBic', 'bic'],
  ['imoNumber', 'imo'],
  ['mmsi', 'mmsi'],
];

/**
 * Reads annex extracts, several regulations into one list. An entity's id is regulation, annex and number there.
 * @throws ListRefused as the other parsers
 */
export async function parseEuAnnexes(files: readonly ByteSource[], publicationDate?: string): Promise<ListVersion> {
  const builder = new ListBuilder('EU');
  const hashes: string[] = [];
  for (const file of files) {
    hashes.push(await eachTableRow(file, ANNEX, builder, (row, line) => readAnnexRow(row, line, builder)));
  }
  return builder.finish(hashes, publicationDate);
}

function readAnnexRow(row: Row, line: number, builder: ListBuilder): void {
  const key = [row('celex'), row('annex'), row('recordId')];
  if (key.includes('')) {
    builder.dropEntity('NO_ID', `${ANNEX.file} line ${line}`);
    return;
  }
  const draft = builder.open(key.join(':'), ANNEX_TYPES[row('schema').toLowerCase()] ?? 'unknown');
  if (!draft) return;
  addNames(builder, draft, trimName(row('name')), 'primary', 'strong');
  for (const alias of splitNames(row('alias'))) addNames(builder, draft, alias, 'alias', 'strong');
  for (const alias of splitNames(row('weakAlias'))) addNames(builder, draft, alias, 'alias', 'weak');
  for (const former of splitNames(row('previousName'))) addNames(builder, draft, former, 'former', 'strong');
  for (const birth of row('birthDate').split(/;|\bor\b/)) addBirthDate(builder, draft, birth);
  for (const place of row('birthPlace').split(';')) addBirthPlace(draft, place);
  for (const nationality of row('nationality')
    .replace(/\([^)]*\)/g, '')
    .split(/[;,/]|\band\b/)) {
    addCountry(builder, draft.nationalities, nationality);
  }
  for (const place of [row('country'), row('jurisdiction'), ...row('address').split(';')]) {
    const code = countryCode(place) ?? countryOfPlace(place);
    if (code) draft.countries.add(code);
  }
  for (const [column, kind] of ANNEX_IDENTIFIERS) addIdentifiers(draft, kind, row(column));
  readDetails(draft, row('gender'), row('programKey'), row('position'), row('notes'));
}

/**
 * Reads the consolidated list.
 * @throws ListRefused as the other parsers
 */
export async function parseEuConsolidated(file: ByteSource): Promise<ListVersion> {
  const builder = new ListBuilder('EU');
  let published: string | undefined;
  const hash = await eachTableRow(file, CONSOLIDATED, builder, (row, line) => {
    const date = parsePartialDate(row('fileGenerationDate') || row('Date_file'));
    if (published === undefined && date?.day) published = isoDate(date.year, date.month ?? 1, date.day);
    readConsolidatedRow(row, line, builder);
  });
  return builder.finish([hash], published);
}

const isoDate = (year: number, month: number, day: number): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

function readConsolidatedRow(row: Row, line: number, builder: ListBuilder): void {
  const id = row('Entity_LogicalId');
  if (id === '') {
    builder.dropEntity('NO_ID', `${CONSOLIDATED.file} line ${line}`);
    return;
  }
  const draft = builder.find(id) ?? builder.open(id, typeOf(row));
  if (!draft) return;
  const name = consolidatedName(row);
  if (name !== '') {
    const kind = draft.names.length === 0 ? 'primary' : 'alias';
    const quality = /^(?:false|0|no|low|weak)$/i.test(row('NameAlias_Strong')) ? 'weak' : 'strong';
    const family = row('NameAlias_LastName');
    const given = [row('NameAlias_FirstName'), row('NameAlias_MiddleName')].filter((part) => part !== '').join(' ');
    builder.addName(draft, name, kind, quality, family !== '' && given !== '' ? { family, given } : {});
  }
  addBirthDate(builder, draft, row('BirthDate_BirthDate') || row('BirthDate_Year'));
  const place = [row('BirthDate_City'), row('BirthDate_Place')].filter((part) => part !== '').join(', ');
  if (place !== '' && !draft.birthPlaces.includes(place)) draft.birthPlaces.push(place);
  addCountry(builder, draft.nationalities, row('Citizenship_CountryIso2Code'));
  for (const column of ['Address_CountryIso2Code', 'BirthDate_CountryIso2Code']) {
    addCountry(builder, draft.countries, row(column));
  }
  addConsolidatedIdentifier(draft, row);
  const gender = row('NameAlias_Gender');
  readDetails(draft, gender, row('Entity_Regulation_Programme'), row('NameAlias_Function'), row('Entity_Remark'));
}

function typeOf(row: Row): EntityType {
  const subject = (row('Entity_SubjectType_ClassificationCode') || row('Entity_SubjectType')).toLowerCase();
  if (subject === 'p' || subject === 'person') return 'person';
  return subject === 'e' || subject === 'enterprise' ? 'organisation' : 'unknown';
}

function consolidatedName(row: Row): string {
  const parts = [row('NameAlias_FirstName'), row('NameAlias_MiddleName'), row('NameAlias_LastName')];
  return row('NameAlias_WholeName') || parts.filter((part) => part !== '').join(' ');
}

function addConsolidatedIdentifier(draft: EntityDraft, row: Row): void {
  const label = `${row('Identification_TypeCode')} ${row('Identification_TypeDescription')}`.toLowerCase();
  const kind: IdentifierKind = label.includes('passport')
    ? 'passport'
    : label.includes('imo')
      ? 'imo'
      : /tax|fiscal/.test(label)
        ? 'tax'
        : /regnumber|registration/.test(label)
          ? 'registration'
          : /\bid\b|identi/.test(label)
            ? 'national-id'
            : 'other';
  const country = countryCode(row('Identification_CountryIso2Code'));
  draft.addIdentifier({ kind, value: row('Identification_Number'), ...(country ? { country } : {}) });
}

function addNames(builder: ListBuilder, draft: EntityDraft, text: string, kind: NameKind, quality: NameQuality): void {
  const [first = '', ...more] = variantsOf(text);
  const parts = (name: string) => (draft.type === 'person' ? partsByCapitals(name) : undefined) ?? {};
  builder.addName(draft, first, kind, quality, parts(first));
  for (const name of more) builder.addName(draft, name, 'alias', quality, parts(name));
}

function addBirthDate(builder: ListBuilder, draft: EntityDraft, text: string): void {
  if (text.trim() === '') return;
  const date = parsePartialDate(text);
  if (date) draft.addBirthDate(date);
  else builder.warnings.add('UNREADABLE_DATE', `${draft.sourceId}: ${text.trim()}`);
}

function addBirthPlace(draft: EntityDraft, text: string): void {
  const place = text.trim();
  if (place === '') return;
  draft.birthPlaces.push(place);
  const code = countryOfPlace(place);
  if (code) draft.countries.add(code);
}

function addCountry(builder: ListBuilder, to: Set<string>, text: string): void {
  const name = text.trim();
  if (name === '' || name === '00') return;
  const code = countryCode(name);
  if (code) to.add(code);
  else builder.warnings.add('UNKNOWN_COUNTRY', name);
}

/** Cells hold several numbers with remarks around them: every run that has enough digits is one. */
function addIdentifiers(draft: EntityDraft, kind: IdentifierKind, cell: string): void {
  for (const part of cell.split(/[;,]|\bor\b/)) {
    const value = /[A-ZА-Я]{0,5}-?\d[\dA-ZА-Я /.-]*\d[A-Z]*/u.exec(part.trim())?.[0] ?? '';
    if (/lei|bic/.test(kind)) {
      const code = /\b[A-Z0-9]{8,20}\b/.exec(part)?.[0];
      if (code) draft.addIdentifier({ kind, value: code });
      continue;
    }
    if (value.replace(/\D/g, '').length < 5) continue;
    const issuer = /\(([^()]+)\)/.exec(part)?.[1];
    const country = issuer === undefined ? undefined : countryCode(issuer);
    draft.addIdentifier({ kind, value: value.trim(), ...(country ? { country } : {}) });
  }
}

function readDetails(draft: EntityDraft, gender: string, programme: string, title: string, remarks: string): void {
  if (/^m(?:ale)?$/i.test(gender)) draft.gender = 'male';
  if (/^f(?:emale)?$/i.test(gender)) draft.gender = 'female';
  if (programme !== '') draft.programmes.add(programme);
  if (title !== '' && draft.title === undefined) draft.title = title;
  if (remarks !== '' && draft.remarks === undefined) draft.remarks = remarks;
}
