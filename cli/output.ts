// What commands print: tables for people, JSON for programs, errors with their cure.
import { type Command, InvalidArgumentError } from 'commander';
import { ZodError } from 'zod';
import { DomainError } from '../domain/fault.ts';
import { safeJson, safeLines, safeText } from '../domain/text/text.ts';
import { LOOK_REASONS } from '../operations/access/unmasked-look.ts';
import { CodedError } from '../ports/fault.ts';

/** Characters of one cell of a table, and of one text for people. */
const MAX_CELL_CHARACTERS = 2_000;
const MAX_PRINTED_CHARACTERS = 1_000_000;

/** Adds `--json` to a command that prints data. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON instead of a table');
}

/** Adds the options of a command that can show persons as they are. The look is in the audit log before it is shown. */
export function withUnmask(command: Command): Command {
  return command
    .option('--unmask <reason>', `show names and accounts as they are: one of ${LOOK_REASONS.join(', ')}`)
    .option('--ticket <number>', 'number of the ticket that it is for, such as INC-4711');
}

/** Reads an option as a whole number above zero. */
export function count(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('it must be a whole number above zero');
}

/** Text for people as it can be shown: lines stay, what would steer the terminal is replaced. */
export const shown = (text: string): string => safeLines(text, MAX_PRINTED_CHARACTERS);

/** Prints text for people. What others wrote in it may not steer the terminal: hidden characters are replaced. */
export function print(text: string): void {
  console.log(shown(text));
}

/** The same to standard error: progress, and what went wrong. */
export function printError(text: string): void {
  console.error(shown(text));
}

/** JSON with bigints as strings: amounts stay exact. Hidden characters are escaped, so that it is exact and harmless. */
export function toJson(value: unknown): string {
  return safeJson(JSON.stringify(value, withBigints, 2));
}

/** The same in one line. */
export const toJsonLine = (value: unknown): string => safeJson(JSON.stringify(value, withBigints));

const withBigints = (_key: string, inner: unknown): unknown => (typeof inner === 'bigint' ? inner.toString() : inner);

/** Says beside a list, also one in JSON, that it is not whole: what is printed to standard output cannot. */
export function printCut(complete: boolean, shown: number, how: string): void {
  if (!complete) printError(`Not complete: there are more than these ${shown}. ${how}`);
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
    print('(nothing)');
    return;
  }
  const cells = rows.map((row) => columns.map((column) => safeText(text(row[column]), MAX_CELL_CHARACTERS)));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]!.length)));
  const line = (parts: readonly string[]) =>
    parts
      .map((part, i) => part.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  print(line(columns));
  for (const row of cells) print(line(row));
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return toJsonLine(value);
  return String(value as string | number | bigint | boolean);
}

/** One clear line for an error that a person can meet, with what to do; the stack only for what nobody foresaw. */
export function explain(error: unknown): string {
  if (error instanceof Error && 'cure' in error) return String(error);
  if (error instanceof CodedError || error instanceof DomainError) return `${error.message} (${error.code})`;
  if (error instanceof ZodError) return `${misshapen(error)} (API_ANSWER_WRONG)`;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** An answer of an API of another version, mostly: what was asked for was done or not, as the API says, and cannot be shown. */
function misshapen({ issues: [first] }: ZodError): string {
  const where = first && first.path.length > 0 ? ` at ${first.path.map(String).join('/')}` : '';
  const what = first ? `: ${first.message}${where}` : '';
  return `the answer is not of the form that this version knows${what}. Is the API of another version? Use its own commands, and look before you do it again`;
}

/** An amount for people, such as 1,234.50 GBP. `exponent`: digits after the point. */
export function formatMinor(minor: bigint, exponent: number, currency: string): string {
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}${whole}${exponent > 0 ? `.${digits.slice(-exponent)}` : ''} ${currency}`;
}
