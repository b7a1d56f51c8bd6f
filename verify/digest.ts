// Short digests: what is kept of a record instead of the record, so that millions fit in memory.
import { hash } from 'node:crypto';
import { loadSchemas } from '../schemas/load.ts';

/** 48 bits: exact in a double. */
const HEX_DIGITS = 12;

/** 48 bits of SHA-256, as an integer above zero. For comparisons of two contents under one identity, not for identity. */
export function digest(content: string | Uint8Array): number {
  return Number.parseInt(hash('sha256', content, 'hex').slice(0, HEX_DIGITS), 16) || 1;
}

/** Text of a value: fields in order of their names, longs and numbers alike, dates as ISO 8601, bytes in base64. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

let schemas: number | undefined;

/** Of all schemas as they are: digests of values are of the bytes that these write. */
export function schemasDigest(): number {
  schemas ??= digest(JSON.stringify([...loadSchemas()]));
  return schemas;
}
