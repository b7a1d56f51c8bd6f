// What the MongoDB driver throws, as coded errors: routed by error class and server code, never by message.
import {
  BSON,
  MongoAPIError,
  MongoBulkWriteError,
  MongoDriverError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { CodedError, dependencyDown } from '../../runtime/ports/fault.ts';

/** Server codes that pass by themselves: elections, shutdown, time-outs, not primary, write conflicts. */
const TRANSIENT_CODES = new Set([6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436]);
const UNAUTHORISED_CODES = new Set([13, 18, 8000]);

/** Wraps an error of the driver; a coded error passes through. */
export function mongoFault(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  // A cut connection in the middle of a bulk comes wrapped as if the server had refused something.
  if (error instanceof MongoBulkWriteError && error.errorResponse instanceof Error) {
    return mongoFault(error.errorResponse);
  }
  if (isOutage(error)) return dependencyDown('mongo', 'MONGO_UNAVAILABLE', error);
  const code = serverCode(error);
  if (code !== undefined && TRANSIENT_CODES.has(code)) return dependencyDown('mongo', 'MONGO_UNAVAILABLE', error);
  const faultClass = code !== undefined && UNAUTHORISED_CODES.has(code) ? 'fatal' : 'poison';
  const detail = error instanceof Error ? error.message : String(error);
  return new CodedError(faultClass === 'fatal' ? 'MONGO_UNAUTHORISED' : 'MONGO_REFUSED', `MongoDB refused: ${detail}`, {
    faultClass,
    dependency: 'mongo',
    cause: error,
  });
}

function isOutage(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoWriteConcernError ||
    // A bulk shows its first refused write, such as a duplicate, in front of what a majority did not acknowledge.
    (error instanceof MongoBulkWriteError && error.result?.getWriteConcernError() !== undefined) ||
    // A pool that gives no connection in time, a reply that cannot be read: the way to the server, not our request.
    (error instanceof MongoDriverError && !(error instanceof MongoAPIError)) ||
    error instanceof BSON.BSONOffsetError ||
    isSocketError(error) ||
    (error instanceof MongoServerError && error.hasErrorLabel('RetryableWriteError'))
  );
}

/** A write to a socket that is closing fails with the bare error of Node: the driver does not wrap it. */
function isSocketError(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return error instanceof Error && typeof code === 'string' && /^(E[A-Z]+|ERR_(STREAM|SOCKET)_[A-Z_]+)$/.test(code);
}

function serverCode(error: unknown): number | undefined {
  if (error instanceof MongoBulkWriteError || error instanceof MongoServerError) {
    return typeof error.code === 'number' ? error.code : undefined;
  }
  return undefined;
}
