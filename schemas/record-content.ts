// Canonical text of a record: what a hash or a seal over it is made of.
import type { Type } from 'avsc';
import { recordType } from './avro-types.ts';
import { shapeOf } from './shape.ts';

/** Canonical text of a record of the schemas, by the short name of its type. */
export const recordContentOf = (name: string, value: unknown): string => contentOf(recordType(name), value);

/** Canonical text of a value of this type: no two values that differ in the eyes of the schema have the same. */
function contentOf(type: Type, value: unknown): string {
  const { typeName, fields, itemsType, types } = shapeOf(type);
  if (value === null || value === undefined) return 'null';
  if (fields) return recordContent(fields, value as Record<string, unknown>);
  if (itemsType && Array.isArray(value)) return `[${value.map((item) => contentOf(itemsType, item)).join(',')}]`;
  if (typeName === 'union:unwrapped') {
    const branch = types?.find((each) => shapeOf(each).typeName !== 'null');
    return branch ? contentOf(branch, value) : scalar(value);
  }
  if (typeName === 'union:wrapped') {
    const [[name, inner] = ['', undefined]] = Object.entries(value);
    const branch = types?.find((each) => shapeOf(each).branchName === name);
    return branch ? `{${JSON.stringify(name)}:${contentOf(branch, inner)}}` : scalar(value);
  }
  return scalar(value);
}

function recordContent(
  fields: readonly { readonly name: string; readonly type: Type; defaultValue(): unknown }[],
  value: Record<string, unknown>,
): string {
  const parts: [string, string][] = [];
  for (const field of fields) {
    const { name, type } = field;
    const fallback = field.defaultValue();
    const content = contentOf(type, value[name] === undefined ? fallback : value[name]);
    if (fallback !== undefined && content === contentOf(type, fallback)) continue;
    parts.push([name, content]);
  }
  parts.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${parts.map(([name, content]) => `${JSON.stringify(name)}:${content}`).join(',')}}`;
}

function scalar(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (typeof value === 'bigint' || typeof value === 'number') return JSON.stringify(String(value));
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'null';
}
