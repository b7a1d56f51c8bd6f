// Good-guy exceptions in MongoDB: screening_exceptions { _id, token, source, entityId, entityHash, expiresAt, …, revoked }.
import type { Db } from 'mongodb';
import type { ScreeningException } from '../../processors/screening/exceptions.ts';
import type { ExceptionBook } from '../../processors/screening/ports.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import { insertFree, MAJORITY } from './claims.ts';
import { mongoFault } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

const EXCEPTIONS = 'screening_exceptions';

export interface StoredException extends ScreeningException {
  /** ms since 1970 */
  readonly grantedAt: number;
  readonly revoked: { readonly at: number; readonly by: string; readonly reason: string } | null;
}

/** Exceptions as officers keep them. Nothing is ever deleted. */
export interface ExceptionStore extends ExceptionBook {
  ensureIndexes(): Promise<void>;
  /** @throws CodedError EXCEPTION_TAKEN when the id is in use */
  grant(exception: ScreeningException, now: number): Promise<void>;
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
      const filter = { token: { $in: [...tokens] }, revoked: null, expiresAt: { $gt: new Date(now) } };
      return (await guarded(collection.find(filter).toArray())).map(fromStore);
    },
    async grant({ exceptionId, expiresAt, ...rest }, now) {
      const document = {
        _id: exceptionId,
        ...rest,
        expiresAt: new Date(expiresAt),
        grantedAt: new Date(now),
        revoked: null,
      };
      const taken = await insertFree(collection as never, [document]);
      if (taken.size > 0) throw new CodedError('EXCEPTION_TAKEN', `there is an exception ${exceptionId} already`);
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

const fromStore = ({ _id, expiresAt, grantedAt, ...rest }: Stored): StoredException => ({
  exceptionId: _id,
  ...rest,
  expiresAt: expiresAt.getTime(),
  grantedAt: grantedAt.getTime(),
});
