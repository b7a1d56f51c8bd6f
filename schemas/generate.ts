// Writes schemas/types.generated.ts from schemas/avro: `node schemas/generate.ts [--check]`.
import { readFileSync, writeFileSync } from 'node:fs';
import { type AvroObject, type AvroSchema, loadSchemas } from './load.ts';

const TARGET = new URL('./types.generated.ts', import.meta.url);

function typeOf(schema: AvroSchema): string {
  if (Array.isArray(schema)) return unionOf(schema);
  if (typeof schema === 'object') {
    if (schema.type === 'array') return `readonly ${wrapped(typeOf(schema.items!))}[]`;
    if (schema.type === 'map') return `Readonly<Record<string, ${typeOf(schema.values!)}>>`;
    if (schema.type === 'long' && schema.logicalType === 'minor-units') return 'bigint';
    if (schema.name) return schema.name;
    return typeOf(schema.type);
  }
  if (['int', 'long', 'float', 'double'].includes(schema)) return 'number';
  if (schema === 'bytes') return 'Buffer';
  return schema.replace(/^corridor\./, '');
}

const wrapped = (type: string) => (type.includes(' ') ? `(${type})` : type);

/** [null, T] is `T | null`; several named types are told apart by a wrapper, as avsc does. */
function unionOf(branches: AvroSchema[]): string {
  const others = branches.filter((branch) => branch !== 'null');
  const nullable = others.length < branches.length ? ' | null' : '';
  if (others.length === 1) return `${typeOf(others[0]!)}${nullable}`;
  return others.map((branch) => `{ '${branch as string}': ${typeOf(branch)} }`).join(' | ') + nullable;
}

function declaration(schema: AvroObject): string {
  const doc = `/** ${schema.doc} */\n`;
  if (schema.type === 'enum') {
    return `${doc}export type ${schema.name} = ${schema.symbols!.map((symbol) => `'${symbol}'`).join(' | ')};\n`;
  }
  const fields = schema.fields!.map((field) => `  /** ${field.doc} */\n  ${field.name}: ${typeOf(field.type)};\n`);
  return `${doc}export interface ${schema.name} {\n${fields.join('')}}\n`;
}

function nested(schema: AvroSchema): AvroObject[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return schema.flatMap(nested);
  const inside = [...(schema.fields ?? []).map((field) => field.type), schema.items, schema.values];
  return [...(schema.name ? [schema] : []), ...inside.flatMap((type) => (type === undefined ? [] : nested(type)))];
}

export function generateTypes(): string {
  const schemas = [...loadSchemas().values()].flatMap(nested);
  const sorted = schemas.sort((a, b) => a.name!.localeCompare(b.name!));
  const head = '// Generated from schemas/avro by `npm run generate`; do not edit.\n\n';
  return head + sorted.map(declaration).join('\n');
}

if (import.meta.main) {
  const text = generateTypes();
  const same = readIfPresent() === text;
  if (process.argv.includes('--check')) {
    if (!same) {
      console.error('schemas/types.generated.ts is out of date: run `npm run generate` and commit the result.');
      process.exit(1);
    }
  } else if (!same) {
    writeFileSync(TARGET, text);
    console.log('wrote schemas/types.generated.ts');
  }
}

function readIfPresent(): string {
  try {
    return readFileSync(TARGET, 'utf8');
  } catch {
    return '';
  }
}
