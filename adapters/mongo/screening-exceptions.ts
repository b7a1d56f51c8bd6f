// An exception that was written into the database excuses nobody: asking and approving are sealed by the programs of operators.
// Good-guy exceptions in MongoDB: screening_exceptions { _id, token, source, entityId, entityHash, expiresAt, …, revoked }.
import type { Db } from 'mongodb';
import { isSamePerson } from '../../domain/four-eyes.ts';
import { isSealed, type KeyRing, sealOf } from '../../domain/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ScreeningExceptionRevoked } from '../../schemas/types.generated.ts';
import { approvedParts, askedParts, revokedParts, type ScreeningException } from '../../screening/exceptions.ts';
import type { ExceptionBook } from '../../screening/ports.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

export const EXCEPTIONS = 'screening_exceptions';

export interface StoredException extends ScreeningException {
  /** ms since 1970 */
  readonly grantedAt: number;
  /** Who let it through; without one it excuses nobody. */
  readonly approved: { readonly at: number; readonly by: string; readonly seal?: string } | null;
  /** Of the program through which it was asked for. */
  readonly seal?: string;
  /** Sealed or not, it ends the exception: nobody gains by writing one. */
  readonly revoked: {
    readonly at: number;
    readonly by: string;
    readonly reason: string;
    readonly seal?: string;
  } | null;
}

/** Exceptions as officers keep them. Nothing is ever deleted. */
export interface ExceptionStore extends ExceptionBook {
  ensureIndexes(): Promise<void>;
  /** Keeps an exception that counts for nothing until it is approved. @throws CodedError EXCEPTION_TAKEN: the id is in use */
  propose(exception: ScreeningException, now: number): Promise<void>;
  /**
   * Lets it through.
   * @throws CodedError SECOND_PERSON_NEEDED for whoever proposed it; EXCEPTION_UNKNOWN for one that does not wait for it;
   * EXCEPTION_NOT_SEALED for one that was not asked for through a program for operators, or was changed since
   */
  approve(exceptionId: string, by: string, now: number): Promise<void>;
  /**
   * Ends it: in the log first, which cannot be taken back, then here. In the log always: what the database says of it may
   * be a stranger's word, and gone tomorrow.
   * @throws CodedError EXCEPTION_UNKNOWN for one that the database does not have in force; it is in the log all the same
   */
  revoke(exceptionId: string, by: string, reason: string, now: number): Promise<void>;
  list(filter: { readonly token?: string; readonly limit: number }): Promise<readonly StoredException[]>;
}

type Stored = Omit<StoredException, 'exceptionId' | 'expiresAt' | 'grantedAt'> & {
  _id: string;
  expiresAt: Date;
  grantedAt: Date;
};

/** Revocations in the log. */
export interface Revocations {
  /** Those of these exceptions that the log has as revoked. */
  among(exceptionIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** For who revokes: resolves when it is in the log. */
  publish?(revoked: ScreeningExceptionRevoked): Promise<void>;
}

export interface ExceptionStoreOptions {
  /** Seals what operators ask for and approve. */
  readonly operators: KeyRing;
  /** Told of each exception that counts as approved and bears no seal, or was revoked by the log: it excuses nobody. */
  readonly onIgnored?: (exceptionId: string, code: 'EXCEPTION_NOT_SEALED' | 'EXCEPTION_UNREVOKED') => void;
  /** What the log says of revocations; without it, the database alone counts. Rejects when the log cannot be read. */
  readonly revocations?: Revocations;
}

export function exceptionStore(db: Db, { operators, onIgnored, revocations }: ExceptionStoreOptions): ExceptionStore {
  const collection = db.collection<Stored>(EXCEPTIONS, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, EXCEPTIONS, [
        { name: 'token', keys: { token: 1 }, servedQuery: 'the exceptions of the counterparties of a batch' },
      ]),
    async find(tokens, now) {
      if (tokens.length === 0) return [];
      const filter = {
        token: { $in: [...tokens] },
        approved: { $ne: null },
        revoked: null,
        expiresAt: { $gt: new Date(now) },
      };
      const documents = await guarded(() => collection.find(filter).toArray());
      const found = documents.flatMap((document) => readable(document, onIgnored));
      if (found.length === 0) return [];
      const revoked = await revocations?.among(found.map(({ exceptionId }) => exceptionId));
      return found.filter((exception) => {
        const { exceptionId } = exception;
        const isRevoked = revoked?.has(exceptionId) === true;
        if (isApproved(operators, exception) && !isRevoked) return true;
        onIgnored?.(exceptionId, isRevoked ? 'EXCEPTION_UNREVOKED' : 'EXCEPTION_NOT_SEALED');
        return false;
      });
    },
    async propose(exception, now) {
      const { exceptionId, expiresAt, ...rest } = exception;
      const document = {
        _id: exceptionId,
        ...rest,
        expiresAt: new Date(expiresAt),
        grantedAt: new Date(now),
        approved: null,
        revoked: null,
        seal: sealOf(operators, 'exception', askedParts(exception)),
      };
      const taken = await insertFree(collection as never, [document]);
      if (taken.size > 0) throw new CodedError('EXCEPTION_TAKEN', `there is an exception ${exceptionId} already`);
    },
    async approve(exceptionId, by, now) {
      const waiting = { _id: exceptionId, approved: null, revoked: null, expiresAt: { $gt: new Date(now) } };
      const found = await guarded(() => collection.findOne(waiting));
      if (found && isSamePerson(found.grantedBy, by)) {
        throw new CodedError(
          'SECOND_PERSON_NEEDED',
          `${found.grantedBy} asked for ${exceptionId}: another person must approve it (--by)`,
        );
      }
      if (found && !isAsked(operators, exceptionOf(found))) {
        throw new CodedError(
          'EXCEPTION_NOT_SEALED',
          `exception ${exceptionId} was not asked for through this program, or was changed in the database: ask for it anew`,
        );
      }
      const approved = found && {
        at: now,
        by,
        seal: sealOf(operators, 'exception', approvedParts(exceptionOf(found), by, now)),
      };
      // What is approved is what was found: the seal is over it.
      const result = approved && (await guarded(() => collection.updateOne(waiting, { $set: { approved } })));
      if (result?.matchedCount === 1) return;
      throw new CodedError(
        'EXCEPTION_UNKNOWN',
        `no exception ${exceptionId} waits for approval: see \`exceptions list\``,
      );
    },
    async revoke(exceptionId, by, reason, now) {
      const filter = { _id: exceptionId, revoked: null };
      await revocations?.publish?.({ exceptionId, revokedAt: now, revokedBy: by });
      const seal = sealOf(operators, 'exception', revokedParts(exceptionId, { at: now, by, reason }));
      const result = await guarded(() =>
        collection.updateOne(filter, { $set: { revoked: { at: now, by, reason, seal } } }),
      );
      if (result.matchedCount === 1) return;
      throw new CodedError(
        'EXCEPTION_UNKNOWN',
        revocations?.publish
          ? `exception ${exceptionId} is revoked in the log; the database has none in force: see \`exceptions list\``
          : `there is no exception ${exceptionId} in force: see \`exceptions list\``,
      );
    },
    async list({ token, limit }) {
      const filter = token === undefined ? {} : { token };
      return (await guarded(() => collection.find(filter).sort({ grantedAt: -1 }).limit(limit).toArray())).map(
        exceptionOf,
      );
    },
  };
}

/** One of a shape that was never written bears no seal. */
function readable(document: Stored, onIgnored: ExceptionStoreOptions['onIgnored']): readonly StoredException[] {
  try {
    return [exceptionOf(document)];
  } catch {
    onIgnored?.(String(document._id), 'EXCEPTION_NOT_SEALED');
    return [];
  }
}

const isAsked = (operators: KeyRing, exception: StoredException): boolean =>
  isSealed(operators, 'exception', askedParts(exception), exception.seal);

const isApproved = (operators: KeyRing, exception: StoredException): boolean => {
  const { approved } = exception;
  return (
    approved !== null &&
    isSealed(operators, 'exception', approvedParts(exception, approved.by, approved.at), approved.seal)
  );
};

export type ExceptionFlaw = 'EXCEPTION_NOT_SEALED' | 'REVOCATION_NOT_SEALED';

/** Why a stored exception is not what persons asked for, approved or revoked; undefined: it is. Never throws. */
export function flawOfException(operators: KeyRing, exception: StoredException): ExceptionFlaw | undefined {
  const { exceptionId, approved, revoked } = exception;
  try {
    if (!isAsked(operators, exception)) return 'EXCEPTION_NOT_SEALED';
    if (approved !== null && !isApproved(operators, exception)) return 'EXCEPTION_NOT_SEALED';
    if (revoked === null) return undefined;
    const isTrue = isSealed(operators, 'exception', revokedParts(exceptionId, revoked), revoked.seal);
    return isTrue ? undefined : 'REVOCATION_NOT_SEALED';
  } catch {
    // Of another shape than any that was ever written.
    return 'EXCEPTION_NOT_SEALED';
  }
}

export const exceptionOf = ({ _id, expiresAt, grantedAt, approved, ...rest }: Stored): StoredException => ({
  exceptionId: _id,
  ...rest,
  // Those from before approval was asked for have none.
  approved: approved ?? null,
  expiresAt: expiresAt.getTime(),
  grantedAt: grantedAt.getTime(),
});
