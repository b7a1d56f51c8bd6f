// A consumer in Python that was deployed before a schema grew, and one that was deployed after it: each reads what the other's time
// wrote (PyPI fastavro, which shares no code with ours).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { releasedVersions } from '../../schemas/compatibility.ts';
import { type AvroField, type AvroObject, selfContained } from '../../schemas/load.ts';
import { contracts } from '../../topics/catalogue.ts';
import { pythonWith } from '../kit/python.ts';
import { times } from '../kit/times.ts';

const FOLDER = path.resolve(import.meta.dirname, '../kit/evolution');
const EACH = times(40);

interface Versioned {
  readonly version: string;
  readonly schema: AvroObject;
}
interface Answer {
  readonly done: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly faults: readonly string[];
}

let python: string;
beforeAll(async () => {
  python = await pythonWith(path.join(FOLDER, 'requirements.txt'));
}, 600_000);

function readAcross(records: readonly { readonly name: string; readonly versions: readonly Versioned[] }[]): Answer {
  const { status, stdout, stderr } = spawnSync(python, [path.join(FOLDER, 'read_across.py')], {
    encoding: 'utf8',
    input: JSON.stringify({ records, each: EACH }),
    maxBuffer: 2 ** 26,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Answer;
}

const now = (record: string): Versioned => ({ version: 'now', schema: selfContained(`corridor.${record}`) });
const names = [...new Set(Object.values(contracts).map(({ record }) => record))];

it('reads every record of every topic across all versions that were ever released, both ways', () => {
  const records = names.map((name) => {
    const released = releasedVersions(name).map((each) => ({ version: each.name, schema: each.schema }));
    return { name, versions: [...released, now(name)] };
  });
  const { done, faults } = readAcross(records);
  expect(faults).toEqual([]);
  for (const { name, versions } of records) {
    const pairs = Object.values(done[name]!);
    expect(pairs).toHaveLength(versions.length ** 2);
    expect(new Set(pairs)).toEqual(new Set([EACH]));
  }
});

it('an old reader passes over a field that came, and a new one finds its default in an old record', () => {
  const { version, schema } = now('TransferLifecycle');
  const came: AvroField = { name: 'cameLater', type: ['null', 'string'], default: null };
  const later = { version: 'later', schema: { ...schema, fields: [...schema.fields!, came] } };
  const { done, faults } = readAcross([{ name: 'TransferLifecycle', versions: [{ version, schema }, later] }]);
  expect(faults).toEqual([]);
  expect(Object.keys(done['TransferLifecycle']!)).toEqual(['now>now', 'now>later', 'later>now', 'later>later']);
});

it('and what the gate refuses can really not be read', () => {
  const { version, schema } = now('TransferLifecycle');
  const demanded: AvroField = { name: 'demanded', type: 'string' };
  const broken = { version: 'broken', schema: { ...schema, fields: [...schema.fields!, demanded] } };
  const { faults } = readAcross([{ name: 'TransferLifecycle', versions: [{ version, schema }, broken] }]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain('now>broken');
});
