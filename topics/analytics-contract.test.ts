// What analysts are promised, held against what the chain makes.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AvroField, type AvroSchema, loadSchemas } from '../schemas/load.ts';
import type { TransferLifecycle } from '../schemas/types.generated.ts';
import { ENDINGS, History } from '../verify/testing/history.ts';
import {
  BESIDE_GRAINS,
  CONTRACT_VERSION,
  GRAINS,
  PRESENCE,
  PRIVACY_CLASSES,
  type State,
} from './analytics-contract.ts';
import { contractOf } from './catalogue.ts';

const schemas = loadSchemas();
const recordNames = (type: AvroSchema): readonly string[] => {
  if (Array.isArray(type)) return type.flatMap(recordNames);
  if (typeof type !== 'string') return recordNames(type.items ?? type.type);
  return schemas.get(type)?.fields
    ? [type, ...schemas.get(type)!.fields!.flatMap((each) => recordNames(each.type))]
    : [];
};
const fieldsOf = (record: string): readonly AvroField[] => schemas.get(record)!.fields!;
/** All that an analyst's principal may read. */
const ALLOWED = [...GRAINS, ...BESIDE_GRAINS];
const readable = [...new Set(ALLOWED.flatMap(({ record }) => recordNames(`corridor.${record}`)))];

it('analysts may read the topics that are for them, and no others', () => {
  const text = readFileSync(new URL('../docs/analytics.md', import.meta.url), 'utf8');
  const [, line] = /^Analysts may READ (.*?), and groups of their own; nothing else\./m.exec(text)!;
  const named = [...line!.matchAll(/`([^`]+)`/g)].map(([, topic]) => topic);
  expect(named.toSorted()).toEqual(ALLOWED.map(({ topic }) => topic).toSorted());
});

describe('each topic for analysts', () => {
  it.each(GRAINS)('$topic has the record that it says', ({ topic, record }) => {
    expect(contractOf(topic)?.record).toBe(record);
  });

  it('is every one that is written for analytics, says what became of an intent, or is a table of what rows go by', () => {
    const kinds = GRAINS.map(({ topic }) => contractOf(topic)!.kind);
    expect(new Set(kinds)).toEqual(new Set(['analytics', 'outcome', 'table']));
    const tables = GRAINS.filter(({ topic }) => contractOf(topic)!.kind === 'table').map(({ topic }) => topic);
    expect(tables).toEqual(['fx.rate-history', 'reference.versions']);
  });
});

describe.each(readable)('each field of %s', (record) => {
  it('has a class, and none is personal', () => {
    for (const { name, privacy } of fieldsOf(record)) {
      expect(PRIVACY_CLASSES, name).toContain(privacy);
      expect(privacy, name).not.toBe('personal');
    }
  });

  it('has a meaning and an example; an amount and a time have a unit', () => {
    for (const { name, doc, example, type, unit } of fieldsOf(record)) {
      expect(doc, name).toBeTruthy();
      expect(example, name).toBeTruthy();
      const text = JSON.stringify(type);
      if (text.includes('minor-units') || text.includes('timestamp-millis')) expect(unit, name).toBeTruthy();
    }
  });
});

describe('a field of transfer.lifecycle', () => {
  const records: TransferLifecycle[] = [];
  const fields = fieldsOf('corridor.TransferLifecycle');

  beforeAll(() => {
    const history = new History();
    for (const ending of ENDINGS) history.tell(ending);
    for (const { topic, value } of history.entries) if (topic === 'transfer.lifecycle') records.push(value as never);
  });

  it('is met in every state', () => {
    const states = Object.values(PRESENCE).flatMap(({ in: always }) => always);
    expect(new Set(records.map(({ state }) => state))).toEqual(new Set(states));
  });

  it('is there in the states that its presence names, and in no other that it excludes', () => {
    for (const { name, present } of fields) {
      const presence = PRESENCE[present!];
      expect(presence, `${name}: ${present}`).toBeDefined();
      for (const record of records) {
        const state = record.state as State;
        const value = record[name as keyof TransferLifecycle];
        if (presence!.in.includes(state)) expect(value, `${name} in ${state}`).not.toBeNull();
        if (presence!.notIn.includes(state)) expect(value, `${name} in ${state}`).toBeNull();
      }
    }
  });

  it('came with a version that there is; all of the first come before those of the second', () => {
    const versions = fields.map(({ since }) => since!);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions.at(-1)).toBe(CONTRACT_VERSION);
  });
});
