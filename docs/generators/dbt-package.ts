// The sources and staging models of the dbt package (docs/examples/dbt), with the tests that the contract calls for.
import { stringify } from 'yaml';
import { EXPORTED } from '../../operations/analytics/export.ts';
import { type ColumnKind, columnsOf } from '../../operations/analytics/table.ts';
import { type AvroField, loadSchemas } from '../../schemas/load.ts';
import type { Grain } from '../../topics/analytics-contract.ts';

const schemas = loadSchemas();
const MODELS = 'docs/examples/dbt/models/staging';

/** The staging model of a topic: `stg_transfer_lifecycle`. */
const modelOf = ({ topic }: Grain): string => `stg_${topic.replaceAll(/[.-]/g, '_')}`;

const fieldsOf = ({ record }: Grain): readonly AvroField[] => schemas.get(`corridor.${record}`)!.fields!;

function contract(): string {
  return stringify(
    {
      version: 2,
      sources: [
        {
          name: 'export',
          description: 'What `corridor analytics export` wrote.',
          meta: {
            external_location: 'read_parquet(\'{{ var("export") }}/{identifier}/**/*.parquet\', union_by_name=true)',
          },
          tables: EXPORTED.map(({ topic, grain }) => ({
            name: topic.replaceAll(/[.-]/g, '_'),
            identifier: topic,
            description: `One row: ${grain}.`,
          })),
        },
      ],
      models: EXPORTED.map((grain) => ({
        name: modelOf(grain),
        description: `One row: ${grain.grain}.`,
        columns: fieldsOf(grain).map((field) => columnOf(field, grain)),
      })),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function columnOf(field: AvroField, grain: Grain): Record<string, unknown> {
  const { name, doc, unit } = field;
  const tests = [...(name === grain.unique ? ['unique'] : []), ...demandsOf(field, grain)];
  return {
    name,
    quote: true,
    description: unit ? `${doc} Unit: ${unit}.` : doc,
    ...(tests.length > 0 && { data_tests: tests }),
  };
}

/** What must hold of a column: there in every row, or in those of the version that it came with; one of the symbols. */
function demandsOf({ type, present, since }: AvroField, grain: Grain): readonly unknown[] {
  const saysVersion = fieldsOf(grain).some(({ name }) => name === 'contractVersion');
  const isNullable = Array.isArray(type) && type.includes('null');
  const demands: unknown[] = [];
  if (!isNullable) demands.push('not_null');
  else if (present === 'always' && saysVersion) {
    demands.push({ not_null: { config: { where: `"contractVersion" >= ${since ?? 1}` } } });
  }
  const symbols = typeof type === 'string' ? schemas.get(type)?.symbols : undefined;
  if (symbols) demands.push({ accepted_values: { arguments: { values: symbols } } });
  return demands;
}

const SQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  ...{ text: 'varchar', int: 'integer', long: 'bigint' },
  ...{ timestamp: 'timestamp', flag: 'boolean', list: 'varchar' },
};

/** The rows of a topic; none, with all columns, when the export has no file of it. */
function staging({ topic, record, unique, lastCounts }: Grain): string {
  const columns = columnsOf(record).map(({ name, kind }) => `  null::${SQL_TYPES[kind]} as "${name}"`);
  return [
    `{% if has_files('${topic}') %}`,
    `select * from {{ source('export', '${topic.replaceAll(/[.-]/g, '_')}') }}`,
    ...(lastCounts ? [`qualify row_number() over (partition by "${unique}" order by "kafkaOffset" desc) = 1`] : []),
    '{% else %}',
    'select',
    columns.join(',\n'),
    'where false',
    '{% endif %}',
    '',
  ].join('\n');
}

/** The generated files of the package. */
export const dbtFiles = [
  { file: `${MODELS}/contract.yml`, generate: contract },
  ...EXPORTED.map((grain) => ({
    file: `${MODELS}/${modelOf(grain)}.sql`,
    comment: '--',
    generate: () => staging(grain),
  })),
];
