// What the MongoDB driver throws, as coded errors: routed by error class, label and server code, never by message.
//
// An error that nobody knows is the dependency's, and the partition waits for it. A record is condemned only by what a server can
// say of a document alone, and only when nothing else went wrong in the same bulk.
import { BSON, MongoBulkWriteError, MongoError, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { safeText } from '../../domain/text/text.ts';
import { CodedError, codeAndDetail, dependencyDown, isCoded, thrownText } from '../../ports/fault.ts';
import { COMMAND_REFUSED, DENIED, DOCUMENT_REFUSED, PASSING } from './server-codes.ts';

/** Longest text of a server that is passed on, characters. */
const MAX_TEXT = 160;
/** The driver's and the server's own word that it passes, whatever the code says. */
const PASSING_LABELS = [
  'RetryableWriteError',
  'RetryableError',
  'SystemOverloadedError',
  'TransientTransactionError',
  'UnknownTransactionCommitResult',
  'NoWritesPerformed',
  'ResumableChangeStreamError',
  'ResetPool',
  'PoolRequestedRetry',
  'InterruptInUseConnections',
] as const;

type Judged = { readonly kind: 'document' | 'denied' | 'refused' | 'passing'; readonly detail: string };

/**
 * Runs a call of the driver, and only that: rejects with a coded error, whatever the driver throws. What is our own (making
 * a document, reading one) stays outside, so that a mistake of ours never passes for an outage that lasts for ever.
 */
export async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw mongoFault(error);
  }
}

/**
 * Wraps what a call of the driver threw, whatever it is. A coded error passes through. What is neither of the driver nor of
 * a socket is MONGO_UNKNOWN, and the partition waits: the driver met something that nobody foresaw.
 */
export function mongoFault(error: unknown): CodedError {
  if (isCoded(error)) return error;
  try {
    if (isForeign(error)) return judgedFault(error);
  } catch {
    // Of a shape that cannot even be looked at.
  }
  // Without its text, which nobody knows: it may quote the document.
  return dependencyDown('mongo', 'MONGO_UNKNOWN', new Error(codeAndDetail(error).detail, { cause: error }));
}

function judgedFault(error: Error): CodedError {
  const judged = judgedErrors(error);
  // The gravest for the dependency speaks for all: one write that may come through later means that the bulk runs again.
  const worst = ['passing', 'refused', 'denied', 'document'] as const;
  const first = worst.map((kind) => judged.find((part) => part.kind === kind)).find((part) => part !== undefined)!;
  return coded(first, error);
}

function coded({ kind, detail }: Judged, cause: unknown): CodedError {
  const of = { dependency: 'mongo', cause } as const;
  switch (kind) {
    case 'passing':
      return new CodedError('MONGO_UNAVAILABLE', `mongo is unavailable: ${detail}`, {
        faultClass: 'transient-dependency',
        ...of,
      });
    case 'refused':
      return new CodedError('MONGO_REFUSED', `mongo refuses a command, whatever the record: ${detail}`, {
        faultClass: 'transient-dependency',
        ...of,
      });
    case 'denied':
      return new CodedError('MONGO_UNAUTHORISED', `mongo does not let us in: ${detail}`, {
        faultClass: 'fatal',
        ...of,
      });
    case 'document':
      return new CodedError('MONGO_DOCUMENT_REFUSED', `mongo refuses the document: ${detail}`, {
        faultClass: 'poison',
        ...of,
      });
  }
}

/** Whether it comes from the driver, its BSON library, or a socket that the driver did not wrap. */
function isForeign(error: unknown): error is Error {
  return error instanceof MongoError || error instanceof BSON.BSONError || isSocketError(error);
}

/** All that went wrong: a bulk shows its first refused write in front of the others. At least one. */
function judgedErrors(error: Error): readonly Judged[] {
  if (PASSING_LABELS.some((label) => error instanceof MongoError && error.hasErrorLabel(label))) {
    return [{ kind: 'passing', detail: tell(error) }];
  }
  if (error instanceof MongoBulkWriteError) return judgedBulk(error);
  if (error instanceof MongoWriteConcernError) return [{ kind: 'passing', detail: tell(error) }];
  if (error instanceof MongoServerError) return [judgedCode(error.code, tell(error))];
  // A pool without a connection, a closed client, a reply that cannot be read: the way to the server.
  return [{ kind: 'passing', detail: tell(error) }];
}

function judgedBulk(error: MongoBulkWriteError): readonly Judged[] {
  // A cut connection in the middle of a bulk comes wrapped as if the server had refused something.
  if (error.errorResponse instanceof Error) return judgedErrors(error.errorResponse);
  const writeErrors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  const parts = writeErrors.map(({ code }) => judgedCode(code, `code ${code}`));
  const concern = error.result?.getWriteConcernError();
  if (concern !== undefined)
    parts.push({ kind: 'passing', detail: `a majority did not acknowledge, code ${concern.code}` });
  return parts.length > 0 ? parts : [judgedCode(error.code, tell(error))];
}

function judgedCode(code: unknown, text: string): Judged {
  if (typeof code !== 'number') return { kind: 'passing', detail: text };
  const known = PASSING.get(code);
  if (known !== undefined) return { kind: 'passing', detail: `${known} (${code})` };
  const document = DOCUMENT_REFUSED.get(code);
  // Without the text, which quotes the document.
  if (document !== undefined) return { kind: 'document', detail: `${document} (${code})` };
  const denied = DENIED.get(code);
  if (denied !== undefined) return { kind: 'denied', detail: `${denied} (${code})` };
  const refused = COMMAND_REFUSED.get(code);
  return { kind: 'refused', detail: refused === undefined ? text : `${refused} (${code})` };
}

function tell(error: Error): string {
  const { code, codeName } = error as { readonly code?: unknown; readonly codeName?: unknown };
  const name = typeof codeName === 'string' ? codeName : error.name;
  return safeText(`${name}${code === undefined ? '' : ` (${String(code)})`}: ${thrownText(error)}`, MAX_TEXT);
}

/** A write to a socket that is closing fails with the bare error of Node: the driver does not wrap it. */
function isSocketError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^(E[A-Z]+|ERR_(STREAM|SOCKET|SSL|TLS)_[A-Z_]+)$/.test(code);
}
