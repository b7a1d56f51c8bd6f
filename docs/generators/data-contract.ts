// Data contracts of the topics for analysts, as the Open Data Contract Standard 3.1 has them.
import { stringify } from 'yaml';
import { type AvroField, type AvroObject, type AvroSchema, loadSchemas } from '../../schemas/load.ts';
import { CONTRACT_VERSION, FRESH_WITHIN_S, GRAINS, type Grain } from '../../topics/analytics-contract.ts';
import { contractOf } from '../../topics/catalogue.ts';
import { DAY_MS } from '../../topics/contract.ts';

const schemas = loadSchemas();

/** File name of the contract of a grain. */
export const dataContractFile = ({ topic }: Grain): string => `docs/contracts/${topic}.odcs.yaml`;

export function dataContract(grain: Grain): string {
  const { topic, record, unique } = grain;
  const { doc, retentionMs } = contractOf(topic)!;
  const schema = schemas.get(`corridor.${record}`)!;
  const document = {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: `corridor.${topic}`,
    name: topic,
    version: `${CONTRACT_VERSION}.0.0`,
    status: 'active',
    description: {
      purpose: doc,
      usage: grain.usage,
      limitations: 'Amounts of different currencies are never summed. No personal data.',
    },
    schema: [
      {
        name: topic,
        physicalName: topic,
        physicalType: 'topic',
        logicalType: 'object',
        description: `One row: ${grain.grain}.`,
        properties: schema.fields!.map((field) => propertyOf(field, unique)),
      },
    ],
    slaProperties: [
      { property: 'retention', value: (retentionMs ?? 0) / DAY_MS, unit: 'd', element: topic },
      { property: 'latency', value: FRESH_WITHIN_S, unit: 's', element: topic },
    ],
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function propertyOf(field: AvroField, unique?: string): Record<string, unknown> {
  const { name, type, doc, privacy, unit, example, since } = field;
  const isKey = name === unique;
  return {
    name,
    ...typesOf(type),
    description: unit ? `${doc} Unit: ${unit}.` : doc,
    required: !(Array.isArray(type) && type.includes('null')),
    ...(isKey && { unique: true, primaryKey: true, primaryKeyPosition: 1 }),
    classification: privacy,
    examples: [example],
    customProperties: [{ property: 'sinceContractVersion', value: since ?? 1 }],
  };
}

/** Types by the words of the standard, with the Avro type as the physical one. */
function typesOf(type: AvroSchema): Record<string, unknown> {
  if (Array.isArray(type)) return typesOf(type.find((branch) => branch !== 'null')!);
  if (typeof type === 'string') return namedTypes(type);
  if (type.type === 'array') {
    const items = type.items!;
    return { logicalType: 'array', physicalType: 'array', items: { name: 'item', ...typesOf(items) } };
  }
  if (type.logicalType === 'timestamp-millis') return { logicalType: 'timestamp', physicalType: 'timestamp-millis' };
  return { ...namedTypes(type.type as string), ...(type.logicalType && { physicalType: type.logicalType }) };
}

const LOGICAL: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'integer',
  long: 'integer',
  boolean: 'boolean',
  double: 'number',
};

function namedTypes(name: string): Record<string, unknown> {
  const logicalType = LOGICAL[name];
  if (logicalType) return { logicalType, physicalType: name };
  const schema = schemas.get(name) as AvroObject;
  if (schema.fields === undefined) return { logicalType: 'string', physicalType: 'enum' };
  return {
    logicalType: 'object',
    physicalType: 'record',
    properties: schema.fields.map((field) => propertyOf(field)),
  };
}

export const dataContractFiles = GRAINS.map((grain) => ({
  file: dataContractFile(grain),
  generate: () => dataContract(grain),
}));
