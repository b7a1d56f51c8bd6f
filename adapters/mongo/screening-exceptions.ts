// Good-guy exceptions in MongoDB: screening_exceptions { _id, token, source, entityId, entityHash, expiresAt, …, revoked }.
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { isApproved, type StoredException } from '../../operations/exceptions/exception.ts';
import type { Exceptions, PublishRevocation } from '../../operations/exceptions/ports.ts';
import type { ExceptionBook } from '../../screening/ports.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { primaryClock } from './primary-clock.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const EXCEPTIONS = 'screening_exceptions';

/** Exceptions as officers keep them. Nothing is ever deleted. */
export interface ExceptionStore extends ExceptionBook, Exceptions {
  ensureIndexes(): Promise<void>;
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
  readonly publish?: PublishRevocation;
}

export interface ExceptionStoreOptions {
  /** Seals what operators ask for and approve. */
  readonly operators: KeyRing;
  /** Called with each exception that counts as approved and bears no seal, or was revoked by the log: it excuses nobody. */
  readonly onIgnored?: (exceptionId: string, code: 'EXCEPTION_NOT_SEALED' | 'EXCEPTION_UNREVOKED') => void;
  /** What the log says of revocations; without it, the database alone counts. Rejects when the log cannot be read. */
  readonly revocations?: Revocations;
  /** Of the primary, unless a test has its own: an exception ends by that, whatever the clock of the process says. */
  readonly clock?: () => Promise<Date>;
}

export function exceptionStore(
  db: Db,
  { operators, onIgnored, revocations, clock = primaryClock(db) }: ExceptionStoreOptions,
): ExceptionStore {
  const collection = db.collection<Stored>(EXCEPTIONS, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, EXCEPTIONS, [
        { name: 'token', keys: { token: 1 }, servedQuery: 'the exceptions of the counterparties of a batch' },
      ]),
    clock: () => clock(),
    async find(tokens) {
      if (tokens.length === 0) return [];
      const filter = { token: { $in: [...tokens] }, approved: { $ne: null }, revoked: null };
      // At once: one wait for a batch. Those that are over are few, and were the answer for their counterparty before.
      const [now, documents] = await Promise.all([clock(), guarded(() => collection.find(filter).toArray())]);
      const found = documents
        .flatMap((document) => readable(document, onIgnored))
        .filter(({ expiresAt }) => expiresAt > now.getTime());
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
    async insert({ exceptionId, expiresAt, grantedAt, ...rest }) {
      const dates = { expiresAt: new Date(expiresAt), grantedAt: new Date(grantedAt) };
      const taken = await insertFree(collection as never, [{ _id: exceptionId, ...rest, ...dates, ...STAMP }]);
      return taken.size === 0;
    },
    async waiting(exceptionId, now) {
      const found = await guarded(() => collection.findOne(waitingAt(exceptionId, now)));
      return found ? exceptionOf(found as Stored) : undefined;
    },
    async approve(exceptionId, approved) {
      const waiting = waitingAt(exceptionId, approved.at);
      const result = await guarded(() => collection.updateOne(waiting, { $set: { approved } }));
      return result.matchedCount === 1;
    },
    async revoke(exceptionId, revoked) {
      const inForce = { _id: exceptionId, revoked: null };
      return (await guarded(() => collection.updateOne(inForce, { $set: { revoked } }))).matchedCount === 1;
    },
    async list({ token, limit }) {
      const filter = token === undefined ? {} : { token };
      return (await guarded(() => collection.find(filter).sort({ grantedAt: -1 }).limit(limit).toArray())).map(
        exceptionOf,
      );
    },
  };
}

const waitingAt = (exceptionId: string, now: number) => ({
  _id: exceptionId,
  approved: null,
  revoked: null,
  expiresAt: { $gt: new Date(now) },
});

/** One of a shape that was never written bears no seal. */
function readable(document: Stored, onIgnored: ExceptionStoreOptions['onIgnored']): readonly StoredException[] {
  try {
    return [exceptionOf(document)];
  } catch {
    onIgnored?.(String(document._id), 'EXCEPTION_NOT_SEALED');
    return [];
  }
}

export const exceptionOf = ({ _id, expiresAt, grantedAt, approved, ...rest }: Stored): StoredException => ({
  exceptionId: _id,
  ...unstamped(rest),
  // Those from before approval was asked for have none.
  approved: approved ?? null,
  expiresAt: expiresAt.getTime(),
  grantedAt: grantedAt.getTime(),
});
