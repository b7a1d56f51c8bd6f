// An act that is risky is asked for by one person and let through by another: what stands in the store, and whether it is
// what they asked for and approved. One that was written into the database lets nothing through: both are sealed by the
// programs of operators. Pure.
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { isSamePerson } from '../four-eyes/second-person.ts';
import { type Act, hashOfAct } from './acts.ts';

/**
 * WAITING: asked for. APPROVED: another person let it through; not done yet. EXECUTED, FAILED: what became of it. The others:
 * nothing was done, and nothing will be.
 */
export const APPROVAL_STATES = [
  ...(['WAITING', 'APPROVED', 'REFUSED', 'WITHDRAWN', 'EXPIRED', 'EXECUTED', 'FAILED'] as const),
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** What may follow each state. WITHDRAWN and EXPIRED follow APPROVED only while the act has not begun. */
export const NEXT_STATES: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  WAITING: ['APPROVED', 'REFUSED', 'WITHDRAWN', 'EXPIRED'],
  APPROVED: ['EXECUTED', 'FAILED', 'WITHDRAWN', 'EXPIRED'],
  REFUSED: [],
  WITHDRAWN: [],
  EXPIRED: [],
  EXECUTED: [],
  FAILED: [],
};

export interface Approval {
  readonly _id: string;
  readonly act: Act;
  /** Id of what is acted on. */
  readonly subject: string;
  /** SHA-256 over all that is approved, in hexadecimal. Another hash is another approval. */
  readonly hash: string;
  /** What would be done, in numbers, for the person who approves. */
  readonly summary: string;
  /** What is to be done, as JSON, where nothing else holds it: the hash is over it. Absent: the subject holds it. */
  readonly content?: string | null;
  readonly state: ApprovalState;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly reason: string;
  /** Not to be approved, and not to be begun, after this. */
  readonly expiresAt: Date;
  readonly askedSeal: string;
  readonly decided: {
    readonly by: string;
    readonly at: Date;
    readonly reason: string;
    readonly seal: string;
    /** The broken glass under which one person let through what they had asked for. */
    readonly glass?: string;
  } | null;
  /** When the act was begun: from then on it is done, and neither withdrawn nor too late. Absent: it was not. */
  readonly begunAt?: Date | null;
  /** How it ended without being decided, or what became of the act; null: neither yet. */
  readonly ended: { readonly at: Date; readonly detail: string; readonly code?: string } | null;
}

type Asked = Pick<
  Approval,
  '_id' | 'act' | 'subject' | 'hash' | 'summary' | 'askedBy' | 'askedAt' | 'reason' | 'expiresAt'
>;

/** All that who approves is shown: whoever could change the summary alone would have something else let through. */
const askedContent = ({ _id, act, subject, hash, summary, askedBy, askedAt, reason, expiresAt }: Asked) => [
  ...['asked', _id, act, subject, hash, summary, askedBy, reason],
  ...[askedAt, expiresAt].map((at) => String(at.getTime())),
];

type Deciding = Omit<NonNullable<Approval['decided']>, 'seal'>;

const decidedContent = (asked: Asked, verdict: Verdict, { by, at, reason, glass }: Deciding): readonly string[] => [
  ...[verdict, ...askedContent(asked), by, String(at.getTime()), reason],
  ...(glass === undefined ? [] : ['glass', glass]),
];

export type Verdict = 'APPROVED' | 'REFUSED';

export const askedSeal = (operators: KeyRing, asked: Asked): string =>
  sealOf(operators, 'approval', askedContent(asked));

export const decidedSeal = (operators: KeyRing, asked: Asked, verdict: Verdict, deciding: Deciding): string =>
  sealOf(operators, 'approval', decidedContent(asked, verdict, deciding));

/** Whether a program of operators asked for exactly this. Never throws: what was written into the database may be of any shape. */
export const isAsked = (operators: KeyRing, approval: Approval): boolean =>
  neverThrows(() => isSealed(operators, 'approval', askedContent(approval), approval.askedSeal));

function neverThrows(isSo: () => boolean): boolean {
  try {
    return isSo();
  } catch {
    return false;
  }
}

export interface Wanted {
  readonly act: Act;
  readonly subject: string;
  readonly hash: string;
}

/**
 * Whether two persons let exactly this through, before it expired, or one under a glass that was broken. Whatever its state
 * says: seals alone count.
 */
export const isApproved = (operators: KeyRing, approval: Approval, wanted: Wanted): boolean =>
  neverThrows(() => isLetThrough(operators, approval, wanted));

function isLetThrough(operators: KeyRing, approval: Approval, { act, subject, hash }: Wanted): boolean {
  const { decided } = approval;
  if (approval.act !== act || approval.subject !== subject || approval.hash !== hash) return false;
  if (!decided || !isAsked(operators, approval)) return false;
  if (decided.glass === undefined && isSamePerson(approval.askedBy, decided.by)) return false;
  if (decided.at.getTime() >= approval.expiresAt.getTime()) return false;
  return isSealed(operators, 'approval', decidedContent(approval, 'APPROVED', decided), decided.seal);
}

/** The same for an act whose approval carries what is to be done: that it is what the hash is over is looked at too. */
export function isContentApproved(operators: KeyRing, approval: Approval): approval is Approval & { content: string } {
  const { act, subject, content } = approval;
  if (typeof content !== 'string') return false;
  return isApproved(operators, approval, { act, subject, hash: hashOfAct(act, subject, content) });
}
