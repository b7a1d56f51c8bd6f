// Versions of policies as the log proves them, for verification.
import type { CorridorBook } from '../domain/corridors/corridors.ts';
import { type LimitRule, type LimitRuleSet, ruleSetName } from '../domain/limits/limit-rules.ts';
import { readLimitRules } from '../operations/policies/limits.ts';
import type { LoggedVersion } from '../operations/policies/ports.ts';
import { readVersion } from '../operations/policies/versions.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import { bookOf } from '../processors/limits/processor.ts';
import type { Config } from '../runtime/config/config.ts';
import type { LoggedLaw } from '../verify/ports.ts';
import { corridorBookOf } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { policyLog } from './policies.ts';

const NAMES = { limits: (content: unknown) => ruleSetName(readLimitRules(content)), terms: namedTerms } as const;

function namedTerms(content: unknown): string {
  const { name, version } = termsFile.parse(content);
  return `${name}@${version}`;
}

/** Those that two persons put in force. Needs the keys of operators. @throws CodedError of the log */
export async function loggedLaws(
  connections: Pick<Connections, 'log' | 'codec' | 'config'>,
): Promise<{ readonly limits: readonly LoggedLaw[]; readonly terms: readonly LoggedLaw[] }> {
  const versions = await policyLog(connections).versions();
  const limits = lawsIn(versions, 'limits').map((law) => ({ ...law, ...booked(versions, law, connections.config) }));
  return { limits, terms: lawsIn(versions, 'terms') };
}

export function lawsIn(versions: readonly LoggedVersion[], kind: keyof typeof NAMES): readonly LoggedLaw[] {
  return versions
    .filter(({ record }) => record.kind === kind)
    .flatMap((each) => {
      const { version, validFrom, activatedAt } = each.record;
      const read = readVersion(each, NAMES[kind]);
      if (read.flaw !== undefined && !read.isLaw) return [];
      const name = read.flaw === undefined ? `${read.policy}#${version}` : null;
      // A log that was copied has later times than its versions had: neither time alone is believed.
      const times = [each.appendedAt, activatedAt];
      const begins = (taken: number) => Math.max(validFrom, taken);
      return [{ version, name, earliest: begins(Math.min(...times)), latest: begins(Math.max(...times)) }];
    });
}

/** The rules of a version that can be read. */
function booked(
  versions: readonly LoggedVersion[],
  { version, name }: LoggedLaw,
  config: Config,
): Pick<LoggedLaw, 'book' | 'unsure'> {
  const found = versions.find(({ record }) => record.kind === 'limits' && record.version === version);
  if (found === undefined || name === null) return {};
  const read = readVersion(found, readLimitRules);
  return read.flaw === undefined ? asOfThen(read.policy, corridorBookOf(config), version) : {};
}

/**
 * Rules of before, with the corridors of today. Events do not say how their corridor was called: of a rule that names one that
 * there is no more, this build cannot tell whether it counted for a transfer, only what it states where it did.
 */
export function asOfThen(
  set: LimitRuleSet,
  corridors: CorridorBook,
  version: number,
): Required<Pick<LoggedLaw, 'book' | 'unsure'>> {
  const known = new Set(corridors.corridors.map(({ id }) => id));
  const isUnsure = ({ where }: LimitRule) => (where.corridors ?? []).some((id) => !known.has(id));
  const everywhere = (rule: LimitRule): LimitRule => ({ ...rule, where: { ...rule.where, corridors: undefined } });
  const rules = set.rules.map((rule) => (isUnsure(rule) ? everywhere(rule) : rule));
  return {
    book: bookOf({ ...set, rules }, corridors, version),
    unsure: new Set(set.rules.filter(isUnsure).map(({ ruleId }) => ruleId)),
  };
}
