/**
 * OFAC's SDN list as published in CSV: SDN.CSV (one row an entity), ALT.CSV (aliases), ADD.CSV (addresses) and
 * SDN_COMMENTS.CSV (remarks too long for SDN.CSV). No header line, `-0-` for null, 0x1A at the end.
 * Corridor's own small list uses the same SDN format.
 */
import { ListBuilder } from './build.ts';
import { countryCode } from './countries.ts';
import { type CsvRow, csvRows } from './csv.ts';
import type { EntityType, ListVersion, NameKind } from './entity.ts';
import { ListRefused } from './fault.ts';
import { addOfacName } from './ofac-names.ts';
import { readRemarks } from './ofac-remarks.ts';
import { type ByteSource, textOf } from './source.ts';

export interface OfacFiles {
  readonly sdn: ByteSource;
  readonly alt?: ByteSource;
  readonly add?: ByteSource;
  readonly comments?: ByteSource;
}

export interface OfacOptions {
  /** Default `OFAC`. Corridor's own list is read with its own name here. */
  readonly source?: string;
  /** ISO date; the files do not carry one. */
  readonly publicationDate?: string;
}

const END_MARK = String.fromCharCode(0x1a);
const TYPES: Record<string, EntityType> = {
  '': 'organisation',
  entity: 'organisation',
  individual: 'person',
  vessel: 'vessel',
  aircraft: 'aircraft',
};
const ALIAS_KINDS: Record<string, NameKind> = { aka: 'alias', nka: 'alias', fka: 'former' };

/**
 * @throws ListRefused LIST_EMPTY, LIST_IS_HTML, LIST_MALFORMED, LIST_TRUNCATED, LIST_WRONG_FORMAT, LIST_TOO_MANY_DROPS
 */
export async function parseOfac(files: OfacFiles, options: OfacOptions = {}): Promise<ListVersion> {
  const builder = new ListBuilder(options.source ?? 'OFAC');
  const remarks = new Map<string, string>();
  const hashes: string[] = [];

  hashes.push(await eachRow('SDN', files.sdn, 12, builder, (cells) => readSdnRow(cells, builder, remarks)));
  if (files.comments) {
    const append = ([id, text]: string[]) => void remarks.set(id!, `${remarks.get(id!) ?? ''} ${text!}`.trim());
    hashes.push(await eachRow('SDN_COMMENTS', files.comments, 2, builder, append));
  }
  for (const [id, text] of remarks) {
    const draft = builder.find(id);
    if (draft) readRemarks(draft, text, builder);
    else builder.warnings.add('COMMENT_OF_UNKNOWN_ID', id);
  }
  if (files.alt) {
    hashes.push(await eachRow('ALT', files.alt, 5, builder, (cells) => readAltRow(cells, builder)));
  }
  if (files.add) {
    hashes.push(await eachRow('ADD', files.add, 6, builder, (cells) => readAddRow(cells, builder)));
  }
  return builder.finish(hashes, options.publicationDate);
}

async function eachRow(
  file: string,
  source: ByteSource,
  columns: number,
  builder: ListBuilder,
  use: (cells: string[]) => void,
): Promise<string> {
  const text = textOf(source);
  let bad: CsvRow | undefined;
  let rows = 0;
  let ended = false;
  for await (const row of csvRows(text.chunks)) {
    if (row.cells.length === 1 && row.cells[0]!.trim() === END_MARK) {
      ended = true;
      continue;
    }
    if (bad) dropRow(bad, file, builder);
    bad = undefined;
    rows += 1;
    if (row.cells.length === columns && /^\d+$/.test(row.cells[0]!.trim())) use(row.cells.map(cell));
    else bad = row;
  }
  if (rows > 0 && bad && rows === 1) {
    throw new ListRefused(
      'LIST_WRONG_FORMAT',
      `${file} is expected as rows of ${columns} columns that begin with a number, without a header.`,
    );
  }
  if (bad && ended) dropRow(bad, file, builder);
  else if (bad) {
    throw new ListRefused('LIST_TRUNCATED', `${file} ends within a row (line ${bad.line}). Download it again.`);
  }
  if (!ended) builder.warnings.add('NO_END_MARK', file);
  if (text.facts.foreignBytes > 0) builder.warnings.add('NOT_UTF8', file, text.facts.foreignBytes);
  return text.facts.sha256;
}

function dropRow(row: CsvRow, file: string, builder: ListBuilder): void {
  const where = `${file} line ${row.line}`;
  if (file === 'SDN') builder.dropEntity('BAD_ROW', where);
  else if (file === 'ALT') builder.dropName('BAD_ROW', where);
  else builder.warnings.add('BAD_ROW', where);
}

const cell = (text: string): string => {
  const value = text.trim();
  return value === '-0-' ? '' : value;
};

function readSdnRow(cells: string[], builder: ListBuilder, remarks: Map<string, string>): void {
  const [id = '', name = '', kind = '', programmes = '', title, callSign, vesselType, , , flag, , note] = cells;
  const type = TYPES[kind.toLowerCase()];
  if (type === undefined) builder.warnings.add('UNKNOWN_TYPE', `${id}: ${kind}`);
  const draft = builder.open(id, type ?? 'unknown');
  if (!draft) return;
  addOfacName(builder, draft, name, 'primary');
  for (const programme of programmes.split(/\]\s*\[|;/)) {
    const code = programme.replace(/[[\]]/g, '').trim();
    if (code !== '') draft.programmes.add(code);
  }
  const described = [title, vesselType].filter((text) => text).join('; ');
  if (described !== '') draft.title = described;
  if (callSign) draft.addIdentifier({ kind: 'call-sign', value: callSign });
  const flagCode = flag ? countryCode(flag) : undefined;
  if (flagCode) draft.nationalities.add(flagCode);
  if (note) remarks.set(id, note);
}

function readAltRow([id = '', , kind = '', name = '']: string[], builder: ListBuilder): void {
  const draft = builder.find(id);
  if (draft) addOfacName(builder, draft, name, ALIAS_KINDS[kind.toLowerCase()] ?? 'alias');
  else builder.dropName('ALIAS_OF_UNKNOWN_ID', id);
}

function readAddRow([id = '', , , , country = '']: string[], builder: ListBuilder): void {
  const draft = builder.find(id);
  if (!draft) {
    builder.warnings.add('ADDRESS_OF_UNKNOWN_ID', id);
    return;
  }
  if (country === '') return;
  const code = countryCode(country);
  if (code) draft.countries.add(code);
  else builder.warnings.add('UNKNOWN_COUNTRY', country);
}
