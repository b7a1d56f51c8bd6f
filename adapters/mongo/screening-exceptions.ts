// An exception that was written into the database excuses nobody: asking and approving are sealed by the programs of operators.
// Good-guy exceptions in MongoDB: screening_exceptions { _id, token, source, entityId, entityHash, expiresAt, …, revoked }.
import type { Db } from 'mongodb';
import { isSamePerson } from '../../domain/four-eyes.ts';
import { isSealed, type KeyRing, sealOf } from '../../domain/seal.ts';
import { approvedParts, askedParts, type ScreeningException } from '../../processors/screening/exceptions.ts';
import type { ExceptionBook } from '../../processors/screening/ports.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { mongoFault } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

const EXCEPTIONS = 'screening_exceptions';

export interface StoredException extends ScreeningException {
  /** ms since 1970 */
  readonly grantedAt: number;
  /** Who let it through; without one it excuses nobody. */
  readonly approved: { readonly at: number; readonly by: string; readonly seal?: string } | null;
  /** Of the program through which it was asked for. */
  readonly seal?: string;
  readonly revoked: { readonly at: number; readonly by: string; readonly reason: string } | null;
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
  /** @throws CodedError EXCEPTION_UNKNOWN for one that does not exist or was revoked before */
  revoke(exceptionId: string, by: string, reason: string, now: number): Promise<void>;
  list(filter: { readonly token?: string; readonly limit: number }): Promise<readonly StoredException[]>;
}

type Stored = Omit<StoredException, 'exceptionId' | 'expiresAt' | 'grantedAt'> & {
  _id: string;
  expiresAt: Date;
  grantedAt: Date;
};

export interface ExceptionStoreOptions {
  /** Seals what operators ask for and approve. */
  readonly operators: KeyRing;
  /** Told of each exception that counts as approved and bears no seal: it excuses nobody. */
  readonly onIgnored?: (exceptionId: string) => void;
}

export function exceptionStore(db: Db, { operators, onIgnored }: ExceptionStoreOptions): ExceptionStore {
  const collection = db.collection<Stored>(EXCEPTIONS, MAJORITY);
  const guarded = <T>(run: Promise<T>): Promise<T> =>
    run.catch((error: unknown) => {
      throw mongoFault(error);
    });
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
      const found = (await guarded(collection.find(filter).toArray())).map(fromStore);
      return found.filter((exception) => {
        if (isApproved(operators, exception)) return true;
        onIgnored?.(exception.exceptionId);
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
      const found = await guarded(collection.findOne(waiting));
      if (found && isSamePerson(found.grantedBy, by)) {
        throw new CodedError(
          'SECOND_PERSON_NEEDED',
          `${found.grantedBy} asked for ${exceptionId}: another person must approve it (--by)`,
        );
      }
      if (found && !isAsked(operators, fromStore(found))) {
        throw new CodedError(
          'EXCEPTION_NOT_SEALED',
          `exception ${exceptionId} was not asked for through this program, or was changed in the database: ask for it anew`,
        );
      }
      const approved = found && {
        at: now,
        by,
        seal: sealOf(operators, 'exception', approvedParts(fromStore(found), by, now)),
      };
      // What is approved is what was found: the seal is over it.
      const result = approved && (await guarded(collection.updateOne(waiting, { $set: { approved } })));
      if (result?.matchedCount === 1) return;
      throw new CodedError(
        'EXCEPTION_UNKNOWN',
        `no exception ${exceptionId} waits for approval: see \`exceptions list\``,
      );
    },
    async revoke(exceptionId, by, reason, now) {
      const filter = { _id: exceptionId, revoked: null };
      const result = await guarded(collection.updateOne(filter, { $set: { revoked: { at: now, by, reason } } }));
      if (result.matchedCount === 1) return;
      throw new CodedError(
        'EXCEPTION_UNKNOWN',
        `there is no exception ${exceptionId} in force: see \`exceptions list\``,
      );
    },
    async list({ token, limit }) {
      const filter = token === undefined ? {} : { token };
      return (await guarded(collection.find(filter).sort({ grantedAt: -1 }).limit(limit).toArray())).map(fromStore);
    },
  };
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

const fromStore = ({ _id, expiresAt, grantedAt, approved, ...rest }: Stored): StoredException => ({
  exceptionId: _id,
  ...rest,
  // Those from before approval was asked for have none.
  approved: approved ?? null,
  expiresAt: expiresAt.getTime(),
  grantedAt: grantedAt.getTime(),
});
