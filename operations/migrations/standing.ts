// Whether code and stores go together. Pure.
import { CodedError } from '../../ports/fault.ts';
import type { MigrationFacts, StoresSchema } from './ports.ts';

/** Stores that say nothing of themselves: release 0.1.0 wrote them. */
export const UNSTATED: StoresSchema = { version: 0, oldestReader: 0, applied: [], run: null };

/** The schema version of code that knows these migrations. */
export const versionOf = (known: readonly MigrationFacts[]): number => known.at(-1)?.version ?? 0;

/** Migrations that are still to be applied, in order. */
export const pendingOf = <M extends MigrationFacts>(known: readonly M[], stored: StoresSchema): readonly M[] =>
  known.filter(({ version }) => version > stored.version);

/** @throws CodedError STORES_NEWER: they hold what this code cannot read */
export function checkNotNewer(known: readonly MigrationFacts[], { version, oldestReader }: StoresSchema): void {
  const own = versionOf(known);
  if (version <= own || oldestReader <= own) return;
  const message = `the stores are of schema version ${version}, which code of version ${oldestReader} and newer can read, and this is of version ${own}: start the newer release`;
  throw new CodedError('STORES_NEWER', message, { faultClass: 'fatal', dependency: 'mongo' });
}

/**
 * Whether code that knows these migrations may work on the stores.
 * @returns the migrations that may be applied while it works
 * @throws CodedError STORES_NEWER, STORES_TOO_OLD
 */
export function checkStores<M extends MigrationFacts>(known: readonly M[], stored = UNSTATED): readonly M[] {
  checkNotNewer(known, stored);
  const pending = pendingOf(known, stored);
  const required = pending.filter(({ isRequired }) => isRequired).at(-1);
  if (!required) return pending;
  const message = `the stores are of schema version ${stored.version}, and this code needs version ${required.version} (${required.name}): run \`corridor migrate apply\``;
  throw new CodedError('STORES_TOO_OLD', message, { faultClass: 'fatal', dependency: 'mongo' });
}
