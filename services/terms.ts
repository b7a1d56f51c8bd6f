// The terms in force: of a file, or what the table of corridors says by itself; public holidays come from where they are kept.
import { hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { nationalHolidays } from '../adapters/calendars/national-holidays.ts';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import type { Corridor } from '../domain/corridors/corridors.ts';
import { checkCorridorsOf } from '../domain/terms/check-terms.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../domain/terms/corridor-terms.ts';
import { type TermBook, termBook } from '../domain/terms/term-book.ts';
import type { TermSet } from '../domain/terms/terms.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import { fixedPolicy, type Policy } from '../processors/policies.ts';
import type { Config } from '../runtime/config/config.ts';
import { corridors } from './configured-rules.ts';
import { readTerms } from './terms-files.ts';

/** The set of examples that is shipped. */
const EXAMPLE_TERMS = fileURLToPath(new URL('../processors/fx-pricing/example-terms.json', import.meta.url));

/** The set of a file, or of the corridors. @throws CodedError TERMS_UNREADABLE */
export function configuredTerms(config: Config): TermSet {
  const { termsFile: file } = config.transfers;
  const table = corridors(config);
  if (file === undefined) return corridorTerms(table, table === CORRIDORS ? BUILT_IN_TERMS : versionOf(table));
  return readTerms(file === 'example' ? EXAMPLE_TERMS : file, termsFile);
}

/** A table of a file has no version: what it says is one. */
function versionOf(table: readonly Corridor[]): Pick<TermSet, 'name' | 'version'> {
  const said = table.map(({ id, source, marginBps, fees, priceTtlMs }) => [
    id,
    source.currency,
    marginBps,
    fees,
    priceTtlMs,
  ]);
  const text = JSON.stringify(said, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return { name: 'corridors-file', version: hash('sha256', text, 'hex').slice(0, 12) };
}

/** @throws CodedError TERMS_UNREADABLE, DomainError TERMS_INVALID when they do not fit the corridors */
export function configuredTermBook(config: Config): TermBook {
  const table = corridors(config);
  return termBook(checkCorridorsOf(configuredTerms(config), table), table, nationalHolidays);
}

/** What is configured, whatever the log says. */
export const configuredPolicy = (config: Config): Policy<TermBook> => fixedPolicy(configuredTermBook(config));
