// Asking for a risky act, and letting it through or not.
import { personName } from '../../domain/people/identities.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { checkSecondPerson, isSamePerson } from '../four-eyes/second-person.ts';
import { type Act, type Approval, askedSeal, decidedSeal, isAsked, type Verdict } from './approval.ts';
import type { Approvals } from './ports.ts';

const MAX_REASON = 500;
const MAX_SUMMARY = 1_000;

export interface Asking {
  readonly id: string;
  readonly act: Act;
  readonly subject: string;
  readonly hash: string;
  readonly summary: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
  /** How long it may be approved and begun, ms. */
  readonly validMs: number;
}

/**
 * Asks for an act. The same id again is the same question.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError REASON_MISSING, APPROVAL_MOVED when the id stands for another question
 */
export async function askForApproval(store: Approvals, asking: Asking, operators: KeyRing): Promise<Approval> {
  const { id: _id, act, subject, hash, at, validMs } = asking;
  const asked = {
    ...{ _id, act, subject, hash, askedBy: personName(asking.by), askedAt: at },
    expiresAt: new Date(at.getTime() + validMs),
  };
  const approval: Approval = {
    ...asked,
    summary: safeText(asking.summary, MAX_SUMMARY),
    state: 'WAITING',
    reason: reasonOf(asking.reason),
    askedSeal: askedSeal(operators, asked),
    decided: null,
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
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/**
 * Approves or refuses. Who asked may do neither; he may withdraw.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError APPROVAL_UNKNOWN, APPROVAL_NOT_SEALED, SECOND_PERSON_NEEDED, EVIDENCE_CHANGED, APPROVAL_EXPIRED,
 * APPROVAL_MOVED when somebody else was first
 */
export async function decideApproval(store: Approvals, deciding: Deciding, operators: KeyRing): Promise<Approval> {
  const { id, verdict, at } = deciding;
  const by = personName(deciding.by);
  const reason = reasonOf(deciding.reason);
  const found = await findApproval(store, id);
  if (!isAsked(operators, found)) {
    const detail = `${id} was not asked for through this program, or was changed in the database: ask anew`;
    throw new CodedError('APPROVAL_NOT_SEALED', detail);
  }
  checkSecondPerson(found.askedBy, by, `${found.askedBy} asked for ${id}: another person must decide`);
  if (found.hash !== deciding.hash) {
    throw new CodedError('EVIDENCE_CHANGED', `${id} is about something else than what you have seen`);
  }
  if (found.state !== 'WAITING') throw moved(found);
  if (at.getTime() >= found.expiresAt.getTime()) {
    throw new CodedError('APPROVAL_EXPIRED', `${id} could be decided until ${found.expiresAt.toISOString()}`);
  }
  const decided = { by, at, reason, seal: decidedSeal(operators, found, verdict, by, at) };
  if (await store.decide(found, verdict, decided)) return { ...found, state: verdict, decided };
  throw moved(await findApproval(store, id));
}

/**
 * Takes a question back; only who asked may.
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

/** @throws CodedError APPROVAL_UNKNOWN */
export async function findApproval(store: Approvals, id: string): Promise<Approval> {
  const found = await store.find(id);
  if (found) return found;
  throw new CodedError('APPROVAL_UNKNOWN', `there is no approval ${safeText(id, 200)}`);
}

const moved = ({ _id, state, decided }: Approval) =>
  new CodedError('APPROVAL_MOVED', `${_id} is ${state}${decided ? ` by ${decided.by}` : ''} already`);

/** @throws CodedError REASON_MISSING */
export function reasonOf(text: string): string {
  const reason = safeText(text.trim(), MAX_REASON);
  if (reason !== '') return reason;
  throw new CodedError('REASON_MISSING', 'say why, in a few words: it is kept');
}
