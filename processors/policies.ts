// Policies as stages go by them: which version counts an event is told by when the broker took it.
import type { VersionOf } from '../domain/policies/versions.ts';

/** The versions of one kind that a process knows. */
export interface Policy<T> {
  /** The version that counts what the broker took at this time (ms since 1970). */
  at(appendedAt: number): VersionOf<T>;
  /** Every version that can be used, and what the configuration holds: the highest first, the configured one last. */
  all(): readonly VersionOf<T>[];
}

/** What the configuration holds. */
export const configuredVersion = <T>(content: T): VersionOf<T> => ({
  version: 0,
  from: Number.NEGATIVE_INFINITY,
  content,
});

/** A policy of one version, which the configuration holds. */
export function fixedPolicy<T>(content: T): Policy<T> {
  const only = configuredVersion(content);
  return { at: () => only, all: () => [only] };
}
