// FULL_TRANSITIVE, checked without a registry: every released version reads what the new one writes, and the reverse.
// avsc and the registry both miss two changes that alter money: of a logical type's meaning, and of a name's namespace.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { avroType } from './avro-types.ts';
import { type AvroObject, type AvroSchema, loadSchemas, selfContained } from './load.ts';

const RELEASED = new URL('./released/', import.meta.url);

export interface Incompatibility {
  readonly record: string;
  readonly against: string;
  readonly problem: string;
}

/** Released versions of a record, oldest first: the files schemas/released/<Record>/<n>.avsc. */
export function releasedVersions(
  record: string,
  directory: URL = RELEASED,
): readonly { name: string; schema: AvroObject }[] {
  const folder = new URL(`${record}/`, directory);
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.avsc'))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((file) => ({
      name: `${record}/${file}`,
      schema: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as AvroObject,
    }));
}

/** Problems between a schema and one released version, in either direction. Empty when fully compatible. */
export function incompatibilities(next: AvroObject, released: AvroObject): readonly string[] {
  const problems: string[] = [];
  const read = (reader: AvroObject, writer: AvroObject, words: string) => {
    try {
      avroType(reader).createResolver(avroType(writer));
    } catch (error) {
      problems.push(`${words}: ${(error as Error).message}`);
    }
  };
  read(next, released, 'the new schema cannot read what the released one wrote');
  read(released, next, 'the released schema cannot read what the new one writes');
  const before = meanings(released);
  for (const [path, meaning] of meanings(next)) {
    const was = before.get(path);
    if (was !== undefined && was !== meaning) problems.push(`${path} changes its meaning from ${was} to ${meaning}`);
  }
  return problems;
}

/** Full names and logical types by path: what resolution ignores, and money depends on. */
function meanings(schema: AvroSchema, path = '', found = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(schema)) {
    for (const branch of schema) meanings(branch, path, found);
    return found;
  }
  if (typeof schema === 'string') return found;
  const { logicalType, scale, precision } = schema as AvroObject & { scale?: number; precision?: number };
  if (schema.fields === undefined && schema.symbols === undefined && typeof schema.type === 'string') {
    if (schema.items === undefined && schema.values === undefined) {
      const decimals = scale === undefined && precision === undefined ? '' : `(${precision},${scale ?? 0})`;
      found.set(path, `${schema.type} as ${logicalType ?? 'plain'}${decimals}`);
    }
  }
  for (const field of schema.fields ?? []) {
    const inner = `${path}/${field.name}`;
    if (field.type === 'long' || field.type === 'int' || field.type === 'bytes')
      found.set(inner, `${field.type} as plain`);
    meanings(field.type, inner, found);
  }
  if (schema.items !== undefined) meanings(schema.items, `${path}[]`, found);
  if (schema.values !== undefined) meanings(schema.values, `${path}{}`, found);
  return found;
}

/** Checks every top-level record against every released version of it, and that enums stop what they do not know. */
export function checkAll(current = loadSchemas(), directory: URL = RELEASED): readonly Incompatibility[] {
  const found: Incompatibility[] = [];
  for (const [name, schema] of current) {
    const record = schema.name!;
    if (schema.type === 'enum' && schema.default !== 'UNKNOWN') {
      found.push({ record, against: 'house rule', problem: 'an enum needs the default UNKNOWN' });
    }
    for (const version of releasedVersions(record, directory)) {
      for (const problem of incompatibilities(selfContained(name, current), version.schema)) {
        found.push({ record, against: version.name, problem });
      }
    }
  }
  return found;
}

/**
 * Records the current schemas of these records as released, where they differ from the last released version.
 * Returns the files written. Refuses nothing: run `checkAll` first.
 */
export function release(records: readonly string[], directory: URL = RELEASED): readonly string[] {
  const schemas = loadSchemas();
  const written: string[] = [];
  for (const record of records) {
    const text = `${JSON.stringify(selfContained(`corridor.${record}`, schemas), null, 2)}\n`;
    const versions = releasedVersions(record, directory);
    const last = versions.at(-1);
    if (last && JSON.stringify(last.schema) === JSON.stringify(JSON.parse(text))) continue;
    const file = new URL(`${record}/${versions.length + 1}.avsc`, directory);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
    written.push(`${record}/${versions.length + 1}.avsc`);
  }
  return written;
}
