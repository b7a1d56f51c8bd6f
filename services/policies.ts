// Policies over the log: followed by stages, read and written by those who change them.
import { nationalHolidays } from '../adapters/calendars/national-holidays.ts';
import type { PolicyKind, VersionOf } from '../domain/policies/versions.ts';
import { POLICY_KINDS, policyKey, versionAt } from '../domain/policies/versions.ts';
import { type TermBook, termBook } from '../domain/terms/term-book.ts';
import { safeText } from '../domain/text/text.ts';
import { limitsPolicy, readLimitRules } from '../operations/policies/limits.ts';
import type { LoggedVersion, PolicyBook, PolicyLog, PolicyTerms } from '../operations/policies/ports.ts';
import { termsPolicy } from '../operations/policies/terms.ts';
import { type ReadVersion, readVersion, usable, versionToGoBy } from '../operations/policies/versions.ts';
import type { ActFailpoint } from '../ports/act-failpoints.ts';
import { recordMaker } from '../ports/records.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import { bookOf } from '../processors/limits/processor.ts';
import type { RuleBook } from '../processors/limits/requests.ts';
import { configuredVersion, type Policy } from '../processors/policies.ts';
import type { Config } from '../runtime/config/config.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { DependencyTrouble } from '../runtime/hosts/host.ts';
import { createTable, type Table, type TableOptions } from '../runtime/hosts/table.ts';
import type { PolicyVersion } from '../schemas/types.generated.ts';
import { policyVersions } from '../topics/boundary.ts';
import { corridorBookOf, corridors, limitRuleSet } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { configuredTermBook, configuredTerms } from './terms.ts';

const OWNER = 'policies';
const at = (name: ActFailpoint) => failpoint(name);

type LogComponents = Pick<Connections, 'log' | 'codec'> & { readonly config: Pick<Connections['config'], 'keys'> };

/** What each kind of policy means in this process. */
export function policyBook(config: Config): PolicyBook {
  const limits = limitsPolicy(
    () => limitRuleSet(config),
    () => corridors(config).map(({ id }) => id),
  );
  const terms = termsPolicy(
    () => configuredTerms(config),
    () => corridors(config),
    nationalHolidays,
  );
  return new Map([limits, terms].map((each) => [each.kind, each as PolicyTerms]));
}

/** The topic as a table that knows when each version was taken. */
function versionsTable(
  { log, codec, config }: LogComponents,
  onFault?: TableOptions<'fx.rates'>['onFault'],
): { readonly table: Table<PolicyVersion>; logged(): readonly LoggedVersion[] } {
  const appendedAt = new Map<string, number>();
  const table = createTable({
    ...{ topic: policyVersions.name, log, codec, rings: config.keys },
    ...(onFault && { onFault }),
    onRecord({ key, timestamp }, flaw) {
      if (flaw === undefined) appendedAt.set(key!.toString('utf8'), timestamp);
    },
  });
  const logged = () => [...table.entries()].map(([key, record]) => ({ record, appendedAt: appendedAt.get(key)! }));
  return { table, logged };
}

/** Reads the topic to its end whenever it is asked: it is small, and what was acknowledged before must be seen. */
export function policyLog(parts: LogComponents): PolicyLog {
  const { config, log, codec } = parts;
  return {
    async versions() {
      const { table, logged } = versionsTable(parts);
      try {
        await table.start();
        return logged();
      } finally {
        await table.stop();
      }
    },
    async publish(version) {
      await codec.load([policyVersions.name]);
      const make = recordMaker({ owner: OWNER, writes: [policyVersions], codec, rings: config.keys });
      const writer = await log.writer(OWNER);
      try {
        await at('policies.before-publish');
        await writer.send([make(policyVersions.name, version, { partition: 0 })]);
        await at('policies.after-publish');
      } finally {
        await writer.close();
      }
    },
  };
}

/** A policy that a stage follows. */
export interface FollowedPolicy<T> extends Policy<T> {
  readonly table: Table<unknown>;
  /** Versions that this process cannot use though they would count, for health. */
  troubles(): readonly DependencyTrouble[];
}

export interface FollowingOptions<T> {
  readonly kind: PolicyKind;
  /** What a stage makes of a version, once; @throws when it cannot be used: then what it counts waits. */
  readonly make: (content: unknown, version: number) => T;
  readonly configured: T;
  readonly onFault?: TableOptions<'fx.rates'>['onFault'];
  /** ms since 1970 */
  readonly clock?: () => number;
}

/** The limit rules in force, by version, as the stage asks them. @throws CodedError TERMS_UNREADABLE */
export function followedLimits(
  parts: Pick<Connections, 'log' | 'codec' | 'config'>,
  { onFault }: Pick<FollowingOptions<RuleBook>, 'onFault'> = {},
): FollowedPolicy<RuleBook> {
  const corridorBook = corridorBookOf(parts.config);
  return followedPolicy(parts, {
    kind: 'limits',
    make: (content, version) => bookOf(readLimitRules(content), corridorBook, version),
    configured: bookOf(limitRuleSet(parts.config), corridorBook),
    ...(onFault && { onFault }),
  });
}

/** The terms in force, by version, as pricing asks them. @throws CodedError TERMS_UNREADABLE, DomainError TERMS_INVALID */
export function followedTerms(
  parts: Pick<Connections, 'log' | 'codec' | 'config'>,
  { onFault }: Pick<FollowingOptions<TermBook>, 'onFault'> = {},
): FollowedPolicy<TermBook> {
  const table = corridors(parts.config);
  return followedPolicy(parts, {
    kind: 'terms',
    make: (content, version) => termBook(termsFile.parse(content), table, nationalHolidays, version),
    configured: configuredTermBook(parts.config),
    ...(onFault && { onFault }),
  });
}

/** Followed, not started yet: `table` is to be read to its end before the first record. @throws CodedError CONFIG_INVALID */
export function followedPolicy<T>(parts: LogComponents, options: FollowingOptions<T>): FollowedPolicy<T> {
  const { kind, make, onFault, clock = Date.now } = options;
  const { table, logged } = versionsTable(parts, onFault);
  const configured = configuredVersion(options.configured);
  const made = new Map<number, ReadVersion<T>>();
  const since = new Map<string, number>();
  let seen = -1;
  let all: readonly VersionOf<T>[] = [configured];
  /** Every version that there is can be used, and none is missing: asked for each record, so it is reckoned once. */
  let isWhole = true;

  function current(): readonly VersionOf<T>[] {
    if (seen === table.version) return all;
    seen = table.version;
    for (const each of logged()) {
      const { version } = each.record;
      // The first record of a version counts, for ever: it is read once.
      if (each.record.kind === kind && !made.has(version))
        made.set(
          version,
          readVersion(each, (content) => make(content, version)),
        );
    }
    all = [...usable([...made.values()]), configured];
    isWhole = all.every(({ version }, place) => version === all.length - 1 - place) && all.length === made.size + 1;
    return all;
  }

  function troubles(): readonly DependencyTrouble[] {
    const [newest] = current();
    const unusable = [...made.values()].flatMap((read) => {
      if (read.flaw === undefined || read.record.version <= newest!.version) return [];
      const then = read.isLaw ? 'what it counts waits' : 'the version before it holds';
      return [{ key: policyKey(read.record), detail: `${read.flaw}: ${then}` }];
    });
    const strange = logged()
      .filter(({ record }) => !POLICY_KINDS.some((known) => known === record.kind))
      .map(({ record }) => ({ key: policyKey(record), detail: 'this release does not know the kind' }));
    return [...unusable, ...strange].map(({ key, detail }): DependencyTrouble => {
      if (!since.has(key)) since.set(key, clock());
      return {
        ...{ dependency: `policy ${safeText(key, 64)}`, code: 'POLICY_UNUSABLE', since: since.get(key)! },
        detail: safeText(detail, 600),
        ...{ topic: policyVersions.name, partition: 0, lastMetAt: performance.now() },
      };
    });
  }

  return {
    ...{ table, troubles },
    at(appendedAt) {
      const versions = current();
      if (isWhole) return versionAt(versions, appendedAt) ?? configured;
      return versionToGoBy([...made.values()], configured, appendedAt);
    },
    all: current,
  };
}
