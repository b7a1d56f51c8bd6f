import type { PartialDate } from './entity.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const EARLIEST = 1800;
const LATEST = 2100;

/**
 * Reads the dates that lists print: `1971`, `08 Mar 1970`, `Mar 1970`, `1.9.1957`, `31/12/1952`, `1970-03-08` (also with
 * a time), `00/00/1960`, `circa 1952`, `Between 1960 and 1965`, `1960 to 1965`, `2007 or 2008`.
 * Day before month where the publisher writes numbers. Undefined when there is no year in it.
 */
export function parsePartialDate(text: string): PartialDate | undefined {
  const value = text.trim().replace(/\s+/g, ' ');
  const circa = /\b(?:circa|approximately|approx|about|around|c\.|ca\.?)(?=\s|\d|$)/i.test(value);
  const parsed = exact(value) ?? range(value);
  if (parsed === undefined) return undefined;
  return circa ? { ...parsed, circa } : parsed;
}

function exact(value: string): PartialDate | undefined {
  const iso = /\b(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:T|\b)/.exec(value);
  if (iso) return date(iso[1], iso[2], iso[3]);
  const numeric = /\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b/.exec(value);
  if (numeric) return date(numeric[3], numeric[2], numeric[1]);
  const worded = /\b(?:(\d{1,2})\.?[ -])?([A-Za-z]{3,9})\.?[ -](\d{4})\b/.exec(value);
  if (!worded) return undefined;
  const month = MONTHS.indexOf(worded[2]!.slice(0, 3).toLowerCase()) + 1;
  return month === 0 ? undefined : date(worded[3], String(month), worded[1]);
}

function range(value: string): PartialDate | undefined {
  const years = [...value.matchAll(/(?<!\d)(\d{4})(?!\d)/g)].map((match) => Number(match[1])).filter(isYear);
  if (years.length === 0) return undefined;
  const year = Math.min(...years);
  const toYear = Math.max(...years);
  return toYear > year ? { year, toYear } : { year };
}

function date(year: string | undefined, month?: string, day?: string): PartialDate | undefined {
  const y = Number(year);
  if (!isYear(y)) return undefined;
  const m = Number(month ?? 0);
  const d = Number(day ?? 0);
  if (m < 1 || m > 12) return { year: y };
  if (d < 1 || d > 31) return { year: y, month: m };
  return { year: y, month: m, day: d };
}

const isYear = (year: number): boolean => year >= EARLIEST && year <= LATEST;
