// Reference rates of the European Central Bank, as it publishes them: CSV of a day or of all days, the same in a zip archive,
// XML. One euro costs so much of each currency. A file is taken whole or not at all.
import { SaxesParser } from 'saxes';
import { type Day, isDay } from '../../domain/calendars/days.ts';
import { parseDecimal } from '../../domain/money/decimals.ts';
import { isLongerThan, safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { isZip, unzipOne } from './unzip.ts';

export interface EcbDay {
  readonly day: Day;
  /** Units of the currency for one euro, as published. */
  readonly rates: ReadonlyMap<string, string>;
}

/** All days since 1999 are 2 MB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_DAYS = 20_000;
const MAX_CURRENCIES = 100;
const MAX_RATE_CHARACTERS = 20;
const ABSENT = new Set(['N/A', '']);
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/**
 * The days of a file, the latest first.
 * @throws CodedError RATE_FILE_WRONG, which says where
 */
export function ecbDays(file: Uint8Array): readonly EcbDay[] {
  if (file.length > MAX_FILE_BYTES) throw wrong('it is larger than all days together would be');
  const bytes = isZip(file) ? unzipOne(file, MAX_FILE_BYTES) : Buffer.from(file);
  const text = textOf(bytes);
  const days = text.trimStart().startsWith('<') ? daysOfXml(text) : daysOfCsv(text);
  if (days.length === 0) throw wrong('there is no day in it');
  if (days.length > MAX_DAYS) throw wrong('there are more days in it than there were');
  const known = new Set(days.map(({ day }) => day));
  if (known.size !== days.length) throw wrong('a day is in it twice');
  return days.toSorted((a, b) => (a.day < b.day ? 1 : -1));
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong('it is no text');
  }
}

function daysOfCsv(text: string): readonly EcbDay[] {
  const lines = text.split('\n').map((line) => line.trim());
  const cellsOf = (line: string) => line.split(',').map((cell) => cell.trim());
  const [date, ...columns] = cellsOf(lines[0] ?? '');
  if (date !== 'Date') throw wrong('it does not begin with Date');
  // Each line ends with a comma.
  const currencies = columns.at(-1) === '' ? columns.slice(0, -1) : columns;
  checkCurrencies(currencies);
  return lines.slice(1).flatMap((line, n): EcbDay[] => {
    if (line === '') return [];
    const [day = '', ...cells] = cellsOf(line);
    if (cells.length !== columns.length) throw wrong(`line ${n + 2} has not as many cells as the first`);
    const rates = currencies.flatMap((currency, i): [string, string][] =>
      ABSENT.has(cells[i]!) ? [] : [[currency, rateIn(cells[i]!, day, currency)]],
    );
    return [{ day: dayIn(day), rates: new Map(rates) }];
  });
}

function daysOfXml(text: string): readonly EcbDay[] {
  const days: { readonly day: Day; readonly rates: Map<string, string> }[] = [];
  const parser = new SaxesParser();
  // An entity that unfolds into another is declared there: no file of theirs has one.
  parser.on('doctype', () => {
    throw wrong('it declares a document type');
  });
  parser.on('error', () => {
    throw wrong('it is no XML');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (name !== 'Cube') return;
    const { time, currency, rate } = attributes as Readonly<Record<string, string>>;
    if (time !== undefined) days.push({ day: dayIn(time), rates: new Map() });
    if (currency === undefined) return;
    const current = days.at(-1);
    if (current === undefined || rate === undefined) throw wrong('a rate has no day, or no number');
    if (current.rates.has(currency)) throw wrong(`${current.day} has two rates of a currency`);
    checkCurrencies([currency]);
    current.rates.set(currency, rateIn(rate, current.day, currency));
    if (current.rates.size > MAX_CURRENCIES) throw wrong('there are more currencies in it than there are');
  });
  parser.write(text).close();
  return days;
}

function checkCurrencies(currencies: readonly string[]): void {
  if (currencies.length > MAX_CURRENCIES) throw wrong('there are more currencies in it than there are');
  if (new Set(currencies).size !== currencies.length) throw wrong('a currency is in it twice');
  if (!currencies.every((code) => /^[A-Z]{3}$/.test(code))) throw wrong('a currency is no code of three letters');
}

/** `2026-10-30`, or `30 October 2026` as in the file of one day. */
function dayIn(text: string): Day {
  const [, day, month, year] = /^(\d{1,2}) ([A-Za-z]+) (\d{4})$/.exec(text) ?? [];
  const place = MONTHS.indexOf(month ?? '') + 1;
  const iso = place > 0 ? `${year}-${String(place).padStart(2, '0')}-${day!.padStart(2, '0')}` : text;
  if (isDay(iso)) return iso;
  throw wrong(`"${safeText(text, 30)}" is no day`);
}

function rateIn(text: string, day: string, currency: string): string {
  const decimal = isLongerThan(text, MAX_RATE_CHARACTERS) ? undefined : parseDecimal(text);
  if (decimal !== undefined && decimal.coef > 0n) return text;
  throw wrong(`${safeText(day, 30)}: "${safeText(text, 30)}" is no rate of ${currency}`);
}

const wrong = (why: string) => new CodedError('RATE_FILE_WRONG', `this is no file of the ECB: ${why}`);
