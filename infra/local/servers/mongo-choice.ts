// Which MongoDB is run as a plain process. Pure.
import { StackError } from '../fault.ts';

export interface MongoFindings {
  /** Set by CORRIDOR_MONGOD. */
  readonly named: string | null;
  readonly onPath: string | null;
  /** What made the data that are here; null: there are none. The two do not read each other's files. */
  readonly data: 'genuine' | 'stand-in' | null;
  /** CORRIDOR_MONGOD_DOWNLOAD. */
  readonly mayDownload: boolean;
}

export type MongoChoice =
  | { readonly kind: 'genuine'; readonly file: string }
  /** A genuine one, if it is there or comes; else what `withoutDownload` says. */
  | { readonly kind: 'download' }
  | { readonly kind: 'stand-in'; readonly why: string };

/**
 * A genuine server wherever there can be one; but what the data were made with goes on.
 * @throws StackError NO_BINARY
 */
export function chooseMongo(found: MongoFindings): MongoChoice {
  const { named, onPath, data, mayDownload } = found;
  if (named) return { kind: 'genuine', file: named };
  if (data === 'stand-in') return { kind: 'stand-in', why: 'it made the data that are here' };
  if (onPath) return { kind: 'genuine', file: onPath };
  return mayDownload
    ? { kind: 'download' }
    : withoutDownload(found, 'CORRIDOR_MONGOD_DOWNLOAD forbids to fetch a mongod');
}

/** What is run when a genuine one does not come. @throws StackError NO_BINARY: the data here are of one */
export function withoutDownload({ data }: Pick<MongoFindings, 'data'>, why: string): MongoChoice {
  if (data !== 'genuine') return { kind: 'stand-in', why };
  throw new StackError(
    'NO_BINARY',
    'The data here are those of a genuine MongoDB, and there is none to run.',
    'Put a mongod on the PATH, set CORRIDOR_MONGOD to one, or allow the download; `npm run corridor -- down --wipe` removes the data.',
  );
}
