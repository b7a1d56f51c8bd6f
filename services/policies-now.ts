// The version of a policy that counts now, for whoever only asks: what a transfer costs, how somebody stands with the limits.
import { nationalHolidays } from '../adapters/calendars/national-holidays.ts';
import { type PolicyKind, policyKey, versionAt } from '../domain/policies/versions.ts';
import { type TermBook, termBook } from '../domain/terms/term-book.ts';
import { readLimitRules } from '../operations/policies/limits.ts';
import type { LoggedVersion } from '../operations/policies/ports.ts';
import { readVersion, usable, versionToGoBy } from '../operations/policies/versions.ts';
import { hasRing } from '../ports/seals.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import { bookOf } from '../processors/limits/processor.ts';
import type { RuleBook } from '../processors/limits/requests.ts';
import { configuredVersion, type Policy } from '../processors/policies.ts';
import { policyVersions } from '../topics/boundary.ts';
import { corridorBookOf, corridors, limitRuleSet } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { policyLog } from './policies.ts';
import { configuredTermBook } from './terms.ts';

/** How long an answer is good for, ms. */
const KEEP_MS = 5_000;

type Sources = Pick<Connections, 'log' | 'codec' | 'config'>;

/** By which prices are made now. @throws as policyNow */
export function termsNow(sources: Sources, clock: () => number = Date.now): () => Promise<TermBook> {
  const table = corridors(sources.config);
  const now = policyNow(sources, {
    ...{ kind: 'terms', configured: configuredTermBook(sources.config), clock },
    make: (content, version) => termBook(termsFile.parse(content), table, nationalHolidays, version),
  });
  return async () => {
    const policy = await now();
    return policy.at(clock()).content;
  };
}

/** The limit rules, by version. @throws as policyNow */
export function rulesNow(sources: Sources, clock: () => number = Date.now): () => Promise<Policy<RuleBook>> {
  const corridorBook = corridorBookOf(sources.config);
  return policyNow(sources, {
    ...{ kind: 'limits', configured: bookOf(limitRuleSet(sources.config), corridorBook), clock },
    make: (content, version) => bookOf(readLimitRules(content), corridorBook, version),
  });
}

interface Asking<T> {
  readonly kind: PolicyKind;
  readonly make: (content: unknown, version: number) => T;
  readonly configured: T;
  readonly clock: () => number;
}

/**
 * Looks into the log for the versions, at most every few seconds, one look at a time. Where the log cannot be read, those of
 * the last look are told. Without the keys of operators nothing is proven: what the records say is told, and stages, which have
 * them, go by no other.
 * @throws CodedError of the log when it was never read; `at` of what it answers POLICY_UNUSABLE as the stage, which waits then
 */
function policyNow<T>(
  sources: Sources,
  { kind, make, configured: content, clock }: Asking<T>,
): () => Promise<Policy<T>> {
  const configured = configuredVersion(content);
  const made = new Map<string, T>();
  let known: { readonly at: number; readonly versions: readonly LoggedVersion[] } | undefined;
  let looking: Promise<void> | undefined;

  const madeOf = (version: number, hash: string, of: unknown): T => {
    const key = `${version}/${hash}`;
    const one = made.get(key) ?? make(of, version);
    made.set(key, one);
    return one;
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
      .filter(({ record }) => record.kind === kind)
      .map((each) => readVersion(each, (of) => madeOf(each.record.version, each.record.contentHash, of)));
    const isProven = hasRing(sources.config.keys, 'operators');
    return {
      all: () => [...usable(read), configured],
      // What nothing proves must not keep an answer from being given, either.
      at: (then) => (isProven ? versionToGoBy(read, configured, then) : (versionAt(usable(read), then) ?? configured)),
    };
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
