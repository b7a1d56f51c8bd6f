// What operators may change of a record that was put aside: a short list of texts by which nobody is paid and nobody is
// screened, by whose letter it is. All else is locked. The stage applies the edit itself, to the record as its issuer sealed
// it, so that no seal is made anew and no key lets anybody change what is locked. Pure.
import { isLongerThan, isPlainText } from '../domain/text/text.ts';
import type { TopicName } from '../topics/catalogue.ts';
import { MAX_CHARACTERS } from './intake/bounds.ts';
import type { StageName } from './topology.ts';

/** A field that may be edited. */
export interface EditableField {
  /** JSON Pointer in the decoded record, where `parties` are the open ones without the name of their union branch. */
  readonly path: string;
  readonly maxCharacters: number;
  readonly isNullable: boolean;
  /** May name people: masked by role. */
  readonly isPersonal: boolean;
}

/** What one field is set to. */
export interface EditedField {
  readonly path: string;
  readonly value: string | null;
}
export type Edit = readonly EditedField[];

const PURPOSE: EditableField = {
  ...{ path: '/purposeCode', maxCharacters: MAX_CHARACTERS.purposeCode },
  ...{ isNullable: false, isPersonal: false },
};
const EXECUTION_DATE: EditableField = {
  ...{ path: '/requestedExecutionDate', maxCharacters: MAX_CHARACTERS.requestedExecutionDate },
  ...{ isNullable: true, isPersonal: false },
};
const REMITTANCE: EditableField = {
  ...{ path: '/parties/remittanceInformation', maxCharacters: MAX_CHARACTERS.remittanceInformation },
  ...{ isNullable: true, isPersonal: true },
};

/**
 * Of an intent what intake checks anew; behind intake what no later stage decides by. Commands of persons, outcomes of payouts
 * and what may have been paid have nothing that may be edited.
 */
const EDITABLE: Readonly<Partial<Record<StageName, readonly [TopicName, readonly EditableField[]]>>> = {
  intake: ['transfer.requested', [PURPOSE, EXECUTION_DATE, REMITTANCE]],
  screening: ['transfer.accepted', [REMITTANCE]],
  'fx-pricing': ['transfer.screened', [REMITTANCE]],
  limits: ['transfer.priced', [REMITTANCE]],
  'payout-dispatch': ['transfer.reserved', [REMITTANCE]],
};

/** The fields that may be edited in a record of this topic that this owner has put aside. */
export function editableFields(owner: string, topic: string): readonly EditableField[] {
  const [of, fields] = EDITABLE[owner as StageName] ?? [];
  return of === topic && fields ? fields : [];
}

const MAX_EDIT_CHARACTERS = 2_000;

/** The one text of an edit: a JSON Patch (RFC 6902) of replacements, in the order of their paths. */
export function editText(edit: Edit): string {
  const sorted = edit.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return JSON.stringify(sorted.map(({ path, value }) => ({ op: 'replace', path, value })));
}

/** The edit in a text that `editText` could have made; undefined for any other. */
export function editIn(text: string): Edit | undefined {
  if (text.length > MAX_EDIT_CHARACTERS) return undefined;
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found) || found.length === 0) return undefined;
    const edit = found.map(({ path, value }: Record<string, unknown>) => ({ path, value }) as EditedField);
    const isOfTexts = edit.every((each) => typeof each.path === 'string' && isTextOrNull(each.value));
    return isOfTexts && new Set(edit.map(({ path }) => path)).size === edit.length && editText(edit) === text
      ? edit
      : undefined;
  } catch {
    return undefined;
  }
}

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';

export type Edited<V> =
  | { readonly ok: true; readonly value: V }
  /** One sentence without a value. */
  | { readonly ok: false; readonly detail: string };

/** The record with its edit, or why it may not be edited so. What is not edited is the very same. */
export function withEdit<V>(owner: string, topic: string, value: V, edit: Edit): Edited<V> {
  const fields = new Map(editableFields(owner, topic).map((field) => [field.path, field]));
  let edited = value;
  for (const { path, value: to } of edit) {
    const field = fields.get(path);
    if (!field) return { ok: false, detail: lockedDetail(owner, topic, path) };
    const flaw = flawOf(field, to);
    if (flaw) return { ok: false, detail: `${path} ${flaw}` };
    const next = withField(edited, path, to);
    if (next === undefined) return { ok: false, detail: `${path} is sealed, or not there` };
    edited = next;
  }
  return { ok: true, value: edited };
}

/** Why a path is not edited. */
export function lockedDetail(owner: string, topic: string, path: string): string {
  const paths = editableFields(owner, topic).map((field) => field.path);
  const open = paths.length === 0 ? 'nothing of it may be edited' : `only ${paths.join(', ')} may be edited`;
  return `${path.slice(0, 100)} is locked: of ${topic} that ${owner} put aside ${open}. Another payment is a new instruction, with the endToEndId of this one`;
}

function flawOf({ isNullable, maxCharacters }: EditableField, value: string | null): string | undefined {
  if (value === null) return isNullable ? undefined : 'must have a text';
  if (value.trim() === '') return 'is empty: use null, where there may be nothing';
  if (isLongerThan(value, maxCharacters)) return `has more than ${maxCharacters} characters`;
  return isPlainText(value) ? undefined : 'holds control or hidden characters';
}

const OPEN = 'corridor.Parties';

interface WithParties {
  readonly parties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What stands at the path of an editable field; undefined: nothing that may be edited. */
export function fieldAt(value: unknown, path: string): string | null | undefined {
  const [, first = '', second] = path.split('/');
  const holder = second === undefined ? value : (value as WithParties).parties?.[OPEN];
  const found = (holder as Readonly<Record<string, unknown>> | undefined)?.[second ?? first];
  return isTextOrNull(found) ? (found as string | null) : undefined;
}

/** A copy: what was read keeps the bytes that it was read from, and they say what it was. */
function withField<V>(value: V, path: string, to: string | null): V | undefined {
  if (fieldAt(value, path) === undefined) return undefined;
  const [, first = '', second] = path.split('/');
  if (second === undefined) return { ...value, [first]: to };
  const parties = (value as WithParties).parties![OPEN];
  return { ...value, parties: { [OPEN]: { ...parties, [second]: to } } };
}
