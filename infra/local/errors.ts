export type StackErrorCode =
  | 'JAVA_MISSING'
  | 'MAVEN_MISSING'
  | 'DOWNLOAD_FAILED'
  | 'BUILD_FAILED'
  | 'NO_BINARY'
  | 'DOCKER_UNAVAILABLE'
  | 'CONTAINER_FAILED'
  | 'PORT_IN_USE'
  | 'STATE_CORRUPT'
  | 'STATE_MISMATCH'
  | 'STATE_NOT_WRITABLE'
  | 'LOCK_TIMEOUT'
  | 'SERVER_FAILED'
  | 'SERVER_TIMEOUT'
  | 'EXTERNAL_UNREACHABLE'
  | 'NOT_RUNNING'
  | 'NOT_OWNED'
  | 'BAD_SETTING';

/** What went wrong with the local stack, and what the reader can do about it. */
export class StackError extends Error {
  readonly code: StackErrorCode;
  /** One or two sentences in the imperative. */
  readonly cure: string;

  constructor(code: StackErrorCode, message: string, cure: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
    this.code = code;
    this.cure = cure;
  }

  override toString(): string {
    return `${this.message} ${this.cure} (${this.code})`;
  }
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
