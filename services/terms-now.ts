// The terms by which prices are made now, for whoever asks what a transfer costs.
import { nationalHolidays } from '../adapters/calendars/national-holidays.ts';
import { policyKey, versionAt } from '../domain/policies/versions.ts';
import { type TermBook, termBook } from '../domain/terms/term-book.ts';
import type { LoggedVersion } from '../operations/policies/ports.ts';
import { readVersion, usable, versionToGoBy } from '../operations/policies/versions.ts';
import { hasRing } from '../ports/seals.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import { configuredVersion } from '../processors/policies.ts';
import { policyVersions } from '../topics/boundary.ts';
import { corridors } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { policyLog } from './policies.ts';
import { configuredTermBook } from './terms.ts';

/** How long an answer is good for, ms. */
const KEEP_MS = 5_000;

type Sources = Pick<Connections, 'log' | 'codec' | 'config'>;

/**
 * Looks into the log for the version in force, at most every few seconds, one look at a time. Where the log cannot be read, what
 * was in force at the last look is told. Without the keys of operators nothing is proven: what the records say is told, and
 * pricing, which has them, goes by no other.
 * @throws CodedError of the log when it was never read, POLICY_UNUSABLE as pricing, which waits then
 */
export function termsNow(sources: Sources, clock: () => number = Date.now): () => Promise<TermBook> {
  const configured = configuredVersion(configuredTermBook(sources.config));
  const table = corridors(sources.config);
  const books = new Map<string, TermBook>();
  let known: { readonly at: number; readonly versions: readonly LoggedVersion[] } | undefined;
  let looking: Promise<void> | undefined;

  const bookOf = (version: number, hash: string, content: unknown): TermBook => {
    const key = `${version}/${hash}`;
    const book = books.get(key) ?? termBook(termsFile.parse(content), table, nationalHolidays, version);
    books.set(key, book);
    return book;
  };
  const look = async () => {
    const at = clock();
    try {
      known = { at, versions: await versionsIn(sources) };
    } catch (error) {
      if (known === undefined) throw error;
      known = { ...known, at };
    }
  };
  return async () => {
    if (known === undefined || clock() - known.at >= KEEP_MS) {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      await looking;
    }
    const read = known!.versions
      .filter(({ record }) => record.kind === 'terms')
      .map((each) => readVersion(each, (content) => bookOf(each.record.version, each.record.contentHash, content)));
    // What nothing proves must not keep an answer from being given, either.
    if (!hasRing(sources.config.keys, 'operators')) return (versionAt(usable(read), clock()) ?? configured).content;
    return versionToGoBy(read, configured, clock()).content;
  };
}

async function versionsIn(sources: Sources): Promise<readonly LoggedVersion[]> {
  if (hasRing(sources.config.keys, 'operators')) return policyLog(sources).versions();
  const { log, codec } = sources;
  const { name } = policyVersions;
  await codec.load([name]);
  const first = new Map<string, LoggedVersion>();
  const reader = log.reader();
  await reader.read(await reader.offsets([name]), async ({ records }) => {
    const values = records.map(({ value }) => value);
    for (const [index, result] of (await codec.decode(name, values)).entries()) {
      if (!result.ok) continue;
      const key = policyKey(result.value);
      if (!first.has(key)) first.set(key, { record: result.value, appendedAt: records[index]!.timestamp });
    }
  });
  return [...first.values()];
}
