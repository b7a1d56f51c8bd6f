// Documents that were written before a field existed: what they lack is what the schema says it is by default.
import type { Type } from 'avsc';
import { recordType } from './avro-types.ts';
import { type Shape, shapeOf } from './shape.ts';

/** The value with what it lacks of the record's fields, at any depth. Fields that the schema does not know are kept. */
export function withDefaults(record: string, value: unknown): unknown {
  return filled(recordType(record), value);
}

function filled(type: Type, value: unknown): unknown {
  const { typeName, fields, itemsType, types } = shapeOf(type);
  if (value === null || typeof value !== 'object') return value;
  if (fields) return filledRecord(fields, value as Record<string, unknown>);
  if (itemsType && Array.isArray(value)) return value.map((item) => filled(itemsType, item));
  if (typeName === 'union:unwrapped') {
    const branch = types?.find((each) => shapeOf(each).typeName !== 'null');
    return branch ? filled(branch, value) : value;
  }
  if (typeName !== 'union:wrapped') return value;
  const [[name, inner] = ['', undefined]] = Object.entries(value);
  const branch = types?.find((each) => shapeOf(each).branchName === name);
  return branch ? { [name]: filled(branch, inner) } : value;
}

function filledRecord(fields: NonNullable<Shape['fields']>, value: Record<string, unknown>): unknown {
  const whole: Record<string, unknown> = { ...value };
  for (const field of fields) {
    const { name, type } = field;
    whole[name] = value[name] === undefined ? field.defaultValue() : filled(type, value[name]);
  }
  return whole;
}
