// The .avsc files as data: found, ordered by what they refer to, and each made self-contained.
import { readdirSync, readFileSync } from 'node:fs';

/** An Avro schema as JSON, loosely typed: the subset that schemas/avro uses. */
export type AvroSchema = string | AvroSchema[] | AvroObject;
export interface AvroObject {
  type: AvroSchema;
  name?: string;
  namespace?: string;
  doc?: string;
  fields?: AvroField[];
  symbols?: string[];
  items?: AvroSchema;
  values?: AvroSchema;
  logicalType?: string;
  default?: unknown;
}
export interface AvroField {
  name: string;
  type: AvroSchema;
  doc?: string;
  default?: unknown;
  /** Of fields that analysts read: topics/analytics-contract.ts. */
  privacy?: string;
  since?: number;
  present?: string;
  unit?: string;
  example?: string;
}

const DIRECTORY = new URL('./avro/', import.meta.url);

/** Full name (`corridor.Money`) of a named schema. */
export function fullName(schema: AvroObject): string {
  return `${schema.namespace}.${schema.name}`;
}

/** Every named schema of schemas/avro (and those nested in them), by full name. */
export function loadSchemas(directory: URL = DIRECTORY): ReadonlyMap<string, AvroObject> {
  const found = new Map<string, AvroObject>();
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith('.avsc')) continue;
    const schema = JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as AvroObject;
    if (`${schema.name}.avsc` !== file) throw new Error(`schemas/avro/${file} must define ${file.slice(0, -5)}`);
    found.set(fullName(schema), schema);
  }
  return found;
}

/**
 * The schema of one record with every named type inlined at its first use, as it is pushed to the registry.
 * Self-contained text, because references are not understood by every client (docs/adr/0001-inlined-schemas.md).
 */
export function selfContained(name: string, schemas: ReadonlyMap<string, AvroObject> = loadSchemas()): AvroObject {
  const defined = new Set<string>();
  const inline = (schema: AvroSchema): AvroSchema => {
    if (Array.isArray(schema)) return schema.map(inline);
    if (typeof schema === 'string') {
      const named = schemas.get(schema);
      return named === undefined || defined.has(schema) ? schema : inline(named);
    }
    if (schema.name !== undefined) defined.add(fullName(schema));
    const copy: AvroObject = { ...schema };
    if (schema.fields) copy.fields = schema.fields.map((field) => ({ ...field, type: inline(field.type) }));
    if (schema.items) copy.items = inline(schema.items);
    if (schema.values) copy.values = inline(schema.values);
    if (typeof schema.type === 'object') copy.type = inline(schema.type);
    return copy;
  };
  const root = schemas.get(name);
  if (!root) throw new Error(`no schema named ${name} in schemas/avro`);
  return inline(root) as AvroObject;
}
