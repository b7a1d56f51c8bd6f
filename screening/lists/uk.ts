/**
 * The UK Sanctions List in CSV: a `Report Date:` line, then a header of 58 columns, then one row per name, address or
 * other detail of a party, all with its `Unique ID`. Built from the documented columns.
 */
import { ListBuilder } from './build.ts';
import { countryCode } from './countries.ts';
import { parsePartialDate } from './dates.ts';
import type { EntityType, IdentifierKind, ListVersion } from './entity.ts';
import { splitNames } from './names.ts';
import type { ByteSource } from './source.ts';
import { eachTableRow, type Row } from './table.ts';

const TYPES: Record<string, EntityType> = {
  individual: 'person',
  entity: 'organisation',
  ship: 'vessel',
};
const IDENTIFIERS: readonly (readonly [string, IdentifierKind])[] = [
  ['Passport number', 'passport'],
  ['National Identifier number', 'national-id'],
  ['Business registration number (s)', 'registration'],
  ['IMO number', 'imo'],
];

/** @throws ListRefused as the other parsers */
export async function parseUk(file: ByteSource): Promise<ListVersion> {
  const builder = new ListBuilder('UK');
  let published: string | undefined;
  const format = {
    file: 'UK Sanctions List',
    required: ['Unique ID', 'Name 6', 'Name 1', 'Name type', 'Designation Type'],
    isPreamble: (cells: readonly string[]) => /^report date\b/i.test(cells[0]?.trim() ?? ''),
    onPreamble: (cells: readonly string[]) => {
      const date = parsePartialDate(cells.join(' '));
      if (date?.month === undefined || date.day === undefined) return;
      published = [date.year, date.month, date.day].map((part) => String(part).padStart(2, '0')).join('-');
    },
  };
  const hash = await eachTableRow(file, format, builder, (row, line) => readRow(row, line, builder));
  return builder.finish([hash], published);
}

function readRow(row: Row, line: number, builder: ListBuilder): void {
  const id = row('Unique ID');
  if (id === '') {
    builder.dropEntity('NO_ID', `line ${line}`);
    return;
  }
  const draft = builder.find(id) ?? builder.open(id, TYPES[row('Designation Type').toLowerCase()] ?? 'unknown');
  if (!draft) return;
  const given = ['Name 1', 'Name 2', 'Name 3', 'Name 4', 'Name 5'].map(row).filter((part) => part !== '');
  const family = row('Name 6');
  const full = [...given, family].filter((part) => part !== '').join(' ');
  const primary = /^primary name$/i.test(row('Name type'));
  const quality = /low/i.test(row('Alias strength')) ? 'weak' : 'strong';
  const parts = draft.type === 'person' && family !== '' && given.length > 0 ? { family, given: given.join(' ') } : {};
  // Every further address of a party repeats its name: only a new one counts as read.
  if (full !== '' && !draft.names.some((name) => name.full === full)) {
    const kind = primary && draft.names.length === 0 ? 'primary' : 'alias';
    builder.addName(draft, full, kind, primary ? 'strong' : quality, parts);
  }
  for (const name of splitNames(row('Name non-latin script'))) {
    if (!draft.names.some((known) => known.full === name)) builder.addName(draft, name, 'alias', 'strong');
  }
  readFacts(row, draft, builder);
}

function readFacts(row: Row, draft: NonNullable<ReturnType<ListBuilder['find']>>, builder: ListBuilder): void {
  for (const text of row('D.O.B').split(';')) {
    const date = text.trim() === '' ? undefined : parsePartialDate(text);
    if (date) draft.addBirthDate(date);
    else if (text.trim() !== '') builder.warnings.add('UNREADABLE_DATE', `${draft.sourceId}: ${text}`);
  }
  for (const nationality of row('Nationality(/ies)').split(/[;,]|\(\d+\)/))
    addCountry(draft.nationalities, nationality);
  addCountry(draft.nationalities, row('Current believed flag of ship'));
  addCountry(draft.countries, row('Address Country'));
  addCountry(draft.countries, row('Country of birth'));
  const town = row('Town of birth');
  if (town !== '' && !draft.birthPlaces.includes(town)) draft.birthPlaces.push(town);
  for (const [column, kind] of IDENTIFIERS) {
    for (const value of row(column).split(/[;,]|\(\d+\)/)) {
      if (/\d/.test(value)) draft.addIdentifier({ kind, value: value.trim() });
    }
  }
  const gender = row('Gender').toLowerCase();
  if (gender === 'male' || gender === 'female') draft.gender = gender;
  const regime = row('Regime Name');
  if (regime !== '') draft.programmes.add(regime);
  const position = row('Position') || row('Title');
  if (position !== '' && draft.title === undefined) draft.title = position;
  const remarks = row('Other Information');
  if (remarks !== '' && draft.remarks === undefined) draft.remarks = remarks;
}

function addCountry(to: Set<string>, text: string): void {
  const code = countryCode(text);
  if (code) to.add(code);
}
