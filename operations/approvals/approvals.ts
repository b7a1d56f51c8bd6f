// Asking for a risky act, and letting it through or not.
import { personName } from '../../domain/people/identities.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Principal, permission } from '../access/principal.ts';
import { checkSecondPerson, isSamePerson } from '../four-eyes/second-person.ts';
import { type Act, termsOfAct } from './acts.ts';
import { type Approval, type ApprovalState, askedSeal, decidedSeal, isAsked, type Verdict } from './approval.ts';
import type { Approvals, OpenGlass } from './ports.ts';

const MAX_REASON = 500;
const MAX_SUMMARY = 1_000;
/** Characters of what an approval carries. */
const MAX_CONTENT = 64_000;

export interface Asking {
  readonly id: string;
  readonly act: Act;
  readonly subject: string;
  readonly hash: string;
  readonly summary: string;
  /** What is to be done, as JSON, where nothing else holds it; `hash` is `hashOfAct` of it. */
  readonly content?: string;
  /** Who asks; that they may is looked at by whoever knows their rights. */
  readonly by: string;
  readonly reason: string;
  /** By the clock of who asks; that of the store counts. */
  readonly at: Date;
}

/**
 * Asks for an act. The same id again is the same question.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError REASON_MISSING, APPROVAL_MOVED when the id stands for another question
 */
export async function askForApproval(store: Approvals, asking: Asking, operators: KeyRing): Promise<Approval> {
  const { id: _id, act, subject, hash, content } = asking;
  if (content !== undefined && content.length > MAX_CONTENT) {
    throw new CodedError('OPTION_INVALID', `what is asked for must not be longer than ${MAX_CONTENT} characters`);
  }
  const at = await store.clock(asking.at);
  const asked = {
    ...{ _id, act, subject, hash, askedBy: personName(asking.by), askedAt: at },
    summary: safeText(asking.summary, MAX_SUMMARY),
    reason: reasonOf(asking.reason),
    expiresAt: new Date(at.getTime() + termsOfAct(act).validMs),
  };
  const approval: Approval = {
    ...asked,
    ...(content !== undefined && { content }),
    state: 'WAITING',
    askedSeal: askedSeal(operators, asked),
    decided: null,
    begunAt: null,
    ended: null,
  };
  if (await store.insert(approval)) return approval;
  const known = await store.find(_id);
  if (known && known.hash === hash && known.act === act && known.subject === subject) return known;
  throw new CodedError('APPROVAL_MOVED', `the approval ${_id} is about something else`);
}

export interface Deciding {
  readonly id: string;
  /** Hash of what the person has seen. */
  readonly hash: string;
  readonly verdict: Verdict;
  readonly by: Principal;
  readonly reason: string;
  /** By the clock of who decides; that of the store counts. */
  readonly at: Date;
  /** A glass that this person has broken: what they asked for themselves may be let through under it. */
  readonly glass?: OpenGlass;
}

/**
 * Approves or refuses. Who asked may do neither (but they may withdraw), nor may who lacks the right for the act: every role
 * alike, admins too.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError ACTION_FORBIDDEN, APPROVAL_UNKNOWN, APPROVAL_NOT_SEALED, SECOND_PERSON_NEEDED, EVIDENCE_CHANGED,
 * APPROVAL_EXPIRED, GLASS_OVER, APPROVAL_MOVED when somebody else was first
 */
export async function decideApproval(store: Approvals, deciding: Deciding, operators: KeyRing): Promise<Approval> {
  const { id, verdict, glass } = deciding;
  const by = personName(deciding.by.name);
  const reason = reasonOf(deciding.reason);
  if (glass === undefined) permission(deciding.by, 'approvals.decide');
  const found = await findApproval(store, id);
  permission(deciding.by, termsOfAct(found.act).right);
  if (!isAsked(operators, found)) {
    const detail = `${id} was not asked for through this program, or was changed in the database: ask anew`;
    throw new CodedError('APPROVAL_NOT_SEALED', detail);
  }
  const isOwn = isSamePerson(found.askedBy, by);
  const mayBeAlone = verdict === 'APPROVED' && !termsOfAct(found.act).neverAlone;
  const isUnderGlass = isOwn && mayBeAlone && glass !== undefined && isSamePerson(glass.by, by);
  if (!isUnderGlass) {
    checkSecondPerson(found.askedBy, by, `${found.askedBy} asked for ${id}: another person must decide`);
    permission(deciding.by, 'approvals.decide');
  }
  if (found.hash !== deciding.hash) {
    throw new CodedError('EVIDENCE_CHANGED', `${id} is about something else than what you have seen`);
  }
  if (found.state !== 'WAITING') throw moved(found);
  const at = await store.clock(deciding.at);
  if (at.getTime() >= found.expiresAt.getTime()) {
    throw new CodedError('APPROVAL_EXPIRED', `${id} could be decided until ${found.expiresAt.toISOString()}`);
  }
  if (isUnderGlass && at.getTime() >= glass.until.getTime()) {
    throw new CodedError('GLASS_OVER', `the glass ${safeText(glass.id, 64)} was over at ${glass.until.toISOString()}`);
  }
  const terms = { by, at, reason, ...(isUnderGlass && { glass: glass.id }) };
  const decided = { ...terms, seal: decidedSeal(operators, found, verdict, terms) };
  if (await store.decide(found, verdict, decided)) return { ...found, state: verdict, decided };
  throw moved(await findApproval(store, id));
}

/**
 * Takes a question back, as long as the act has not begun; only who asked may.
 * @throws CodedError APPROVAL_UNKNOWN, APPROVAL_MOVED, MAKER_ONLY
 */
export async function withdrawApproval(store: Approvals, id: string, by: string, at: Date): Promise<void> {
  const found = await findApproval(store, id);
  if (!isSamePerson(found.askedBy, personName(by))) {
    throw new CodedError(
      'MAKER_ONLY',
      `${found.askedBy} asked for ${id}: only they can withdraw it; you can refuse it`,
    );
  }
  const ended = { at, detail: 'withdrawn by who asked' };
  if (!(await store.end(id, ['WAITING', 'APPROVED'], 'WITHDRAWN', ended))) throw moved(await findApproval(store, id));
}

/** Approvals in these states, the latest first. What has expired by now is ended first. */
export async function listApprovals(
  store: Pick<Approvals, 'expire' | 'list' | 'clock'>,
  states: readonly ApprovalState[],
  limit: number,
  now: Date,
): Promise<readonly Approval[]> {
  await store.expire(await store.clock(now));
  return store.list(states, limit);
}

/** @throws CodedError APPROVAL_UNKNOWN */
export async function findApproval(store: Pick<Approvals, 'find'>, id: string): Promise<Approval> {
  const found = await store.find(id);
  if (found) return found;
  throw new CodedError('APPROVAL_UNKNOWN', `there is no approval ${safeText(id, 200)}`);
}

export const moved = ({ _id, state, decided, begunAt }: Approval): CodedError => {
  const by = decided ? ` by ${decided.by}` : '';
  return new CodedError('APPROVAL_MOVED', `${_id} is ${state}${by} already${begunAt ? ', and was begun' : ''}`);
};

/** @throws CodedError REASON_MISSING */
export function reasonOf(text: string): string {
  const reason = safeText(text.trim(), MAX_REASON);
  if (reason !== '') return reason;
  throw new CodedError('REASON_MISSING', 'say why, in a few words: it is kept');
}
