// What commands print: tables for people, JSON for programs, errors with their cure.
import { type Command, InvalidArgumentError } from 'commander';
import { StackError } from '../infra/local/stack.ts';
import { CodedError } from '../runtime/ports/fault.ts';

/** Adds `--json` to a command that prints data. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON instead of a table');
}

/** Reads an option as a whole number above zero. */
export function count(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('it must be a whole number above zero');
}

/** JSON with bigints as strings: amounts stay exact. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner), 2);
}

/** Prints rows as JSON, or as a table with aligned columns in the order of `columns`. */
export function printRows<T extends object>(
  rows: readonly T[],
  columns: readonly (keyof T & string)[],
  json?: boolean,
): void {
  if (json) {
    console.log(toJson(rows));
    return;
  }
  if (rows.length === 0) {
    console.log('(nothing)');
    return;
  }
  const cells = rows.map((row) => columns.map((column) => text(row[column])));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]!.length)));
  const line = (parts: readonly string[]) =>
    parts
      .map((part, i) => part.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  console.log(line(columns));
  for (const row of cells) console.log(line(row));
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return toJson(value);
  return String(value as string | number | bigint | boolean);
}

/** One clear line for an error that a person can meet, with what to do; the stack only for what nobody foresaw. */
export function explain(error: unknown): string {
  if (error instanceof StackError) return error.toString();
  if (error instanceof CodedError) return `${error.message} (${error.code})`;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** An amount for people, such as 1,234.50 GBP. `exponent`: digits after the point. */
export function formatMinor(minor: bigint, exponent: number, currency: string): string {
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}${whole}${exponent > 0 ? `.${digits.slice(-exponent)}` : ''} ${currency}`;
}
