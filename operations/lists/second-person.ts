// A list version that takes much away, in the one list of acts that wait for a second person. What is stored of lists, and the
// rule that who imported a version does not put it in force alone, stay as they were.

import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { type Principal, permission } from '../access/principal.ts';
import { canonicalJson, hashOfAct } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval } from '../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../approvals/execute.ts';
import type { Approvals } from '../approvals/ports.ts';
import { type ActivationTerms, activateVersion, type PublishActivation } from './import-and-activate.ts';
import { inForceOf } from './versions.ts';

/** What is let through: this version, in place of that one. */
interface Replacement {
  readonly versionId: string;
  readonly entities: number;
  readonly names: number;
  readonly importedBy: string;
  /** In force when it was asked for; null: none was. */
  readonly replaces: string | null;
}

/**
 * Asks a second person to put a version in force.
 * @throws CodedError ACTION_FORBIDDEN, LIST_VERSION_UNKNOWN, REASON_MISSING
 */
export async function askToActivate(
  { lists, approvals }: { readonly lists: Pick<ListStore, 'head' | 'active'>; readonly approvals: Approvals },
  { id, versionId, by, reason, at }: { id: string; versionId: string; by: Principal; reason: string; at: Date },
  operators: KeyRing,
): Promise<Approval> {
  permission(by, 'lists.activate');
  const { counts, importedBy, source } = await lists.head(versionId);
  const replaces = await inForceOf(lists, source);
  const replacement: Replacement = { versionId, entities: counts.entities, names: counts.names, importedBy, replaces };
  const content = canonicalJson(replacement);
  const act = 'lists.activate';
  const asked = { id, act, subject: versionId, content, hash: hashOfAct(act, versionId, content) } as const;
  const summary = `put ${versionId} in force in place of ${replaces ?? 'none'}`;
  return askForApproval(approvals, { ...asked, summary, by: by.name, reason, at }, operators);
}

export interface ListActivation {
  readonly lists: ListStore;
  readonly publish: PublishActivation;
  readonly lastOf: NonNullable<ActivationTerms['lastOf']>;
}

/** Shows and does it: who lets it through puts it in force. Again is the same. */
export const activationHandler = (open: () => Promise<ListActivation & { close(): Promise<void> }>): ActHandler => ({
  describe: describeContent(({ versionId, entities, names, importedBy, replaces }: Replacement) => [
    `put ${versionId} in force: ${entities} entities, ${names} names, imported by ${importedBy}`,
    replaces === null
      ? `nothing of its source is in force: look at what was read first: corridor lists show ${versionId}`
      : `look first: corridor lists diff ${replaces} ${versionId}`,
  ]),
  async execute(approved) {
    const activation = await open();
    try {
      return await activate(activation, approved);
    } finally {
      await activation.close();
    }
  },
});

async function activate(
  { lists, publish, lastOf }: ListActivation,
  { content, approvedBy: by, approvedAt, glass }: ApprovedAct,
): Promise<string> {
  const { versionId, replaces } = JSON.parse(content) as Replacement;
  const { source } = await lists.head(versionId);
  const now = await inForceOf(lists, source);
  if (now !== replaces && now !== versionId) {
    throw new CodedError('ACTIVATION_RACED', `${now ?? 'nothing'} is in force by now: look, then ask anew`);
  }
  const terms = { by, now: approvedAt.getTime(), lastOf, underGlass: glass !== undefined };
  const { changed } = await activateVersion(lists, publish, versionId, terms);
  return changed ? `${versionId} is in force` : `${versionId} was in force already`;
}
