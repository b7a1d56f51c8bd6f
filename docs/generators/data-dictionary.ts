// Every field that an analyst reads, from the schemas themselves.
import { type AvroField, type AvroObject, type AvroSchema, loadSchemas } from '../../schemas/load.ts';
import { BESIDE_GRAINS, GRAINS, PRESENCE } from '../../topics/analytics-contract.ts';

const schemas = loadSchemas();
/** It has the fields of the rows that it repeats. */
const STATE =
  '### transfer.state\nOne row: a transfer, by the fields of `transfer.lifecycle` above, as its latest row has them. Unique: `transferId`.';
const recordOf = (name: string): AvroObject => schemas.get(`corridor.${name}`)!;

/** One section a grain, and one for each record within. */
export function dataDictionary(): string {
  const within = new Set<string>();
  const grains = GRAINS.map(({ topic, record, grain, unique }) => {
    if (topic === 'transfer.state') return STATE;
    const schema = recordOf(record);
    for (const { type } of schema.fields!) for (const name of namesIn(type)) within.add(name);
    return [`### ${topic}`, `One row: ${grain}. Unique: \`${unique}\`.`, '', ...tableOf(schema)].join('\n');
  });
  const beside = BESIDE_GRAINS.map(({ topic, record }) => {
    const schema = recordOf(record);
    return [`### ${topic}`, schema.doc, '', ...tableOf(schema)].join('\n');
  });
  const parts = [...within]
    .map((name) => schemas.get(name)!)
    .filter(({ fields }) => fields !== undefined)
    .map((schema) => [`### ${schema.name}`, schema.doc, '', ...tableOf(schema)].join('\n'));
  return [...grains, ...beside, ...parts].join('\n\n');
}

/** In which states a field is there. */
export function presenceTable(): string {
  const rows = Object.entries(PRESENCE).map(
    ([name, { doc, in: always, notIn }]) => `| ${name} | ${doc} | ${listed(always)} | ${listed(notIn)} |`,
  );
  return ['| there | meaning | always in | never in |', '|---|---|---|---|', ...rows].join('\n');
}

const listed = (states: readonly string[]): string => states.map((state) => `\`${state}\``).join(' ');

function tableOf({ fields }: AvroObject): readonly string[] {
  return [
    '| field | type | unit | there | class | since | meaning | example |',
    '|---|---|---|---|---|---|---|---|',
  ].concat(fields!.map(rowOf));
}

function rowOf({ name, type, doc, privacy, since, present, unit, example }: AvroField): string {
  const cells = [
    `\`${name}\``,
    typeText(type),
    unit ?? '',
    present ?? 'always',
    privacy,
    since ?? 1,
    doc,
    `\`${example}\``,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The type as an analyst needs it; `?`: may be null. */
function typeText(type: AvroSchema): string {
  if (Array.isArray(type))
    return `${type
      .filter((branch) => branch !== 'null')
      .map(typeText)
      .join(' or ')}?`;
  if (typeof type === 'string') return type.replace(/^corridor\./, '');
  if (type.type === 'array') return `list of ${typeText(type.items!)}`;
  return type.logicalType ? `${typeText(type.type)} (${type.logicalType})` : typeText(type.type);
}

function namesIn(type: AvroSchema): readonly string[] {
  if (Array.isArray(type)) return type.flatMap(namesIn);
  if (typeof type === 'string') return schemas.has(type) ? [type] : [];
  return namesIn(type.items ?? type.type);
}
