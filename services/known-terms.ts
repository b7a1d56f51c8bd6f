// All terms that prices can name: what is configured, what the corridors say, and every version in the log.
import { nationalHolidays } from '../adapters/calendars/national-holidays.ts';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../domain/terms/corridor-terms.ts';
import { type TermBook, termBook } from '../domain/terms/term-book.ts';
import { readVersion, usable } from '../operations/policies/versions.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import type { KnownTerms } from '../verify/ports.ts';
import { corridorBookOf, corridors } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { policyLog } from './policies.ts';
import { configuredTermBook } from './terms.ts';

/** Needs the keys of operators: what they have not sealed is no version. @throws CodedError of the log, or of a file */
export async function knownTerms(connections: Pick<Connections, 'log' | 'codec' | 'config'>): Promise<KnownTerms> {
  const { config } = connections;
  const table = corridors(config);
  const logged = (await policyLog(connections).versions()).filter(({ record }) => record.kind === 'terms');
  const versions = logged.map((each) =>
    readVersion(each, (content) => termBook(termsFile.parse(content), table, nationalHolidays, each.record.version)),
  );
  const books: readonly TermBook[] = [
    configuredTermBook(config),
    ...(table === CORRIDORS ? [termBook(corridorTerms(CORRIDORS, BUILT_IN_TERMS), CORRIDORS, nationalHolidays)] : []),
    ...usable(versions).map(({ content }) => content),
  ];
  const byName = new Map(books.map((book) => [book.name, book]));
  return { named: (set) => byName.get(set), corridors: corridorBookOf(config) };
}
