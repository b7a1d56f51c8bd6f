// A policy changes by two persons: one asks for a version, bound to its content and to the version before it; another lets it
// through, and the server writes it into the log. To roll back is to put an old content in force anew.
import { MAX_POLICY_CHARACTERS, policyKey } from '../../domain/policies/versions.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Principal, permission } from '../access/principal.ts';
import { canonicalJson, hashOfAct } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval } from '../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../approvals/execute.ts';
import type { Approvals } from '../approvals/ports.ts';
import type { PolicyBook, PolicyLog } from './ports.ts';
import { hashOfPolicy, historyOf, type PolicyHistory, policyIn, usable } from './versions.ts';

const ACT = 'policy.activate';
/** How far ahead a version may begin, ms. */
const MAX_AHEAD_MS = 366 * 86_400_000;
const MAX_CHANGES = 400;

/** What two persons see, and what comes in force. */
interface Activation {
  readonly kind: string;
  readonly version: number;
  readonly name: string;
  /** The version that it takes the place of, and its hash; 0 and null: what the configuration holds. */
  readonly from: { readonly version: number; readonly hash: string | null };
  /** ms since 1970; null: as soon as it is let through. */
  readonly validFrom: number | null;
  readonly hash: string;
  readonly changes: readonly string[];
  /** The policy itself, as JSON. */
  readonly content: unknown;
}

export interface PolicyAsked {
  readonly id: string;
  readonly kind: string;
  /** The policy, as JSON that was parsed strictly; or the number of a version whose content comes in force anew. */
  readonly content: unknown;
  /** ms since 1970; null: as soon as it is let through. */
  readonly validFrom: number | null;
  /** The newest version that the person has seen; 0: none. */
  readonly fromVersion: number;
  readonly by: Principal;
  readonly reason: string;
  readonly at: Date;
}

export interface PolicyStores {
  readonly log: PolicyLog;
  readonly kinds: PolicyBook;
}

/**
 * Asks a second person to put a version in force.
 * @throws CodedError ACTION_FORBIDDEN, POLICY_UNKNOWN, POLICY_INVALID, POLICY_MOVED, REASON_MISSING
 */
export async function askToActivatePolicy(
  { log, kinds, approvals }: PolicyStores & { readonly approvals: Approvals },
  asked: PolicyAsked,
  operators: KeyRing,
): Promise<Approval> {
  const { id, by, reason, at } = asked;
  permission(by, 'policies.propose');
  const history = await historyOf(kinds, log, asked.kind);
  const activation = activationOf(history, asked);
  const subject = policyKey(activation);
  const content = canonicalJson(activation);
  const summary = `${subject}: ${activation.name} in place of ${activation.from.version || 'what is configured'}, ${activation.changes.length} changes`;
  const asking = { id, act: ACT, subject, content, hash: hashOfAct(ACT, subject, content) } as const;
  return askForApproval(approvals, { ...asking, summary, by: by.name, reason, at }, operators);
}

function activationOf(history: PolicyHistory, { kind, content, validFrom, fromVersion, at }: PolicyAsked): Activation {
  const { terms, last } = history;
  if (fromVersion !== last) throw moved(history);
  if (validFrom !== null && validFrom > at.getTime() + MAX_AHEAD_MS) throw invalid('it begins in more than a year');
  const policy = readOrRefuse(history, content);
  const text = canonicalJson(content);
  const hash = hashOfPolicy(text);
  const before = history.versions.find(({ record }) => record.version === last);
  if (before?.record.contentHash === hash && before.flaw === undefined)
    throw invalid(`version ${last} says exactly that`);
  const [now, newest] = [at.getTime(), Number.POSITIVE_INFINITY].map((time) => policyIn(history, time));
  const changes = [...terms.changes(newest!.content, policy)];
  if (now!.version !== newest!.version) {
    changes.push(
      `what is in force now, ${now!.version === 0 ? 'of the configuration' : `version ${now!.version}`}, against it:`,
    );
    changes.push(...terms.changes(now!.content, policy).map((line) => `  ${line}`));
  }
  return {
    ...{ kind, version: last + 1, name: terms.nameOf(policy), hash, content },
    from: { version: last, hash: before?.record.contentHash ?? null },
    validFrom: validFrom === null || validFrom <= at.getTime() ? null : validFrom,
    changes: shownWhole(changes),
  };
}

/** The policy, when it can be used beside all that was ever in force. @throws CodedError POLICY_INVALID */
function readOrRefuse({ terms, versions }: PolicyHistory, content: unknown): unknown {
  if (canonicalJson(content).length > MAX_POLICY_CHARACTERS)
    throw invalid(`it is longer than ${MAX_POLICY_CHARACTERS} characters`);
  let policy: unknown;
  let faults: readonly string[];
  try {
    policy = terms.read(content);
    const before = usable(versions).map((version) => version.content);
    faults = terms.faults(policy, [terms.configured(), ...before.toReversed()]);
  } catch (error) {
    throw invalid(safeText((error as Error).message, 1_000));
  }
  if (faults.length > 0) throw invalid(safeText(faults.join('; '), 1_000));
  return policy;
}

/** All of them, as they are: what is cut off is what nobody has agreed to. @throws CodedError POLICY_INVALID */
function shownWhole(changes: readonly string[]): readonly string[] {
  if (changes.length > MAX_CHANGES) throw invalid(`it changes more than ${MAX_CHANGES} things: propose it in steps`);
  return changes.map((line) => safeText(line, MAX_POLICY_CHARACTERS));
}

const invalid = (detail: string) => new CodedError('POLICY_INVALID', detail);

const moved = ({ terms, last }: PolicyHistory) =>
  new CodedError('POLICY_MOVED', `the newest version of ${terms.kind} is ${last} now: look, then ask anew`);

/** Shows and does what was let through. Again is the same. */
export const activatePolicyHandler = (stores: PolicyStores): ActHandler => ({
  namesNobody: true,
  describe: describeContent(({ kind, version, name, from, validFrom, hash, changes }: Activation) => [
    `put ${name} in force as version ${version} of ${kind}, SHA-256 ${hash}`,
    `in place of ${from.version === 0 ? 'what the configuration holds' : `version ${from.version}`}`,
    validFrom === null ? 'as soon as it is let through' : `from ${new Date(validFrom).toISOString()} on`,
    ...(changes.length === 0 ? ['nothing that it says is changed'] : changes),
  ]),
  execute: (approved) => activatePolicy(stores, approved),
});

/** @throws CodedError POLICY_MOVED when another version came first, POLICY_INVALID when it cannot be used here */
async function activatePolicy({ log, kinds }: PolicyStores, approved: ApprovedAct): Promise<string> {
  const { approvalId, askedBy, approvedBy, reason, doneAtStore } = approved;
  const { kind, version, from, validFrom, hash, content } = JSON.parse(approved.content) as Activation;
  const done = `version ${version} of ${kind} is in the log`;
  const history = await historyOf(kinds, log, kind);
  const known = history.versions.find(({ record }) => record.version === version);
  if (known?.record.approvalId === approvalId) return done;
  const before = history.versions.find(({ record }) => record.version === from.version);
  if (history.last !== from.version || (before?.record.contentHash ?? null) !== from.hash) throw moved(history);
  readOrRefuse(history, content);
  const text = canonicalJson(content);
  if (hashOfPolicy(text) !== hash) throw invalid('its content is not what its hash is over');
  const activatedAt = doneAtStore.getTime();
  await log.publish({
    // As soon as it is let through is when the broker takes it: no clock of a program makes it later.
    ...{ kind, version, content: text, contentHash: hash, activatedAt, validFrom: validFrom ?? 0 },
    ...{ askedBy, approvedBy, approvalId, reason: safeText(reason, 500) },
  });
  // Of two that were written at once, the first in the log counts.
  const now = await historyOf(kinds, log, kind);
  if (now.versions.find(({ record }) => record.version === version)?.record.approvalId !== approvalId) throw moved(now);
  return done;
}
