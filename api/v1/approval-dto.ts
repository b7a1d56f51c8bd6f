// An approval as it is told, and its ETag.
import { z } from 'zod';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { ACTS } from '../../operations/approvals/acts.ts';
import { APPROVAL_STATES, type Approval, isAsked } from '../../operations/approvals/approval.ts';
import { instant, instantOf } from './dto.ts';

export const approvalDto = z
  .object({
    approvalId: z.string(),
    act: z.enum(ACTS),
    subject: z.string().describe('Id of what is acted on.'),
    hash: z.string().describe('SHA-256 over all that is approved.'),
    summary: z.string().describe('What would be done, in numbers.'),
    lines: z
      .array(z.string())
      .nullable()
      .describe(
        'All that would be done, line by line: read it before you let it through. Null: in a list, or where customers are named; see what it is about.',
      ),
    state: z.enum(APPROVAL_STATES),
    isProven: z
      .boolean()
      .describe('False: it was not asked for through a program of operators, so nobody can approve it.'),
    askedBy: z.string(),
    askedAt: instant,
    reason: z.string(),
    expiresAt: instant.describe('Neither approved nor begun after this.'),
    decided: z
      .object({
        by: z.string(),
        at: instant,
        reason: z.string(),
        brokenGlass: z.string().nullable().describe('Under which one person let it through alone.'),
      })
      .nullable(),
    begunAt: instant.nullable().describe('From then on it is done, and neither withdrawn nor too late.'),
    ended: z
      .object({ at: instant, detail: z.string(), code: z.string().nullable() })
      .nullable()
      .describe('How it was withdrawn or expired, or what became of the act.'),
  })
  .meta({ id: 'Approval' });

/** @param lines as the handler of the act describes it; null: they are not told here */
export function approvalOf(
  approval: Approval,
  operators: KeyRing,
  lines: readonly string[] | null = null,
): z.output<typeof approvalDto> {
  const { _id: approvalId, act, subject, hash, summary, state, askedBy, reason, decided, ended } = approval;
  return {
    ...{ approvalId, act, subject, hash, summary, state, isProven: isAsked(operators, approval), askedBy, reason },
    lines: lines === null ? null : [...lines],
    ...{ askedAt: instantOf(approval.askedAt), expiresAt: instantOf(approval.expiresAt) },
    decided: decided && {
      ...{ by: decided.by, at: instantOf(decided.at), reason: decided.reason },
      brokenGlass: decided.glass ?? null,
    },
    begunAt: approval.begunAt ? instantOf(approval.begunAt) : null,
    ended: ended && { at: instantOf(ended.at), detail: ended.detail, code: ended.code ?? null },
  };
}

/** Whoever names it has seen this hash, in this state. */
export const approvalEtag = ({ state, hash }: Pick<Approval, 'state' | 'hash'>): string => `"${state}.${hash}"`;
