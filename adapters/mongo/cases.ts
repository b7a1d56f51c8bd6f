// Cases in MongoDB: listed, shown, decided once, and relayed as commands.
import { Binary, type Db, type Document, type Filter } from 'mongodb';
import { HOLD_EXPIRY } from '../../domain/identities.ts';
import { CodedError } from '../../ports/fault.ts';
import { type CaseDecision, type CaseDocument, type CaseState, indexes } from '../../sinks/cases/case.ts';
import { checkWhole } from '../../sinks/cases/check.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { HOLD_CLAIMS } from './hold-claims.ts';
import { ensureIndexes } from './idempotent-store.ts';

export const CASES = 'cases';

/** Cases as operators and the relay use them. Every method throws a coded error when MongoDB cannot be asked. */
export interface CaseStore {
  ensureIndexes(): Promise<void>;
  list(filter: { readonly state?: CaseState; readonly limit: number }): Promise<readonly CaseDocument[]>;
  find(holdId: string): Promise<CaseDocument | undefined>;
  /**
   * Decides an open case whose evidence is what the operator saw. Decision and expiry compete: one compare-and-set wins.
   * Throws CASE_UNKNOWN, CASE_NOT_OPEN, EVIDENCE_CHANGED, HOLD_LAPSED, or CASE_ALTERED when the case in the database is
   * not what is held.
   */
  decide(holdId: string, evidenceHash: string, decision: CaseDecision): Promise<CaseDocument>;
  /** Rejects the open cases that lapsed before `now`; returns how many. */
  expire(now: Date): Promise<number>;
  /** Decided cases whose command is not known to be in the log, oldest first. */
  pending(limit: number): Promise<readonly CaseDocument[]>;
  /** Whether a stage has honoured a decision on this hold. */
  isResumed(holdId: string): Promise<boolean>;
  /**
   * Writes a case as it was opened, and keeps who had it written, why, and what stood there.
   * @param read what it is written instead of; undefined: nothing
   * @throws CodedError CASE_MOVED when it was decided, or written, since it was read
   */
  restore(document: CaseDocument, act: RestoringAct, read: CaseDocument | undefined): Promise<void>;
  /** The commands of these holds are in the log. */
  markPublished(holdIds: readonly string[]): Promise<void>;
}

export interface RestoringAct {
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/** Who had cases written again: only ever added to. */
const RESTORATIONS = 'case_restorations';

const EXPIRY: Omit<CaseDecision, 'decidedAt'> = {
  decision: 'REJECT',
  decidedBy: HOLD_EXPIRY,
  justification: 'Nobody decided before the hold lapsed.',
  seal: null,
};

export function caseStore(db: Db): CaseStore {
  const cases = db.collection<Document & { _id: string }>(CASES, MAJORITY);
  // Minor units come back as bigints, as they went in; other numbers are ints and doubles already.
  const read = { useBigInt64: true } as const;

  async function find(holdId: string): Promise<CaseDocument | undefined> {
    const found = await guarded(() => cases.findOne({ _id: holdId }, read));
    return found ? fromStore(found) : undefined;
  }

  async function many(filter: Filter<Document & { _id: string }>, sort: Document, limit: number) {
    const found = await guarded(() => cases.find(filter, read).sort(sort).limit(limit).toArray());
    return found.map(fromStore);
  }

  return {
    ensureIndexes: () => ensureIndexes(db, CASES, indexes),
    list: ({ state, limit }) => many(state ? { state } : {}, { openedAt: 1 }, limit),
    find,
    async decide(holdId, evidenceHash, decision) {
      const asked = await find(holdId);
      if (asked) checkWhole(asked);
      const decided = await guarded(() =>
        cases.findOneAndUpdate(
          { _id: holdId, state: 'OPEN', evidenceHash, expiresAt: { $gt: decision.decidedAt } },
          { $set: { state: 'DECIDED', decision, commandPending: true } },
          { returnDocument: 'after', ...read },
        ),
      );
      if (decided) return fromStore(decided);
      throw await refusal(holdId, evidenceHash, find);
    },
    async expire(now) {
      const result = await guarded(() =>
        cases.updateMany(
          { state: 'OPEN', expiresAt: { $lt: now } },
          { $set: { state: 'EXPIRED', decision: { ...EXPIRY, decidedAt: now }, commandPending: true } },
        ),
      );
      return result.modifiedCount;
    },
    isResumed: async (holdId) =>
      (await guarded(() => db.collection<{ _id: string }>(HOLD_CLAIMS, MAJORITY).countDocuments({ _id: holdId }))) > 0,
    async restore(document, act, found) {
      const { _id: holdId, transferId } = document;
      const before = await guarded(() => cases.findOne({ _id: holdId }));
      // First who does it and what stood there: nothing is overwritten that nobody knows of.
      await guarded(() => db.collection(RESTORATIONS, MAJORITY).insertOne({ holdId, transferId, ...act, before }));
      const same = { _id: holdId, state: { $eq: found?.state ?? null }, decision: { $eq: found?.decision ?? null } };
      const isWritten = found
        ? (await guarded(() => cases.replaceOne(same as never, document))).matchedCount === 1
        : (await insertFree(cases as never, [document])).size === 0;
      if (isWritten) return;
      throw new CodedError('CASE_MOVED', `case ${holdId} was decided or written meanwhile: look at it, then try again`);
    },
    pending: (limit) => many({ commandPending: true }, { openedAt: 1 }, limit),
    async markPublished(holdIds) {
      if (holdIds.length === 0) return;
      await guarded(() => cases.updateMany({ _id: { $in: [...holdIds] } }, { $set: { commandPending: false } }));
    },
  };
}

async function refusal(
  holdId: string,
  evidenceHash: string,
  find: (holdId: string) => Promise<CaseDocument | undefined>,
): Promise<CodedError> {
  const found = await find(holdId);
  const refuse = (code: string, message: string) => new CodedError(code, message, { faultClass: 'poison' });
  if (!found) return refuse('CASE_UNKNOWN', `there is no case ${holdId}: see \`corridor cases list\``);
  if (found.state !== 'OPEN') {
    const by = found.decision ? `${found.decision.decision} by ${found.decision.decidedBy}` : found.state;
    return refuse('CASE_NOT_OPEN', `case ${holdId} is already decided: ${by}`);
  }
  if (found.evidenceHash === evidenceHash) {
    return refuse(
      'HOLD_LAPSED',
      `case ${holdId} lapsed at ${found.expiresAt.toISOString()}: it is too late to decide it`,
    );
  }
  return refuse(
    'EVIDENCE_CHANGED',
    `case ${holdId} holds other evidence (${found.evidenceHash}) than was decided on (${evidenceHash}): look at it again`,
  );
}

/** BSON binaries as buffers, at any depth: sealed parties are bytes. */
function fromStore(document: Document): CaseDocument {
  return withBuffers(document) as CaseDocument;
}

function withBuffers(value: unknown): unknown {
  if (value instanceof Binary) return Buffer.from(value.buffer);
  if (Array.isArray(value)) return value.map(withBuffers);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBuffers(inner)]));
}
