// An act that is risky is asked for by one person and let through by another: what stands in the store, and whether it is
// what they asked for and approved. One that was written into the database lets nothing through: both are sealed by the
// programs of operators. Pure.
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { isSamePerson } from '../four-eyes/second-person.ts';

/** Acts that need a second person. A name is part of what is sealed: never change one. */
export const ACTS = ['dead-letters.replay', 'dead-letters.discard'] as const;
export type Act = (typeof ACTS)[number];

export const APPROVAL_STATES = ['WAITING', 'APPROVED', 'REFUSED', 'WITHDRAWN', 'EXPIRED'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export interface Approval {
  readonly _id: string;
  readonly act: Act;
  /** Id of what is acted on. */
  readonly subject: string;
  /** SHA-256 over all that is approved, in hexadecimal. Another hash is another approval. */
  readonly hash: string;
  /** What would be done, in numbers, for the person who approves. */
  readonly summary: string;
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
  } | null;
  /** How it was withdrawn or expired; null: it was not. What became of the act stands at what was acted on. */
  readonly ended: { readonly at: Date; readonly detail: string } | null;
}

type Asked = Pick<Approval, '_id' | 'act' | 'subject' | 'hash' | 'askedBy' | 'askedAt' | 'expiresAt'>;

const askedParts = ({ _id, act, subject, hash, askedBy, askedAt, expiresAt }: Asked): readonly string[] => [
  ...['asked', _id, act, subject, hash, askedBy],
  ...[askedAt, expiresAt].map((at) => String(at.getTime())),
];

const decidedParts = (asked: Asked, verdict: Verdict, by: string, at: Date): readonly string[] => [
  ...[verdict, ...askedParts(asked), by, String(at.getTime())],
];

export type Verdict = 'APPROVED' | 'REFUSED';

export const askedSeal = (operators: KeyRing, asked: Asked): string => sealOf(operators, 'approval', askedParts(asked));

export const decidedSeal = (operators: KeyRing, asked: Asked, verdict: Verdict, by: string, at: Date): string =>
  sealOf(operators, 'approval', decidedParts(asked, verdict, by, at));

/** Whether a program of operators asked for exactly this. */
export const isAsked = (operators: KeyRing, approval: Approval): boolean =>
  isSealed(operators, 'approval', askedParts(approval), approval.askedSeal);

export interface Wanted {
  readonly act: Act;
  readonly subject: string;
  readonly hash: string;
}

/** Whether two persons let exactly this through, before it expired. Whatever its state says: seals alone count. */
export function isApproved(operators: KeyRing, approval: Approval, { act, subject, hash }: Wanted): boolean {
  const { decided } = approval;
  if (approval.act !== act || approval.subject !== subject || approval.hash !== hash) return false;
  if (decided === null || !isAsked(operators, approval)) return false;
  if (isSamePerson(approval.askedBy, decided.by)) return false;
  if (decided.at.getTime() >= approval.expiresAt.getTime()) return false;
  return isSealed(operators, 'approval', decidedParts(approval, 'APPROVED', decided.by, decided.at), decided.seal);
}
