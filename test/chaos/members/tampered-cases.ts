// Member: somebody who has the database changes open cases, their hashes and their decisions, to have Mallory paid.
//
// What must come of it: the transfer stays HELD. An altered case can be neither decided nor relayed; one whose hash was
// altered too is approved by the operator, who cannot know, and refused by the stage, whose seal is over another hash. How
// the judge knows: the books expect HELD, the provider must not have executed it, and verify must name it.
import type { Db } from 'mongodb';
import { CASES, type CaseStore } from '../../../adapters/mongo/cases.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { decideCase } from '../../../operations/cases/holds/cases.ts';
import { type HoldVerdict, sealedDecision } from '../../../operations/cases/holds/decide.ts';
import { contentHashOf } from '../../../processors/hold-content.ts';
import type { CaseDecision, CaseDocument } from '../../../sinks/cases/case.ts';
import { toMallory } from './forged-values.ts';

export const CASE_TAMPERINGS = [
  /** The content is changed; then a sealed approval is written past the command. */
  'TAMPER_CONTENT',
  /** The content and its hash are changed; the operator approves what is shown. */
  'TAMPER_HASH',
  /** An approval without a seal is written into the database. */
  'TAMPER_DECISION',
  /** The operator's rejection is turned into an approval. */
  'TAMPER_VERDICT',
] as const;
export type CaseTampering = (typeof CASE_TAMPERINGS)[number];

export const isTampering = (decision: string): decision is CaseTampering =>
  (CASE_TAMPERINGS as readonly string[]).includes(decision);

/** Codes by which verify may tell of a case that was tampered with. */
export const TOLD_OF_CASES =
  /^(CASE_DIFFERS|CASE_ALTERED|DECISION_DIFFERS|DECISION_NOT_SEALED|DECISION_NOT_IN_LOG|HOLD_HASH_WRONG|HOLD_NOT_SEALED)$/;

export interface CaseTools {
  readonly db: Db;
  readonly store: CaseStore;
  readonly operators: KeyRing;
}

/** Tampers with an open case. Run again after a fault half-way, it does the same. @throws when the guard of a command gives way */
export async function tamper(tools: CaseTools, how: CaseTampering, open: CaseDocument): Promise<void> {
  const { db, store, operators } = tools;
  const set = (fields: object) => db.collection<{ _id: string }>(CASES).updateOne({ _id: open._id }, { $set: fields });
  const decided = (decision: 'APPROVE' | 'REJECT'): CaseDecision =>
    sealedDecision(
      operators,
      { holdId: open._id, evidenceHash: open.evidenceHash },
      { decision, decidedBy: 'mallory', decidedAt: new Date(), justification: 'Pay him.' },
    );
  const writtenAs = (decision: CaseDecision) => set({ state: 'DECIDED', decision, commandPending: true });
  const held = toMallory(open.held);
  switch (how) {
    case 'TAMPER_CONTENT':
      await set({ held });
      await refusedAsAltered(tools, approvalOf(open));
      await writtenAs(decided('APPROVE'));
      return;
    case 'TAMPER_HASH': {
      const evidenceHash = contentHashOf(held);
      await set({ held: { ...held, hold: { ...held.hold, evidenceHash } }, evidenceHash });
      await decideCase(store, approvalOf({ ...open, evidenceHash }), operators);
      return;
    }
    case 'TAMPER_DECISION':
      await writtenAs({ ...decided('APPROVE'), seal: null });
      return;
    case 'TAMPER_VERDICT':
      await writtenAs({ ...decided('REJECT'), decision: 'APPROVE' });
  }
}

const approvalOf = ({ _id, evidenceHash }: CaseDocument): HoldVerdict => ({
  holdId: _id,
  evidenceHash,
  decision: 'APPROVE',
  by: 'mallory',
  reason: 'Pay him.',
  at: new Date(),
});

async function refusedAsAltered({ store, operators }: CaseTools, verdict: HoldVerdict): Promise<void> {
  try {
    await decideCase(store, verdict, operators);
  } catch (error) {
    if ((error as { code?: string }).code === 'CASE_ALTERED') return;
    throw error;
  }
  throw new GuardGone(`case ${verdict.holdId} was altered in the database, and could be decided`);
}

/** What must be impossible was done. */
export class GuardGone extends Error {}
