// What people type, as an edit: a JSON Patch (RFC 6902) on the decoded record. Pure.
import { applyPatch, type Operation } from 'rfc6902';
import { safeText } from '../../../domain/text/text.ts';
import { CodedError } from '../../../ports/fault.ts';
import { type Edit, editableFields, lockedDetail, withEdit } from '../../../processors/edits.ts';

const OPERATIONS = ['add', 'replace', 'remove', 'test'] as const;
export const MAX_OPERATIONS = 20;
const MAX_PATH_CHARACTERS = 200;

/** One step of a patch. */
export interface PatchStep {
  readonly op: (typeof OPERATIONS)[number];
  readonly path: string;
  readonly value?: unknown;
}

/** The steps in what somebody typed. @throws CodedError EDIT_INVALID */
export function patchIn(typed: unknown): readonly PatchStep[] {
  if (!Array.isArray(typed) || typed.length === 0 || typed.length > MAX_OPERATIONS)
    throw invalid(`a patch is a list of 1 to ${MAX_OPERATIONS} operations`);
  return typed.map((step: unknown, place): PatchStep => {
    const { op, path, value, ...more } = (typeof step === 'object' && step !== null ? step : {}) as Partial<PatchStep>;
    if (!OPERATIONS.some((known) => known === op))
      throw invalid(`operation ${place} must be one of ${OPERATIONS.join(', ')}`);
    if (typeof path !== 'string' || !/^(\/|$)/.test(path) || path.length > MAX_PATH_CHARACTERS)
      throw invalid(`operation ${place} names no path`);
    if (Object.keys(more).length > 0) throw invalid(`operation ${place} says more than op, path and value`);
    if (op !== 'remove' && value === undefined) throw invalid(`operation ${place} has no value`);
    return { op: op!, path, ...(op === 'remove' ? {} : { value }) };
  });
}

/**
 * The edit that a patch makes of a record which this owner put aside.
 * @throws CodedError EDIT_INVALID, EDIT_LOCKED, EDIT_TEST_FAILED. Their details name paths and no values.
 */
export function editOf(owner: string, topic: string, value: unknown, patch: readonly PatchStep[]): Edit {
  const fields = editableFields(owner, topic);
  for (const { op, path } of patch) {
    if (op !== 'test' && !fields.some((field) => field.path === path))
      throw new CodedError('EDIT_LOCKED', lockedDetail(owner, topic, safeText(path, 100)));
  }
  const before = patchable(value);
  const after = structuredClone(before);
  for (const [place, error] of applyPatch(after, structuredClone(patch) as Operation[]).entries()) {
    if (error?.name === 'TestError')
      throw new CodedError('EDIT_TEST_FAILED', `the test in operation ${place} does not hold`);
    if (error) throw invalid(`operation ${place} finds nothing at its path`);
  }
  // Of a field that may be empty, none and null are the same.
  const paths = changesOf(before, after).filter((path) => (at(before, path) ?? null) !== (at(after, path) ?? null));
  const edit = paths.map((path) => {
    if (!fields.some((field) => field.path === path))
      throw new CodedError('EDIT_LOCKED', lockedDetail(owner, topic, path));
    return { path, value: (at(after, path) ?? null) as string | null };
  });
  if (edit.length === 0) throw invalid('it changes nothing');
  const isOfTexts = edit.every((each) => each.value === null || typeof each.value === 'string');
  if (!isOfTexts) throw invalid('what may be edited is a text, or null');
  const result = withEdit(owner, topic, value, edit);
  if (!result.ok) throw invalid(result.detail);
  return edit;
}

const invalid = (detail: string): CodedError => new CodedError('EDIT_INVALID', detail);

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A decoded record as JSON: amounts as decimal text, bytes in base64, open parties without the name of their union branch. */
export function patchable(value: unknown): Json {
  const json = JSON.parse(
    JSON.stringify(value, function (this: Record<string, unknown>, name, inner: unknown) {
      // Of a Buffer, JSON.stringify has only the list of its bytes left.
      const raw = this[name];
      if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64');
      return typeof inner === 'bigint' ? inner.toString() : inner;
    }),
  ) as Record<string, Json>;
  const parties = json['parties'] as { readonly [branch: string]: Json } | undefined;
  const open = parties?.['corridor.Parties'];
  return open === undefined ? json : { ...json, parties: open };
}

/** JSON Pointers at which two values differ, as deep as they are of one shape. */
function changesOf(before: Json | undefined, after: Json | undefined, path = ''): readonly string[] {
  if (before === after) return [];
  if (!isHolder(before) || !isHolder(after) || Array.isArray(before) !== Array.isArray(after)) return [path];
  const [one, other] = [before, after] as unknown as Record<string, Json>[];
  const names = new Set([...Object.keys(one!), ...Object.keys(other!)]);
  return [...names].flatMap((name) => changesOf(one![name], other![name], `${path}/${escaped(name)}`));
}

const isHolder = (value: Json | undefined): value is Extract<Json, object> =>
  typeof value === 'object' && value !== null;
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What stands at the path of an editable field. */
function at(value: Json, path: string): Json | undefined {
  let found: Json | undefined = value;
  for (const name of path.split('/').slice(1)) found = (found as Record<string, Json> | undefined)?.[name];
  return found;
}
