// Versions of policies as the log proves them, for verification.
import { ruleSetName } from '../domain/limits/limit-rules.ts';
import { readLimitRules } from '../operations/policies/limits.ts';
import type { LoggedVersion } from '../operations/policies/ports.ts';
import { readVersion } from '../operations/policies/versions.ts';
import { termsFile } from '../processors/fx-pricing/terms-file.ts';
import type { LoggedLaw } from '../verify/ports.ts';
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
  return { limits: lawsIn(versions, 'limits'), terms: lawsIn(versions, 'terms') };
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
