// What the use-cases of policies need: the log of versions, and what each kind of policy means.
import type { PolicyKind } from '../../domain/policies/versions.ts';
import type { PolicyVersion } from '../../schemas/types.generated.ts';

/** A version as it stands in the log. */
export interface LoggedVersion {
  readonly record: PolicyVersion;
  /** Append time, ms since 1970. */
  readonly appendedAt: number;
}

/** Every method throws a coded error when the log cannot be asked. */
export interface PolicyLog {
  /** All versions of all kinds that count, with everything that was acknowledged before the call. */
  versions(): Promise<readonly LoggedVersion[]>;
  /** Writes one, sealed; resolves when it is acknowledged. It counts unless there is one of this number already. */
  publish(version: PolicyVersion): Promise<void>;
}

/** What a kind of policy is. `T`: a policy of it, read. */
export interface PolicyTerms<T = unknown> {
  readonly kind: PolicyKind;
  /** What the configuration of this process holds: it counts while the log has no version. */
  configured(): T;
  /** @param content JSON, as it was parsed strictly @throws when it cannot be used */
  read(content: unknown): T;
  /** Name and version by which events name it. */
  nameOf(policy: T): string;
  /** What stands against it beside what was ever in force, in words: the configured one, then each version. */
  faults(policy: T, before: readonly T[]): readonly string[];
  /** What changes, a line each, for the person who approves. */
  changes(from: T, to: T): readonly string[];
}

export type PolicyBook = ReadonlyMap<PolicyKind, PolicyTerms>;
