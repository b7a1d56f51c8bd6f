// Good-guy exceptions in MongoDB: screening_exceptions { _id, token, source, entityId, entityHash, expiresAt, …, revoked }.
import type { Db } from 'mongodb';
import { isSamePerson } from '../../domain/four-eyes.ts';
import type { ScreeningException } from '../../processors/screening/exceptions.ts';
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
  readonly approved: { readonly at: number; readonly by: string } | null;
  readonly revoked: { readonly at: number; readonly by: string; readonly reason: string } | null;
}

/** Exceptions as officers keep them. Nothing is ever deleted. */
export interface ExceptionStore extends ExceptionBook {
  ensureIndexes(): Promise<void>;
  /** Keeps an exception that counts for nothing until it is approved. @throws CodedError EXCEPTION_TAKEN: the id is in use */
  propose(exception: ScreeningException, now: number): Promise<void>;
  /**
   * Lets it through.
   * @throws CodedError SECOND_PERSON_NEEDED for whoever proposed it; EXCEPTION_UNKNOWN for one that does not wait for it
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

export function exceptionStore(db: Db): ExceptionStore {
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
      return (await guarded(collection.find(filter).toArray())).map(fromStore);
    },
    async propose({ exceptionId, expiresAt, ...rest }, now) {
      const document = {
        _id: exceptionId,
        ...rest,
        expiresAt: new Date(expiresAt),
        grantedAt: new Date(now),
        approved: null,
        revoked: null,
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
      // Who asked for it never changes.
      const result = found && (await guarded(collection.updateOne(waiting, { $set: { approved: { at: now, by } } })));
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

const fromStore = ({ _id, expiresAt, grantedAt, approved, ...rest }: Stored): StoredException => ({
  exceptionId: _id,
  ...rest,
  // Those from before approval was asked for have none.
  approved: approved ?? null,
  expiresAt: expiresAt.getTime(),
  grantedAt: grantedAt.getTime(),
});
