// Policies are law as data, in numbered versions: which one counts something is a question of when the broker took it. Pure.

export const POLICY_KINDS = ['limits', 'terms'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

/** Characters of a policy, as JSON. */
export const MAX_POLICY_CHARACTERS = 48_000;

/** Key of a version in the log. */
export const policyKey = ({ kind, version }: { readonly kind: string; readonly version: number }): string =>
  `${kind}/${version}`;

/** A version as what was decided by it names it; 0: what the configuration holds. */
export interface VersionOf<T> {
  readonly version: number;
  /** Append time (ms since 1970) from which on it counts. */
  readonly from: number;
  readonly content: T;
}

/** From when on a version counts: nothing that the broker took before the version itself is counted by it. */
export const countsFrom = (validFrom: number, appendedAt: number): number => Math.max(validFrom, appendedAt);

/**
 * The version that counts what the broker took at `at`: the highest that has begun by then. One that was to begin later than
 * its successor does not count any more.
 * @param versions by number, the highest first
 */
export function versionAt<V extends { readonly from: number }>(versions: readonly V[], at: number): V | undefined {
  return versions.find(({ from }) => from <= at);
}
