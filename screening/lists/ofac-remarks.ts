/** What OFAC writes into the remarks column: statements parted by semicolons, each with its own wording. */
import type { EntityDraft, ListBuilder } from './build.ts';
import { countryCode, countryOfPlace } from './countries.ts';
import { parsePartialDate } from './dates.ts';
import type { IdentifierKind } from './entity.ts';
import { addOfacName } from './ofac-names.ts';

const IDENTIFIERS: readonly (readonly [RegExp, IdentifierKind])[] = [
  [/^Passport (?:No\. )?([^\s(]+)/i, 'passport'],
  [
    /^(?:National ID No\.|National Foreign ID Number|Cedula No\.|C\.U\.R\.P\.|D\.N\.I\.|SSN|Personal ID Card|Identification Number|Birth Certificate Number|Citizen's Card Number|Residency Number|Diplomatic Passport|Stateless Person ID Card|Tazkira(?: National ID Card)?) ?#? ?([^\s(]+)/i,
    'national-id',
  ],
  [
    /^(?:Tax ID No\.|R\.F\.C\.|NIT #?|RUC #?|RIF #?|C\.U\.I\.T\.|VAT Number|Cedula de Ciudadania|Italian Fiscal Code|Fiscal Code|RTN|Numero Unico de Identificacao) ?([^\s(]+)/i,
    'tax',
  ],
  [
    /^(?:Registration Number|Registration ID|Business Registration Number|Business Number|Company Number|Commercial Registry Number|Trade License No\.|Unified Social Credit Code \(USCC\)|Matricula Mercantil No|Folio Mercantil No\.|Economic Register Number \(CBLS\)|Public Registration Number|C\.R\. No\.|Chamber of Commerce Number|License|Legal Entity Number|Enterprise Number|Certificate of Incorporation Number|Istanbul Chamber of Comm\. No\.|Government Gazette Number|Central Registration System Number|MERSIS No\.|Branch Unit Number|UK Company Number|V\.A\.T\. Number) ?:? ?#? ?([^\s(]+)/i,
    'registration',
  ],
  [/^SWIFT\/BIC (\S+)/i, 'bic'],
  [/^MMSI (\d+)/i, 'mmsi'],
  [/^Aircraft Tail Number (\S+)/i, 'tail-number'],
  [/^Aircraft Manufacturer's Serial Number \(MSN\) (\S+)/i, 'serial-number'],
  [/^Digital Currency Address - \S+ (\S+)/i, 'wallet'],
];
const IMO = /\bIMO (\d{7})\b/i;

/** Reads the remarks of one entity into its draft; statements without a meaning for screening stay in the text. */
export function readRemarks(draft: EntityDraft, text: string, builder: ListBuilder): void {
  draft.remarks = text;
  for (const part of text.split(/;\s*/)) {
    const statement = part
      .trim()
      .replace(/\.$/, '')
      .replace(/^alt\. /i, '');
    if (statement !== '') readStatement(draft, statement, builder);
  }
}

function readStatement(draft: EntityDraft, statement: string, builder: ListBuilder): void {
  const alias = /^([afn])\.k\.a\. '(.+)'?$/.exec(statement);
  if (alias) {
    // OFAC's weak aliases are the quoted ones in the remarks; the strong ones have rows of their own in ALT.CSV.
    addOfacName(builder, draft, alias[2]!.replace(/'$/, ''), alias[1] === 'f' ? 'former' : 'alias', 'weak');
    return;
  }
  if (statement.startsWith('DOB ')) {
    readBirthDate(draft, statement.slice(4), builder);
    return;
  }
  if (statement.startsWith('POB ')) {
    readBirthPlace(draft, statement.slice(4));
    return;
  }
  const gender = /^Gender (Male|Female)\b/i.exec(statement);
  if (gender) {
    draft.gender = gender[1]!.toLowerCase() === 'male' ? 'male' : 'female';
    return;
  }
  const nationality = /^(?:nationality|citizen|Vessel Flag) (.+)$/i.exec(statement);
  if (nationality) {
    const code = countryCode(nationality[1]!);
    if (code) draft.nationalities.add(code);
    else builder.warnings.add('UNKNOWN_COUNTRY', nationality[1]!);
    return;
  }
  readIdentifier(draft, statement);
}

function readBirthDate(draft: EntityDraft, text: string, builder: ListBuilder): void {
  const date = parsePartialDate(text);
  if (date) draft.addBirthDate(date);
  else builder.warnings.add('UNREADABLE_DATE', `${draft.sourceId}: ${text}`);
}

function readBirthPlace(draft: EntityDraft, place: string): void {
  draft.birthPlaces.push(place);
  const code = countryOfPlace(place);
  if (code) draft.countries.add(code);
}

function readIdentifier(draft: EntityDraft, statement: string): void {
  const issuer = /\(([^()]+)\)/.exec(statement)?.[1];
  const country = issuer === undefined ? undefined : countryCode(issuer);
  const imo = IMO.exec(statement);
  if (imo) {
    draft.addIdentifier({ kind: 'imo', value: imo[1]! });
    return;
  }
  for (const [pattern, kind] of IDENTIFIERS) {
    const found = pattern.exec(statement);
    if (!found) continue;
    if (!/\d/.test(found[1]!) && kind !== 'bic') return;
    if (country) draft.countries.add(country);
    draft.addIdentifier({ kind, value: found[1]!.replace(/[,.;]+$/, ''), ...(country ? { country } : {}) });
    return;
  }
}
