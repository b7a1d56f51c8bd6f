// Versions of policies as people see them: which counts now, which will, which did. Pure.
import { hash } from 'node:crypto';
import { isOfTwo } from '../../domain/people/two-persons.ts';
import {
  countsFrom,
  MAX_POLICY_CHARACTERS,
  POLICY_KINDS,
  type PolicyKind,
  policyKey,
  type VersionOf,
  versionAt,
} from '../../domain/policies/versions.ts';
import { strictJson } from '../../domain/text/strict-json.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { PolicyVersion } from '../../schemas/types.generated.ts';
import type { LoggedVersion, PolicyBook, PolicyLog, PolicyTerms } from './ports.ts';

export const hashOfPolicy = (content: string): string => hash('sha256', content, 'hex');

/** A version of one kind, read; or why it cannot be. */
export type ReadVersion<T = unknown> = { readonly record: PolicyVersion; readonly from: number } & (
  | { readonly policy: T; readonly flaw?: never }
  /** `isLaw`: two persons put it in force, and it is this process that cannot use it. */
  | { readonly flaw: string; readonly isLaw: boolean; readonly policy?: never }
);

/**
 * What a record says; never an error. What nobody put in force (its content is not what its hash is over, or one person alone
 * stands behind it) counts nothing, and the version before it holds. What was put in force and this process cannot use is law
 * all the same: nothing may be decided by an older one in its place.
 */
export function readVersion<T>({ record, appendedAt }: LoggedVersion, read: (content: unknown) => T): ReadVersion<T> {
  const base = { record, from: countsFrom(record.validFrom, appendedAt) };
  const nobodys = flawOf(record);
  if (nobodys !== undefined) return { ...base, flaw: nobodys, isLaw: false };
  try {
    return { ...base, policy: read(strictJson(record.content)) };
  } catch (error) {
    return { ...base, flaw: safeText((error as Error).message, 500), isLaw: true };
  }
}

/** Why a record is no version that two persons put in force. */
function flawOf({ version, content, contentHash, askedBy, approvedBy, approvalId }: PolicyVersion): string | undefined {
  if (!Number.isInteger(version) || version < 1) return 'versions are numbered from 1';
  if (content.length > MAX_POLICY_CHARACTERS) return 'it is too long';
  if (hashOfPolicy(content) !== contentHash) return 'its content is not what its hash is over';
  if (approvalId.trim() === '' || !isOfTwo({ by: askedBy, agreedBy: approvedBy })) return 'it is not of two persons';
  return undefined;
}

/**
 * The version by which a process decides what the broker took at `at`.
 * @param configured what holds where the log has no version yet
 * @throws CodedError POLICY_UNUSABLE, which pauses: the version that counts cannot be used here, or one is missing before a later one
 */
export function versionToGoBy<T>(
  versions: readonly ReadVersion<T>[],
  configured: VersionOf<T>,
  at: number,
): VersionOf<T> {
  const counts = versionAt(usable(versions), at) ?? configured;
  const later = versions.filter(({ record, from }) => record.version > counts.version && from <= at);
  const law = later.find((each) => each.flaw !== undefined && each.isLaw);
  if (law) throw unusable(`${policyKey(law.record)} counts and cannot be used here: ${law.flaw}`);
  const isNext = ({ record }: ReadVersion<T>) => record.version === counts.version + 1;
  const isFollowed = versions.some(({ record }) => record.version > counts.version);
  if (isFollowed && !versions.some(isNext)) {
    const [{ record }] = versions as [ReadVersion<T>];
    throw unusable(
      `${policyKey({ kind: record.kind, version: counts.version + 1 })} is missing, and later ones are there`,
    );
  }
  return counts;
}

const unusable = (detail: string) =>
  new CodedError('POLICY_UNUSABLE', detail, { faultClass: 'transient-dependency', dependency: 'policy' });

/** Those that can be used, the highest first. */
export function usable<T>(versions: readonly ReadVersion<T>[]): readonly VersionOf<T>[] {
  return versions
    .flatMap(({ record, from, policy, flaw }) =>
      flaw === undefined ? [{ version: record.version, from, content: policy as T }] : [],
    )
    .toSorted((one, other) => other.version - one.version);
}

/** How a version stands. NEVER: one after it began first. */
export const VERSION_STATES = ['IN_FORCE', 'COMING', 'PAST', 'NEVER', 'UNUSABLE'] as const;
export type VersionState = (typeof VERSION_STATES)[number];

export interface ShownVersion {
  readonly kind: PolicyKind;
  readonly version: number;
  readonly name: string;
  readonly state: VersionState;
  readonly contentHash: string;
  /** ms since 1970 */
  readonly from: number;
  readonly activatedAt: number;
  readonly askedBy: string;
  readonly approvedBy: string;
  readonly approvalId: string;
  readonly reason: string;
  readonly flaw: string | null;
}

/** What is known of one kind, read from the log. */
export interface PolicyHistory {
  readonly terms: PolicyTerms;
  /** By number, the lowest first. */
  readonly versions: readonly ReadVersion[];
  /** Number of the newest record, whether it can be used or not; 0: there is none. */
  readonly last: number;
}

/** @throws CodedError POLICY_UNKNOWN, and what the log throws */
export async function historyOf(
  kinds: PolicyBook,
  log: Pick<PolicyLog, 'versions'>,
  kind: string,
): Promise<PolicyHistory> {
  const terms = termsOf(kinds, kind);
  const logged = (await log.versions()).filter(({ record }) => record.kind === kind);
  const versions = logged
    .map((each) => readVersion(each, terms.read))
    .toSorted((one, other) => one.record.version - other.record.version);
  return { terms, versions, last: versions.at(-1)?.record.version ?? 0 };
}

/** @throws CodedError POLICY_UNKNOWN */
export function termsOf(kinds: PolicyBook, kind: string): PolicyTerms {
  const known = POLICY_KINDS.find((each) => each === kind);
  const terms = known && kinds.get(known);
  if (terms) return terms;
  throw new CodedError('POLICY_UNKNOWN', `there is no policy ${safeText(kind, 48)}; there are: ${[...kinds.keys()]}`);
}

/** The version of this number. @throws CodedError POLICY_UNKNOWN */
export function versionIn({ terms, versions }: PolicyHistory, version: number): ReadVersion {
  const found = versions.find(({ record }) => record.version === version);
  if (found) return found;
  const named = Number.isInteger(version) ? `version ${version}` : 'such version';
  throw new CodedError('POLICY_UNKNOWN', `there is no ${named} of ${terms.kind}`);
}

/** What holds at an instant, or after all that is in the log has begun; version 0 is the configured one. */
export function policyIn({ terms, versions }: PolicyHistory, at: number): VersionOf<unknown> {
  return versionAt(usable(versions), at) ?? { version: 0, from: Number.NEGATIVE_INFINITY, content: terms.configured() };
}

/** Every version of a kind as it stands at `now`, the newest first. */
export function shownVersions(history: PolicyHistory, now: number): readonly ShownVersion[] {
  const all = usable(history.versions);
  const inForce = versionAt(all, now)?.version ?? 0;
  return history.versions.toReversed().map(({ record, from, policy, flaw }): ShownVersion => {
    const { version, contentHash, activatedAt, askedBy, approvedBy, approvalId, reason } = record;
    return {
      ...{ kind: history.terms.kind, version, contentHash, from, activatedAt },
      ...{ askedBy, approvedBy, approvalId, reason },
      name: flaw === undefined ? history.terms.nameOf(policy) : '',
      state: flaw === undefined ? stateOf({ version, from }, { all, inForce, now }) : 'UNUSABLE',
      flaw: flaw ?? null,
    };
  });
}

function stateOf(
  { version, from }: Pick<VersionOf<unknown>, 'version' | 'from'>,
  {
    all,
    inForce,
    now,
  }: { readonly all: readonly VersionOf<unknown>[]; readonly inForce: number; readonly now: number },
): VersionState {
  if (version === inForce) return 'IN_FORCE';
  const isOvertaken = all.some((other) => other.version > version && other.from <= from);
  if (isOvertaken) return 'NEVER';
  return from > now ? 'COMING' : 'PAST';
}

/** What a kind goes by now: where the log has no version, what the configuration of this process holds. */
export interface PolicyStanding {
  readonly kind: PolicyKind;
  /** 0: what the configuration holds. */
  readonly inForce: number;
  readonly name: string;
  /** The newest version, in force or not: what a proposal names as seen. */
  readonly last: number;
  readonly versions: readonly ShownVersion[];
}

/** Every kind, or one. @throws CodedError POLICY_UNKNOWN, and what the log throws */
export async function listPolicies(
  kinds: PolicyBook,
  log: Pick<PolicyLog, 'versions'>,
  { now, kind }: { readonly now: number; readonly kind?: string | undefined },
): Promise<readonly PolicyStanding[]> {
  const asked = kind === undefined ? [...kinds.keys()] : [termsOf(kinds, kind).kind];
  // One read of the log for all of them.
  const logged = await log.versions();
  const read = { versions: async () => logged };
  return Promise.all(
    asked.map(async (each): Promise<PolicyStanding> => {
      const history = await historyOf(kinds, read, each);
      const { version, content } = policyIn(history, now);
      const name = history.terms.nameOf(content);
      return { kind: each, inForce: version, name, last: history.last, versions: shownVersions(history, now) };
    }),
  );
}

export interface WholeVersion extends ShownVersion {
  /** The policy, as JSON; null: it cannot be used. */
  readonly content: unknown;
  /** What changed against the version before it that can be used, or against what is configured here; a line each. */
  readonly changes: readonly string[];
}

/** @throws CodedError POLICY_UNKNOWN, and what the log throws */
export async function showPolicy(
  kinds: PolicyBook,
  log: Pick<PolicyLog, 'versions'>,
  { kind, version, now }: { readonly kind: string; readonly version: number; readonly now: number },
): Promise<WholeVersion> {
  const history = await historyOf(kinds, log, kind);
  const { policy, flaw, record } = versionIn(history, version);
  const shown = shownVersions(history, now).find((each) => each.version === version)!;
  if (flaw !== undefined) return { ...shown, content: null, changes: [] };
  const before = usable(history.versions).find((each) => each.version < version)?.content ?? history.terms.configured();
  return { ...shown, content: strictJson(record.content), changes: history.terms.changes(before, policy) };
}

/** What differs between two versions, or from a version to a policy that has no version yet. @throws CodedError POLICY_UNKNOWN, POLICY_INVALID */
export async function comparePolicies(
  kinds: PolicyBook,
  log: Pick<PolicyLog, 'versions'>,
  {
    kind,
    from,
    to,
  }: { readonly kind: string; readonly from: number; readonly to: number | { readonly content: unknown } },
): Promise<readonly string[]> {
  const history = await historyOf(kinds, log, kind);
  const { terms } = history;
  const after = typeof to === 'number' ? policyOf(history, to) : readAs(terms, to.content);
  return terms.changes(policyOf(history, from), after);
}

/** 0: what is configured here. */
function policyOf(history: PolicyHistory, version: number): unknown {
  if (version === 0) return history.terms.configured();
  const { policy, flaw } = versionIn(history, version);
  if (flaw === undefined) return policy;
  throw new CodedError('POLICY_INVALID', `version ${version} cannot be used: ${flaw}`);
}

function readAs(terms: PolicyTerms, content: unknown): unknown {
  try {
    return terms.read(content);
  } catch (error) {
    throw new CodedError('POLICY_INVALID', safeText((error as Error).message, 1_000));
  }
}
