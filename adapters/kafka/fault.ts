// What kafkajs throws, as stable codes.
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, isCoded, thrownText } from '../../ports/fault.ts';
import type { ConsumerFault } from '../../ports/log.ts';

/** What to do about an error of the client. */
export type Verdict =
  /** Passes by itself: back off and go on with fresh connections. */
  | 'transient'
  /** Somebody else holds this transactional id, or the broker ended the transaction. */
  | 'fenced'
  /** This member is not in the group's current generation. */
  | 'not-member'
  /** Will not pass without an operator. */
  | 'fatal';

const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE']);
const NOT_MEMBER = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);
type FatalCode = 'KAFKA_UNAUTHORIZED' | 'KAFKA_UNAUTHENTICATED' | 'KAFKA_UNSUPPORTED' | 'KAFKA_MISCONFIGURED';
type TransientCode = 'FENCED' | 'NOT_A_MEMBER' | 'KAFKA_REFUSED' | 'KAFKA_UNAVAILABLE' | 'KAFKA_CLIENT' | 'CLIENT_BUG';

const FATAL = new Map<string, FatalCode>([
  ['TOPIC_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['GROUP_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED'],
  ['SASL_AUTHENTICATION_FAILED', 'KAFKA_UNAUTHENTICATED'],
  ['UNSUPPORTED_SASL_MECHANISM', 'KAFKA_UNAUTHENTICATED'],
  ['UNSUPPORTED_VERSION', 'KAFKA_UNSUPPORTED'],
  ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'KAFKA_UNSUPPORTED'],
  ['INVALID_TRANSACTION_TIMEOUT', 'KAFKA_MISCONFIGURED'],
  // offset.metadata.max.bytes of the broker is below its default.
  ['OFFSET_METADATA_TOO_LARGE', 'KAFKA_MISCONFIGURED'],
  ['UNSUPPORTED_COMPRESSION_TYPE', 'KAFKA_MISCONFIGURED'],
  ['INVALID_SESSION_TIMEOUT', 'KAFKA_MISCONFIGURED'],
  ['INCONSISTENT_GROUP_PROTOCOL', 'KAFKA_MISCONFIGURED'],
  ['INVALID_GROUP_ID', 'KAFKA_MISCONFIGURED'],
  ['INVALID_TOPIC_EXCEPTION', 'KAFKA_MISCONFIGURED'],
  ['INVALID_CONFIG', 'KAFKA_MISCONFIGURED'],
  ['INVALID_PARTITIONS', 'KAFKA_MISCONFIGURED'],
  ['INVALID_REPLICATION_FACTOR', 'KAFKA_MISCONFIGURED'],
  ['INVALID_REQUEST', 'KAFKA_MISCONFIGURED'],
  ['POLICY_VIOLATION', 'KAFKA_MISCONFIGURED'],
]);
const REFUSED_RECORD = new Map<string, 'RECORD_TOO_LARGE' | 'RECORD_INVALID'>([
  ['MESSAGE_TOO_LARGE', 'RECORD_TOO_LARGE'],
  ['RECORD_LIST_TOO_LARGE', 'RECORD_TOO_LARGE'],
  ['INVALID_RECORD', 'RECORD_INVALID'],
  ['INVALID_TIMESTAMP', 'RECORD_INVALID'],
]);
/** The next words for the operator, by code. */
const ADVICE: Readonly<Record<FatalCode, string>> = {
  KAFKA_UNAUTHORIZED: 'Grant the ACLs that docs/kafka.md lists to this principal.',
  KAFKA_UNAUTHENTICATED: 'Check the SASL user, password and mechanism.',
  KAFKA_UNSUPPORTED: 'Use a Kafka broker of version 4.x.',
  KAFKA_MISCONFIGURED: "Correct the client's settings or the broker's limits.",
};
const CONNECTION = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSNoBrokerAvailableError',
]);

interface ClientError extends Error {
  readonly type?: string;
  readonly code?: unknown;
}

/** Causes of causes that are looked at: they may go round in a circle. */
const DEEPEST_CAUSE = 16;

/** kafkajs wraps errors in retry errors: the innermost one says what happened. */
function innermost(error: unknown): ClientError {
  try {
    let current = error;
    for (let depth = 0; depth < DEEPEST_CAUSE && current instanceof Error; depth++) {
      if (current instanceof CodedError || (current as ClientError).type !== undefined) break;
      if (!(current.cause instanceof Error)) break;
      current = current.cause;
    }
    // Looked at once: what follows may rely on its fields.
    if (current instanceof Error && [current.name, current.message].every((text) => typeof text === 'string')) {
      return current;
    }
  } catch {
    // Of a shape that cannot be looked at.
  }
  return new Error(thrownText(error));
}

/** Broker error type (INVALID_PRODUCER_EPOCH …) of an error; undefined for an error that no broker gave. */
export function brokerErrorType(error: unknown): string | undefined {
  const { type } = innermost(error);
  return typeof type === 'string' ? type : undefined;
}

/** Wraps what the client threw into an error with a stable code; keeps one that already has one. */
export function codedError(error: unknown): CodedError {
  const cause = innermost(error);
  if (isCoded(cause)) return cause;
  const type = brokerErrorType(cause);
  const fatalCode = type === undefined ? undefined : FATAL.get(type);
  if (fatalCode !== undefined) {
    return new CodedError(fatalCode, `${cause.message} ${ADVICE[fatalCode]}`, {
      faultClass: 'fatal',
      dependency: 'kafka',
      cause,
    });
  }
  const refused = type === undefined ? undefined : REFUSED_RECORD.get(type);
  if (refused !== undefined) return new CodedError(refused, cause.message, { faultClass: 'poison', cause });
  if (cause.name === 'KafkaJSSASLAuthenticationError') {
    const message = `${cause.message} ${ADVICE.KAFKA_UNAUTHENTICATED}`;
    return new CodedError('KAFKA_UNAUTHENTICATED', message, { faultClass: 'fatal', dependency: 'kafka', cause });
  }
  const code = transientCode(cause, type);
  return new CodedError<TransientCode>(code, `${cause.name}: ${thrownText(cause)}`, {
    faultClass: 'transient-dependency',
    dependency: 'kafka',
    cause,
  });
}

function transientCode(cause: ClientError, type: string | undefined): TransientCode {
  if (type !== undefined && FENCED.has(type)) return 'FENCED';
  if (type !== undefined && NOT_MEMBER.has(type)) return 'NOT_A_MEMBER';
  if (type !== undefined) return 'KAFKA_REFUSED';
  if (CONNECTION.has(cause.name)) return 'KAFKA_UNAVAILABLE';
  if (cause.name.startsWith('KafkaJS')) return 'KAFKA_CLIENT';
  return 'CLIENT_BUG';
}

/** What to do about an error. */
export function verdictOf(error: unknown): Verdict {
  const { code, faultClass } = codedError(error);
  if (code === 'FENCED') return 'fenced';
  if (code === 'NOT_A_MEMBER') return 'not-member';
  return faultClass === 'fatal' ? 'fatal' : 'transient';
}

/** A fatal fault, as `ended` rejects with it. */
export class FatalConsumerFault extends CodedError implements ConsumerFault {
  readonly severity = 'fatal';
  readonly detail: string;
  constructor(code: ErrorCode, detail: string, cause?: unknown) {
    super(code, detail, { faultClass: 'fatal', dependency: 'kafka', cause });
    this.name = 'FatalConsumerFault';
    this.detail = detail;
  }
}

/** An error as a fault to be shown. */
export function consumerFaultOf(error: unknown, where: { topic?: string; partition?: number } = {}): ConsumerFault {
  const { code, message, faultClass } = codedError(error);
  return { code, detail: message, severity: faultClass === 'fatal' ? 'fatal' : 'transient', ...where };
}
