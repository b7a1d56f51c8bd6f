export type ListRefusalCode =
  | 'LIST_EMPTY'
  | 'LIST_IS_HTML'
  | 'LIST_MALFORMED'
  | 'LIST_TRUNCATED'
  | 'LIST_WRONG_FORMAT'
  | 'LIST_TOO_LARGE'
  | 'LIST_TOO_MANY_DROPS'
  | 'LIST_SHRANK';

/** A file that must not become a list version. The code is stable; the message says what to do next. */
export class ListRefused extends Error {
  readonly code: ListRefusalCode;
  constructor(code: ListRefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ListRefused';
    this.code = code;
  }
}
