import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { contracts } from '../topics/catalogue.ts';
import { recordType } from './avro-types.ts';
import { checkAll, incompatibilities, releasedVersions } from './compatibility.ts';
import { generateTypes } from './generate.ts';
import { type AvroObject, loadSchemas, selfContained } from './load.ts';

const money = () => structuredClone(selfContained('corridor.Money'));
const withField = (schema: AvroObject, field: object): AvroObject => ({
  ...schema,
  fields: [...schema.fields!, field as never],
});

describe('the schemas in the repository', () => {
  it('are compatible with every released version, both ways', () => {
    expect(checkAll()).toEqual([]);
  });

  it('have a released version for every topic', () => {
    const missing = Object.values(contracts).filter((contract) => releasedVersions(contract.record).length === 0);
    expect(missing.map((contract) => contract.record)).toEqual([]);
  });

  it('document every record, field and enum', () => {
    const undocumented: string[] = [];
    for (const [name, schema] of loadSchemas()) {
      if (!schema.doc) undocumented.push(name);
      for (const field of schema.fields ?? []) if (!field.doc) undocumented.push(`${name}.${field.name}`);
    }
    expect(undocumented).toEqual([]);
  });

  it('all compile, and money is exact over 64 bits', () => {
    for (const name of loadSchemas().keys()) recordType(name.slice('corridor.'.length));
    const type = recordType('Money');
    for (const minor of [-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      expect(type.fromBuffer(type.toBuffer({ minor, currency: 'GBP' }))).toEqual({ minor, currency: 'GBP' });
    }
    expect(type.isValid({ minor: 2n ** 63n, currency: 'GBP' })).toBe(false);
    expect(type.isValid({ minor: 1, currency: 'GBP' })).toBe(false);
  });

  it('agree with the generated types', async () => {
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(new URL('./types.generated.ts', import.meta.url), 'utf8')).toBe(generateTypes());
  });
});

describe('the compatibility gate fails', () => {
  const cases: [string, (schema: AvroObject) => AvroObject][] = [
    ['on a new field without a default', (s) => withField(s, { name: 'note', type: 'string' })],
    ['on a removed field without a default', (s) => ({ ...s, fields: s.fields!.slice(0, 1) })],
    ['on a changed type', (s) => ({ ...s, fields: [{ ...s.fields![0]!, type: 'string' }, s.fields![1]!] })],
    [
      'on minor units that lose their marker',
      (s) => ({ ...s, fields: [{ ...s.fields![0]!, type: 'long' }, s.fields![1]!] }),
    ],
    ['on another namespace', (s) => ({ ...s, namespace: 'elsewhere' })],
  ];
  it.each(cases)('%s', (_, change) => {
    expect(incompatibilities(change(money()), money())).not.toEqual([]);
  });

  it('and passes a new field with a default', () => {
    expect(incompatibilities(withField(money(), { name: 'note', type: 'string', default: '' }), money())).toEqual([]);
  });

  it('on a changed scale of a decimal, which neither avsc nor the registry sees', () => {
    const decimal = (scale: number): AvroObject => ({
      type: 'record',
      name: 'D',
      namespace: 'corridor',
      fields: [{ name: 'd', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale } as never }],
    });
    expect(incompatibilities(decimal(2), decimal(4))).toHaveLength(1);
  });

  it('as the command would: against any released version, not only the last', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'corridor-released-'));
    mkdirSync(path.join(folder, 'Money'));
    const first = withField(money(), { name: 'gone', type: 'string' });
    writeFileSync(path.join(folder, 'Money', '1.avsc'), JSON.stringify(first));
    writeFileSync(path.join(folder, 'Money', '2.avsc'), JSON.stringify(money()));
    const found = checkAll(loadSchemas(), pathToFileURL(`${folder}/`));
    expect(found.map(({ record, against }) => `${record} ${against}`)).toContain('Money Money/1.avsc');
    expect(found.every(({ against }) => against === 'Money/1.avsc')).toBe(true);
  });
});
